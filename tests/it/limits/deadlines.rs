//! Deadlines of requests: whoever sends a head or a body without an end is ended, and told if there is a way.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use super::{ADA, answer, connect, is_upgrade, upgrade};
use crate::raw::next_frame;
use crate::server::{TestServer, until};

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
    // Who asked for something and has nothing more to ask is closed too, and did nothing wrong.
    let mut idle = connect(&server, ADA).await;
    assert!(answer(&mut idle, "GET /healthz HTTP/1.1\r\nHost: ydock\r\n\r\n").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(timeout(PATIENCE, idle.read_to_end(&mut Vec::new())).await.unwrap().unwrap(), 0);
    let (_, after) = trickle(&server, "GET / HTTP/1.1\r\nHost: ydock\r\nX-Endless: ").await;
    assert!((WITHIN..PATIENCE / 2).contains(&after), "{after:?}");
    until("it is counted", || async { server.refused("http.head_within").await == 1 }).await;
}

/// What a closing frame says.
async fn goodbye(stream: &mut TcpStream) -> Vec<u8> {
    loop {
        if let (0x88, payload) = next_frame(stream).await.unwrap() {
            return payload;
        }
    }
}

#[tokio::test]
async fn who_says_nothing_after_the_upgrade_is_ended_and_told() {
    let server = TestServer::start_set(&[
        ("YDOCK_CONNECTIONS__ENTER_WITHIN", "300ms"),
        ("YDOCK_CONNECTIONS__KEEP_ALIVE", "200ms"),
        ("YDOCK_CONNECTIONS__PING", "200ms"),
        ("YDOCK_CONNECTIONS__SILENT_AFTER", "600ms"),
    ]);
    for (path, setting, code) in
        [("/yjs/silent", "connections.silent_after", 4504), ("/hocuspocus", "connections.enter_within", 4408_u16)]
    {
        let mut stream = connect(&server, ADA).await;
        assert!(is_upgrade(&upgrade(&mut stream, path, "").await));
        let payload = timeout(PATIENCE, goodbye(&mut stream)).await.unwrap();
        assert!(payload.starts_with(&code.to_be_bytes()), "{path}: {payload:?}");
        assert_eq!(server.refused(setting).await, 1, "{setting}");
    }
}
