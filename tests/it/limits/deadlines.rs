//! Deadlines of requests: whoever sends a head or a body without an end is ended, and told if there is a way.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, interval, timeout};

use super::{ADA, answer, connect};
use crate::server::TestServer;

const WITHIN: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a byte again and again until the server has enough; what it said, and after how long.
async fn trickle(server: &TestServer, head: &str) -> (String, Duration) {
    let started = Instant::now();
    let (mut reader, mut writer) = connect(server, ADA).await.into_split();
    writer.write_all(head.as_bytes()).await.unwrap();
    let trickling = async {
        let mut drops = interval(Duration::from_millis(20));
        while writer.write_all(b"x").await.is_ok() {
            drops.tick().await;
        }
        std::future::pending::<()>().await;
    };
    let mut said = Vec::new();
    let reading = async { reader.read_to_end(&mut said).await };
    tokio::select! {
        ended = timeout(PATIENCE, reading) => drop(ended.unwrap()),
        () = trickling => {}
    }
    (String::from_utf8(said).unwrap(), started.elapsed())
}

#[tokio::test]
async fn a_body_that_trickles_is_answered_and_closed_at_its_deadline() {
    let server = TestServer::start_set(&[("YDOCK_HTTP__BODY_WITHIN", "500ms")]);
    let mut polling = connect(&server, ADA).await;
    let opening = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: ydock\r\n\r\n";
    let opened = answer(&mut polling, opening).await;
    let id = opened.split_once("\"sid\":\"").unwrap().1.split('"').next().unwrap();
    for path in ["/api/docs/trickled/updates", &format!("/socket.io/?EIO=4&transport=polling&sid={id}")] {
        for framing in ["Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n"] {
            let chunk = if framing.starts_with("Transfer") { "fff\r\n" } else { "" };
            let head = format!("POST {path} HTTP/1.1\r\nHost: ydock\r\n{framing}\r\n{chunk}");
            let (said, after) = trickle(&server, &head).await;
            if said.starts_with("HTTP/1.1 400 ") {
                assert!(path.starts_with("/socket.io"), "{said}"); // of a session that the body before has ended
                continue;
            }
            assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("/problems/late-body"), "{path}: {said}");
            assert!((WITHIN..PATIENCE / 2).contains(&after), "{after:?}");
        }
    }
    assert_eq!(server.refused("http.body_within").await, 3);
    assert_eq!(reqwest::get(server.http("/api/docs/trickled")).await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_head_that_trickles_is_closed_at_its_deadline() {
    let server = TestServer::start_set(&[("YDOCK_HTTP__HEAD_WITHIN", "500ms")]);
    let (_, after) = trickle(&server, "GET / HTTP/1.1\r\nHost: ydock\r\nX-Endless: ").await;
    assert!((WITHIN..PATIENCE / 2).contains(&after), "{after:?}");
    assert!(server.refused("http.head_within").await >= 1);
}
