//! Goodbyes: a client's is answered, so that its library reports a clean end and no broken connection, and nothing comes after
//! a goodbye, however much goes on in the document.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::raw::{masked, upgraded};
use crate::server::TestServer;
use crate::yjs::typed;

#[tokio::test]
async fn a_clients_goodbye_is_answered() {
    let server = TestServer::start();
    let mut client = Client::join(&server.ws("doc")).await;
    client.settled().await;
    assert!(client.goodbye().await);
}

/// The room learns of the end a moment later than the connection.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_busy_document_the_answer_to_a_goodbye_is_the_last_frame() {
    frames_until_the_end(20, &masked(0x88, &[0x03, 0xe8]), &[0x88, 2, 0x03, 0xe8]).await;
    // A text is not part of the protocol.
    frames_until_the_end(2, &masked(0x81, b"hello"), &[0x88]).await;
    // A frame with reserved bits, and so without a mask that could be trusted.
    frames_until_the_end(1, &[0xf2], &[0x88]).await;
}

/// Sends `last` in the middle of a flood, again and again, and expects that the server's last frame begins so.
async fn frames_until_the_end(rounds: usize, last: &[u8], expected: &[u8]) {
    let server = TestServer::start();
    let url = server.ws("busy");
    let mut flood = JoinSet::new();
    flood.spawn(async move {
        let mut author = Client::join(&url).await;
        for number in 0.. {
            if !author.update(&typed(1, number * 20, "twenty letters, yes.")).await {
                break;
            }
            if number % 16 == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        }
    });
    for round in 0..rounds {
        let mut stream = join(&server.ws("busy")).await;
        let mut bytes = vec![0; 4096];
        stream.read_exact(&mut bytes).await.unwrap();
        stream.write_all(last).await.unwrap();
        // A connection that is closed with something unread ends with an error, after all that was sent.
        let _reset = timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await.unwrap().is_err();
        let frames = frames(&bytes);
        let (goodbye, before) = frames.split_last().unwrap();
        let is_data = |frame: &&[u8]| frame.starts_with(&[0x82]);
        assert!(goodbye.starts_with(expected), "round {round}: the last of {} frames is {goodbye:x?}", frames.len());
        assert!(before.iter().all(is_data), "round {round}: something came after a goodbye");
    }
}

/// A connection that has asked for the document, behind the head of the server's answer.
async fn join(url: &str) -> TcpStream {
    let mut stream = upgraded(url).await;
    stream.write_all(&masked(0x82, &[0, 0, 1, 0])).await.unwrap();
    stream
}

/// The frames of a server, which must be whole.
fn frames(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let number = |at| bytes.get(2..at).unwrap().iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        let len = match bytes.get(1) {
            Some(126) => 4 + number(4),
            Some(127) => 10 + number(10),
            short => 2 + usize::from(*short.unwrap()),
        };
        let (frame, rest) = bytes.split_at_checked(len).unwrap_or_else(|| panic!("the last frame is cut"));
        frames.push(frame);
        bytes = rest;
    }
    frames
}
