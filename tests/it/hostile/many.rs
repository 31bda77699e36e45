//! One client that wants more documents, rooms or namespaces than anybody needs.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use ydock::lib0::{Reader, write_text};

use super::Attacked;
use crate::client::Client;
use crate::server::until;

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// So many requests are sent before their answers are waited for.
const AT_A_TIME: usize = 50;
const SETTINGS: &str = "[rooms]\nidle_after = \"300ms\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_let_into_as_many_documents_as_it_may_have_and_no_more() {
    let token = &b"\x02\x00\x00"[..];
    asks_for_two_thousand_documents(&[token]).await;
}

/// Whoever asked first and showed its token then was let in without a bound.
#[tokio::test(flavor = "multi_thread")]
async fn nor_is_one_that_says_something_before_each_token() {
    asks_for_two_thousand_documents(&[b"\x03", b"\x02\x00\x00"]).await;
}

/// Each session's address stands in every frame to it, and in the memory of the server.
#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_a_session_has_a_bound() {
    let mut attacked = Attacked::start(SETTINGS).await;
    let mut socket = open(&attacked, "/hocuspocus").await;
    let frame = |len: usize| {
        let mut frame = Vec::new();
        write_text(&mut frame, &format!("document\0{}", "x".repeat(len)));
        frame.extend(b"\x02\x00\x00");
        Message::Binary(frame.into())
    };
    let mut answers = Vec::new();
    for len in [0, 20, 256, 257, 1 << 20, 8 << 20] {
        socket.send(frame(len)).await.unwrap();
        while let Message::Binary(answer) = attacked.works_during(socket.next()).await.unwrap().unwrap() {
            let mut reader = Reader::new(&answer);
            reader.text().unwrap();
            if let (Ok(2), Ok(kind)) = (reader.var_uint(), reader.var_uint()) {
                answers.push(kind);
                break;
            }
        }
    }
    assert_eq!(answers, [2, 2, 2, 1, 1, 1], "let in is 2, and refused is 1");
}

/// Sends messages under two thousand addresses, the last of them a token; some at once, as providers do.
async fn asks_for_two_thousand_documents(messages: &[&[u8]]) {
    let mut attacked = Attacked::start(SETTINGS).await;
    let mut socket = open(&attacked, "/hocuspocus").await;
    let (mut let_in, mut refused) = (0, 0);
    let asking = async {
        for first in (0..2000).step_by(AT_A_TIME) {
            for number in first..first + AT_A_TIME {
                let address = format!("document-{number:05}");
                for message in messages {
                    let frame = [&[14][..], address.as_bytes(), message].concat();
                    socket.send(Message::Binary(frame.into())).await.unwrap();
                }
            }
            while let_in + refused < first + AT_A_TIME {
                let frame = socket.next().await.unwrap().unwrap().into_data();
                match frame.get(15..17) {
                    Some([2, 2]) => let_in += 1,
                    Some([2, 1]) => refused += 1,
                    _ => {}
                }
            }
        }
    };
    attacked.works_during(timeout(Duration::from_secs(20), asking)).await.unwrap();
    assert_eq!((let_in, refused), (1000, 1000));
    attacked.has_grown_by_at_most(100);
    // The others have theirs, and what the client had is given back.
    Client::join(&attacked.server.ws("document-01999")).await.settled().await;
    drop(socket);
    let server = &attacked.server;
    until("the rooms are closed", || async { server.metric("ydock_rooms").await == 1 }).await;
    assert_eq!(server.metric("ydock_members").await, 1);
    attacked.works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_thousand_rooms_that_are_only_looked_into_nothing_is_left() {
    let mut attacked = Attacked::start(SETTINGS).await;
    let mut visits = JoinSet::new();
    for lane in 0..20 {
        let urls: Vec<_> = (0..100).map(|number| attacked.server.ws(&format!("room-{lane}-{number}"))).collect();
        visits.spawn(async move {
            for url in urls {
                Client::join(&url).await.settled().await;
            }
        });
    }
    attacked.works_during(visits.join_all()).await;
    let server = &attacked.server;
    until("the rooms are closed", || async { server.metric("ydock_rooms").await == 1 }).await;
    let list = reqwest::get(server.http("/api/docs")).await.unwrap().text().await.unwrap();
    assert!(list.contains("honest") && !list.contains("room-"), "{list}");
    attacked.has_grown_by_at_most(60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_enters_as_many_namespaces_as_it_may_and_no_more() {
    let mut attacked = Attacked::start(SETTINGS).await;
    let mut socket = open(&attacked, "/socket.io/?EIO=4&transport=websocket").await;
    let (mut let_in, mut refused) = (0, 0);
    let asking = async {
        for first in (0..2000).step_by(AT_A_TIME) {
            for number in first..first + AT_A_TIME {
                socket.send(Message::Text(format!("40/yjs|document {number},").into())).await.unwrap();
            }
            while let_in + refused < u32::try_from(first + AT_A_TIME).unwrap() {
                let text = socket.next().await.unwrap().unwrap().into_text().unwrap();
                let_in += u32::from(text.starts_with("40/yjs|"));
                refused += u32::from(text.starts_with("44/yjs|"));
            }
        }
    };
    let asked = attacked.works_during(timeout(Duration::from_secs(20), asking)).await;
    assert!(asked.is_ok(), "{let_in} let in, {refused} refused");
    assert_eq!((let_in, refused), (16, 1984));
    drop(socket);
    let server = &attacked.server;
    until("the rooms are closed", || async { server.metric("ydock_rooms").await == 1 }).await;
    attacked.has_grown_by_at_most(60);
}

async fn open(attacked: &Attacked, path: &str) -> Socket {
    connect_async(format!("ws://{}{path}", attacked.server.address())).await.unwrap().0
}
