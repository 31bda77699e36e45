//! Connections per address: all fronts count together, and a connection counts until it ends, whatever it has turned into.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{ADA, BEN, answer, connect, is_refusal, is_upgrade, upgrade};
use crate::server::{TestServer, until};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

async fn get(stream: &mut TcpStream, path: &str) -> String {
    answer(stream, &format!("GET {path} HTTP/1.1\r\nHost: ydock\r\n\r\n")).await
}

#[tokio::test]
async fn all_fronts_count_together_and_what_ends_gives_its_place_back() {
    let server = TestServer::start_set(&[
        ("YDOCK_CONNECTIONS__MAX_PER_ADDRESS", "5"),
        ("YDOCK_GATEWAYS__PING_INTERVAL", "200ms"),
        ("YDOCK_GATEWAYS__PING_TIMEOUT", "200ms"),
    ]);
    let mut open = Vec::new();
    for path in ["/yjs/doc", "/hocuspocus", "/ws?namespace=/events", WEBSOCKET] {
        let mut stream = connect(&server, ADA).await;
        let answer = upgrade(&mut stream, path, "").await;
        assert!(is_upgrade(&answer), "{path}: {answer}");
        open.push(stream);
    }
    assert!(get(&mut connect(&server, ADA).await, POLLING).await.starts_with("HTTP/1.1 200 "));
    for path in ["/yjs/doc", "/drop-in", "/hocuspocus", "/", "/ws?namespace=/events"] {
        let answer = upgrade(&mut connect(&server, ADA).await, path, "").await;
        assert!(is_refusal(&answer), "{path}: {answer}");
    }
    for answer in [
        upgrade(&mut connect(&server, ADA).await, WEBSOCKET, "").await,
        get(&mut connect(&server, ADA).await, POLLING).await,
    ] {
        assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("retry-after: 2"), "{answer}");
    }
    assert_eq!(server.refused("connections.max_per_address").await, 7);
    // Requests are no connections that stay.
    assert!(get(&mut connect(&server, ADA).await, "/healthz").await.starts_with("HTTP/1.1 200 "));
    assert!(is_upgrade(&upgrade(&mut connect(&server, BEN).await, "/yjs/doc", "").await));
    // The session that polls is given up, as nobody polls, and the others' places are free when they have gone.
    for _ in 0..2 {
        until("a place is free", || async {
            is_upgrade(&upgrade(&mut connect(&server, ADA).await, "/yjs/doc", "").await)
        })
        .await;
        open.clear();
    }
    until("all places are free", || async { server.metric("ydock_connections").await == 0 }).await;
    for path in ["/yjs/doc", "/hocuspocus", "/ws?namespace=/events", WEBSOCKET, "/yjs/doc"] {
        let mut stream = connect(&server, ADA).await;
        assert!(is_upgrade(&upgrade(&mut stream, path, "").await), "{path}");
        open.push(stream);
    }
}

/// The connection of a WebSocket was no connection any more once it was upgraded: as many as there were file descriptors could be
/// opened beside `http.max_open`.
#[tokio::test]
async fn a_websocket_counts_as_the_tcp_connection_that_it_is() {
    for path in ["/yjs/doc", "/hocuspocus", "/ws?namespace=/events", WEBSOCKET] {
        let server = TestServer::start_set(&[("YDOCK_HTTP__MAX_PER_ADDRESS", "2"), ("YDOCK_HTTP__MAX_OPEN", "4")]);
        let mut open = Vec::new();
        for from in [ADA, ADA, BEN, BEN] {
            let mut stream = connect(&server, from).await;
            assert!(is_upgrade(&upgrade(&mut stream, path, "").await), "{path}");
            open.push(stream);
        }
        let mut fifth = connect(&server, BEN).await;
        let early = timeout(Duration::from_millis(300), fifth.read_u8()).await;
        assert!(early.is_err(), "{path}: there was a place for a fifth");
        open.remove(0);
        // Now there is a place, but none for this address.
        let mut said = String::new();
        let _reset = timeout(Duration::from_secs(10), fifth.read_to_string(&mut said)).await.unwrap();
        assert!(is_refusal(&said), "{path}: {said}");
        until("the place is free", || async {
            get(&mut connect(&server, ADA).await, "/healthz").await.starts_with("HTTP/1.1 200 ")
        })
        .await;
        assert_eq!(server.refused("http.max_per_address").await, 1, "{path}");
    }
}
