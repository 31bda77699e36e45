//! What one client, one address and all together may do, and what they are answered beyond: the promises of docs/limits.md.

mod addresses;
mod deadlines;
mod documents;
mod events;
mod pace;
mod proxies;
mod storm;

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::server::TestServer;

/// Addresses of this machine beside the one that the tests themselves have.
const ADA: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const BEN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// Connects from an address of this machine.
async fn connect(server: &TestServer, from: Ipv4Addr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from.into(), 0)).unwrap();
    socket.connect(server.address().parse().unwrap()).await.unwrap()
}

/// Asks for a WebSocket, with further headers; the answer's head, and its body unless it is an upgrade.
async fn upgrade(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str, headers: &str) -> String {
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    answer(stream, &format!("GET {path} HTTP/1.1\r\nHost: ydock\r\n{upgrade}{headers}\r\n")).await
}

/// Sends a request; the answer's head, and its body as long as the head says.
async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    let _may_be_turned_away_already = stream.write_all(request.as_bytes()).await.is_err();
    let mut read = Vec::new();
    let ends_at = |read: &[u8]| {
        let text = String::from_utf8_lossy(read).to_ascii_lowercase();
        let (head, _) = text.split_once("\r\n\r\n")?;
        let len = head.split_once("\r\ncontent-length: ").map_or("0", |(_, rest)| rest.split("\r\n").next().unwrap());
        Some(head.len() + 4 + len.parse::<usize>().unwrap())
    };
    while ends_at(&read).is_none_or(|end| read.len() < end) {
        match stream.read_u8().await {
            Ok(byte) => read.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(read).unwrap()
}

fn is_upgrade(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 101 ")
}

/// Whether it is the documented answer to one connection too many of an address.
fn is_refusal(answer: &str) -> bool {
    let head = answer.to_ascii_lowercase();
    answer.starts_with("HTTP/1.1 429 ")
        && head.contains("\r\nretry-after: 2\r\n")
        && head.contains("\r\nconnection: close\r\n")
        && answer.contains(r#""type":"/problems/too-many-connections""#)
}
