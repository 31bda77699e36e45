//! Gateway connections are read as slowly as others when they send more bytes than they may, and lose nothing.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::server::TestServer;

/// 20 events of 10 kB each, half of them at once and the others at 100 kB a second.
const EVENTS: usize = 20;
const LENGTH: usize = 10_000;

#[tokio::test]
async fn bytes_of_events_beyond_the_rate_are_read_later_and_all_of_them() {
    let server = TestServer::start_set(&[
        ("YDOCK_CONNECTIONS__BYTES_PER_SECOND", "100 kB"),
        ("YDOCK_CONNECTIONS__BYTES_AT_ONCE", "100 kB"),
    ]);
    let text = "x".repeat(LENGTH);
    for (path, opening, event) in [
        ("/ws?namespace=/chat&username=ada&token=a", None, json!({ "event": "nothing", "data": text }).to_string()),
        (
            "/socket.io/?EIO=4&transport=websocket",
            Some(r#"40/chat,{"username":"ada","token":"a"}"#),
            format!("42/chat,{}", json!(["nothing", text])),
        ),
    ] {
        let (mut socket, _) = connect_async(format!("ws://{}{path}", server.address())).await.unwrap();
        if let Some(opening) = opening {
            socket.send(Message::text(opening)).await.unwrap();
            while !socket.next().await.unwrap().unwrap().to_text().unwrap().starts_with("40/chat") {}
        }
        let started = Instant::now();
        let before = slowed(&server).await;
        for _ in 0..EVENTS {
            socket.send(Message::text(event.clone())).await.unwrap();
        }
        let mut answers = 0;
        let all = async {
            while answers < EVENTS {
                let said = socket.next().await.unwrap().unwrap();
                // There is no such event, and each time that is said.
                answers += usize::from(said.to_text().is_ok_and(|said| said.contains("exception")));
            }
        };
        timeout(Duration::from_secs(20), all).await.unwrap();
        let took = started.elapsed();
        assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&took), "{path}: {took:?}");
        assert!(slowed(&server).await > before, "{path}");
    }
}

async fn slowed(server: &TestServer) -> u64 {
    server.metric("ydock_slowed_total{limit=\"connections.bytes_per_second\"}").await
}
