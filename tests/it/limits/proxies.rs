//! Behind trusted proxies clients are told apart; nobody else chooses an address.

use tempfile::TempDir;
use tokio::net::UnixStream;

use super::{ADA, BEN, connect, is_refusal, is_upgrade, upgrade};
use crate::server::TestServer;

const ONE_EACH: (&str, &str) = ("YDOCK_CONNECTIONS__MAX_PER_ADDRESS", "1");

#[tokio::test]
async fn clients_behind_a_trusted_proxy_are_told_apart_and_others_cannot_choose() {
    let server = TestServer::start_set(&[
        ONE_EACH,
        ("YDOCK_HTTP__MAX_PER_ADDRESS", "3"),
        ("YDOCK_HTTP__TRUSTED_PROXIES", "127.0.0.2,10.0.0.0/8"),
    ]);
    let mut open = Vec::new();
    for (from, forwarded, is_let_in) in [
        (ADA, "198.51.100.1", true),
        (ADA, "198.51.100.1", false),
        (ADA, "198.51.100.2", true),
        // What the client wrote before its own address does not count, and neither do proxies after it.
        (ADA, "198.51.100.3, 198.51.100.1", false),
        (ADA, "198.51.100.3, 198.51.100.2, 10.1.1.1", false),
        (ADA, "198.51.100.3, 10.1.1.1", true),
        // A network of 64 bits is one.
        (ADA, "2001:db8::1", true),
        (ADA, "2001:db8::2", false),
        (ADA, "2001:db8:0:1::1", true),
        // Without a good word, it is the proxy itself.
        (ADA, "198.51.100.9, nonsense", true),
        (ADA, "nonsense", false),
        // This one is no proxy: what it says is not looked at.
        (BEN, "198.51.100.10", true),
        (BEN, "198.51.100.11", false),
    ] {
        let mut stream = connect(&server, from).await;
        let answer = upgrade(&mut stream, "/yjs/doc", &format!("X-Forwarded-For: {forwarded}\r\n")).await;
        assert!(if is_let_in { is_upgrade(&answer) } else { is_refusal(&answer) }, "{from} {forwarded}: {answer}");
        open.push(stream);
    }
    // The other header is anybody's.
    let mut stream = connect(&server, ADA).await;
    assert!(is_refusal(&upgrade(&mut stream, "/yjs/doc", "Forwarded: for=198.51.100.20\r\n").await));
    assert_eq!(server.refused("http.max_per_address").await, 0, "a trusted proxy may have any number");
}

#[tokio::test]
async fn clients_of_gateways_behind_a_trusted_proxy_are_told_apart_too() {
    let forwarded = ("YDOCK_HTTP__PROXY_HEADER", "forwarded");
    let server = TestServer::start_set(&[ONE_EACH, forwarded, ("YDOCK_HTTP__TRUSTED_PROXIES", "127.0.0.2")]);
    let mut open = Vec::new();
    for (number, path) in ["/ws?namespace=/events", "/socket.io/?EIO=4&transport=websocket"].into_iter().enumerate() {
        for (host, is_let_in) in [(1, true), (1, false), (2, true)] {
            let mut stream = connect(&server, ADA).await;
            let header = format!("Forwarded: for=203.0.113.9, for=\"192.0.{number}.{host}:5\"\r\n");
            let answer = upgrade(&mut stream, path, &header).await;
            assert_eq!(is_upgrade(&answer), is_let_in, "{path} {header}: {answer}");
            assert!(is_let_in || answer.starts_with("HTTP/1.1 429 "), "{answer}");
            open.push(stream);
        }
    }
}

#[tokio::test]
async fn on_a_unix_socket_clients_have_no_address_unless_a_proxy_there_is_trusted() {
    for (trusted, is_let_in) in [("", [true, true, true]), ("unix", [true, false, true])] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("ydock.sock");
        let listen = format!("unix:{}", path.display());
        let server = TestServer::start_set_at(&listen, &[ONE_EACH, ("YDOCK_HTTP__TRUSTED_PROXIES", trusted)]);
        let mut open = Vec::new();
        for (host, is_let_in) in [1, 1, 2].into_iter().zip(is_let_in) {
            let mut stream = UnixStream::connect(&path).await.unwrap();
            let answer = upgrade(&mut stream, "/yjs/doc", &format!("X-Forwarded-For: 192.0.2.{host}\r\n")).await;
            assert!(if is_let_in { is_upgrade(&answer) } else { is_refusal(&answer) }, "{trusted} {host}: {answer}");
            open.push(stream);
        }
        drop(server);
    }
}
