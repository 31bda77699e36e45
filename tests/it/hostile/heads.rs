//! Heads of requests that no client of ours sends: refused with a status, or by the end of the connection.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Attacked;

#[tokio::test(flavor = "multi_thread")]
async fn oversized_and_broken_heads_are_refused() {
    let mut attacked = Attacked::start("").await;
    let start = "GET /yjs/doc HTTP/1.1\r\nHost: ydock\r\n";
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let heads = [
        ("a header of a mebibyte", format!("{start}X-Large: {}\r\n\r\n", "x".repeat(1 << 20))),
        ("ten thousand headers", format!("{start}{}\r\n", "X-Many: x\r\n".repeat(10_000))),
        ("an address of a mebibyte", format!("GET /yjs/{} HTTP/1.1\r\nHost: ydock\r\n{upgrade}{key}\r\n", "x".repeat(1 << 20))),
        ("a long name", format!("GET /yjs/{} HTTP/1.1\r\nHost: ydock\r\n{upgrade}{key}\r\n", "x".repeat(5000))),
        ("no key", format!("{start}{upgrade}\r\n")),
        ("two keys", format!("{start}{upgrade}{key}{key}\r\n")),
        ("a key that is too short", format!("{start}{upgrade}Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n")),
        ("a key that is too long", format!("{start}{upgrade}Sec-WebSocket-Key: {}\r\n\r\n", "A".repeat(4000))),
        ("another version", format!("{start}{}{key}\r\n", upgrade.replace("13", "8"))),
        ("bytes that are no head", "\u{0}\u{1}\u{2}\r\n\r\n".to_owned()),
        ("a control character in a header", format!("{start}X-Odd: a\u{1}b\r\n\r\n")),
        ("a header of two lines", format!("{start}X-Odd: a\r\n b\r\n\r\n")),
        ("two lengths", "POST /api/docs/x/updates HTTP/1.1\r\nHost: y\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned()),
        ("a length that is none", "POST /api/docs/x/updates HTTP/1.1\r\nHost: y\r\nContent-Length: -1\r\n\r\n".to_owned()),
        ("a length of all memory", "POST /api/docs/x/updates HTTP/1.1\r\nHost: y\r\nContent-Length: 18446744073709551615\r\n\r\n".to_owned()),
        ("a body of two forms", "POST /api/docs/x/updates HTTP/1.1\r\nHost: y\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()),
    ];
    for (what, head) in heads {
        let answer = attacked.works_during(answer(attacked_address(&attacked), head)).await;
        let is_refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4");
        assert!(is_refused, "{what}: {}", answer.get(..200).unwrap_or(&answer));
    }
    attacked.has_grown_by_at_most(40);
}

fn attacked_address(attacked: &Attacked) -> String {
    attacked.server.address().to_owned()
}

/// What comes in return, as far as it comes at once.
async fn answer(address: String, head: String) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let writing = tokio::task::JoinSet::from_iter([async move {
        let _is_refused_already = writing.write_all(head.as_bytes()).await.is_err();
        // Kept open: it is the server's turn.
        std::future::pending::<()>().await;
    }]);
    let mut answer = Vec::new();
    while let Ok(Ok(1..)) = timeout(Duration::from_secs(2), reading.read_buf(&mut answer)).await {
        if answer.windows(4).any(|part| part == b"\r\n\r\n") {
            break;
        }
    }
    drop(writing);
    String::from_utf8_lossy(&answer).into_owned()
}
