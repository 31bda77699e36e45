//! Sizes and numbers around documents: who is over a limit is told which way, is counted by the limit's name, and disturbs nobody.

use std::collections::BTreeSet;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use ydock::lib0::{write_buffer, write_text, write_var_uint};

use crate::client::Client;
use crate::server::{TestServer, until};
use crate::yjs::typed;

/// Presence states of clients, as one message.
fn presence(clients: &[u64], state: &str) -> Vec<u8> {
    let mut update = Vec::new();
    write_var_uint(&mut update, clients.len() as u64);
    for client in clients {
        write_var_uint(&mut update, *client);
        write_var_uint(&mut update, 1);
        write_text(&mut update, state);
    }
    let mut message = vec![1];
    write_buffer(&mut message, &update);
    message
}

fn update(client: u64, len: usize) -> Vec<u8> {
    let mut message = vec![0, 2];
    write_buffer(&mut message, &typed(client, 0, &"x".repeat(len)));
    message
}

fn small() -> TestServer {
    TestServer::start_set(&[
        ("YDOCK_CONNECTIONS__MAX_MESSAGE", "4 KiB"),
        ("YDOCK_STORE__MAX_UPDATE", "1 KiB"),
        ("YDOCK_ROOMS__MAX_DOCUMENT", "2 KiB"),
        ("YDOCK_ROOMS__MAX_MEMBERS", "3"),
        ("YDOCK_ROOMS__AWARENESS__MAX_STATE", "100 B"),
        ("YDOCK_ROOMS__AWARENESS__MAX_CLIENTS_PER_MEMBER", "2"),
    ])
}

#[tokio::test]
async fn who_is_over_a_size_is_told_and_counted_and_the_others_stay() {
    let server = small();
    let url = server.ws("doc");
    let mut witness = Client::join(&url).await;
    witness.settled().await;
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(100));
    for (setting, messages, code) in [
        ("connections.max_message", vec![vec![0; 5000]], 4413),
        ("store.max_update", vec![update(1, 1500)], 4413),
        ("rooms.max_document", vec![update(2, 900), update(3, 900), update(4, 900)], 4413),
        ("rooms.awareness.max_state", vec![presence(&[5], "{}"), presence(&[6], &long)], 4413),
        ("rooms.awareness.max_clients_per_member", vec![presence(&[7, 8], "{}"), presence(&[9], "{}")], 4400),
    ] {
        let mut client = Client::join(&url).await;
        for message in messages {
            client.send(message).await;
        }
        let (got, reason) = client.close().await.unwrap();
        assert_eq!(got, code, "{setting}: {reason}");
        // The room counts after it has ended whoever it was.
        until(setting, || async { server.refused(setting).await == 1 }).await;
        witness.settled().await;
    }
    let posted = reqwest::Client::new().post(server.http("/api/docs/posted/updates")).body(vec![0; 1025]).send().await;
    assert_eq!(posted.unwrap().status(), 413);
    assert_eq!(server.refused("store.max_update").await, 2);
}

#[tokio::test]
async fn a_full_room_takes_nobody_more_and_loses_nobody() {
    let server = small();
    let url = server.ws("full");
    let mut members = Vec::new();
    for _ in 0..3 {
        let mut member = Client::join(&url).await;
        member.settled().await;
        members.push(member);
    }
    let mut fourth = Client::open(&url).await;
    assert_eq!(fourth.close().await.unwrap().0, 1013);
    assert_eq!(server.refused("rooms.max_members").await, 1);
    for member in &mut members {
        member.settled().await;
    }
    Client::join(&server.ws("another")).await.settled().await;
}

#[tokio::test]
async fn when_all_rooms_are_open_another_document_has_to_wait() {
    let server = TestServer::start_set(&[("YDOCK_ROOMS__MAX_OPEN", "1")]);
    let mut one = Client::join(&server.ws("one")).await;
    one.settled().await;
    assert_eq!(Client::open(&server.ws("two")).await.close().await.unwrap().0, 1013);
    assert_eq!(server.refused("rooms.max_open").await, 1);
    one.settled().await;
}

/// Only tokens for new documents were counted: one for which something had come before its token was let in whatever the number.
#[tokio::test]
async fn one_socket_opens_so_many_documents_and_no_more_whatever_comes_first() {
    let server = TestServer::start_set(&[("YDOCK_CONNECTIONS__MAX_DOCUMENTS", "5")]);
    let url = format!("ws://{}/hocuspocus", server.address());
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let frame = |name: &str, message: &[u8]| {
        let mut frame = Vec::new();
        write_text(&mut frame, name);
        frame.extend_from_slice(message);
        Message::Binary(frame.into())
    };
    let (token, step1, query) = ([2, 0, 0], [0, 0, 1, 0], [3]);
    let (mut granted, mut denied) = (BTreeSet::new(), BTreeSet::new());
    for number in 0..200 {
        let name = format!("doc-{number:03}");
        if number % 2 == 0 {
            socket.send(frame(&name, &step1)).await.unwrap();
        }
        socket.send(frame(&name, &token)).await.unwrap();
        let answer = loop {
            let Message::Binary(said) = socket.next().await.unwrap().unwrap() else { continue };
            // Behind the address: `Auth`, and whether it is granted.
            if said.get(1..8) == Some(name.as_bytes()) && said.get(8) == Some(&2) {
                break said[9];
            }
        };
        let _new = if answer == 2 { granted.insert(name) } else { denied.insert(name) };
    }
    assert_eq!((granted.len(), denied.len()), (5, 195));
    assert_eq!(server.metric("ydock_rooms").await, 5);
    assert_eq!(server.refused("connections.max_documents").await, 195);
    // Those that are open go on, and one that is closed makes a place.
    socket.send(frame("doc-000", &query)).await.unwrap();
    socket.send(frame("doc-000", &[7, 0])).await.unwrap();
    socket.send(frame("doc-999", &token)).await.unwrap();
    loop {
        let Message::Binary(said) = socket.next().await.unwrap().unwrap() else { continue };
        if said.get(1..8) == Some(b"doc-999") {
            assert_eq!(said[8..10], [2, 2]);
            break;
        }
    }
}
