//! "Multiple Responses": a handler answers with a stream of events.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use serde_json::json;
use tokio::time::Instant;
use ydock::gateway::{Emit, Gateway, Streamed, interval};
use ydock::testing::TestServer;

fn events_gateway() -> Gateway {
    Gateway::new("/").on("events", handle_event)
}

async fn handle_event() -> Streamed<impl Stream<Item = Emit<u64>>> {
    Streamed(interval(Duration::from_secs(1)).map(|value| Emit::new("events", value)))
}

#[tokio::test(start_paused = true)]
async fn each_second_brings_a_number_and_other_events_are_answered_meanwhile() {
    let server = TestServer::of(events_gateway().on("ping", async || "pong")).await;
    let client = server.client("/").connect().await.unwrap();
    let begin = Instant::now();
    client.emit("events", &json!("")).await;
    for number in 0..3 {
        assert_eq!(client.expect("events").await.data, number);
        assert_eq!(begin.elapsed().as_secs(), number + 1);
        assert_eq!(client.ask::<String>("ping", &json!(null)).await, "pong");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_client_goes() {
    let server = TestServer::of(events_gateway()).await;
    let before = server.gateways().tasks().len();
    let client = server.client("/").connect().await.unwrap();
    client.emit("events", "").await;
    client.expect("events").await;
    client.leave().await;
    tokio::task::yield_now().await;
    assert_eq!(server.gateways().tasks().len(), before);
}
