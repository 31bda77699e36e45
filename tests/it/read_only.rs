//! Who may only read is told so, changes nothing, and stays.

use serde_json::Value;
use tokio::time::Instant;
use ydock::lib0::write_buffer;

use crate::client::Client;
use crate::server::TestServer;
use crate::yjs::letter;

/// What a session that may not edit hears first.
const READ_ONLY: &[u8] = b"\x02\x02\x08readonly";
/// What it hears when it edits all the same.
const DENIED: &[u8] = b"\x02\x00\x1athis session may only read";

fn step2(update: &[u8]) -> Vec<u8> {
    let mut frame = vec![0, 1];
    write_buffer(&mut frame, update);
    frame
}

async fn status(server: &TestServer, path: &str) -> u16 {
    reqwest::get(server.http(path)).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn what_a_viewer_sends_changes_nothing_and_ends_nothing() {
    let server = TestServer::start();
    let mut editor = Client::join(&server.ws("doc?ack=echo")).await;
    let mut viewer = Client::open(&server.ws("doc?role=view&ack=echo")).await;
    assert_eq!(viewer.next_frame().await.unwrap(), READ_ONLY);
    assert_eq!(viewer.next_frame().await.unwrap(), [0, 0, 1, 0], "then the room's state vector as for everybody");
    viewer.settled().await;

    let started = Instant::now();
    for clock in 0..50 {
        viewer.send(step2(&letter(7, clock))).await;
        assert!(viewer.update(&letter(7, clock)).await);
    }
    viewer.send(step2(b"no update at all")).await;
    assert!(viewer.update(b"no update at all").await);
    let heard = viewer.settled().await;
    let most = 1 + usize::try_from(started.elapsed().as_secs()).unwrap();
    assert!((1..=most).contains(&heard.len()), "{heard:?}");
    assert!(heard.iter().all(|frame| frame == DENIED), "{heard:?}");

    assert!(editor.update(&letter(8, 0)).await);
    editor.receives(&letter(8, 0)).await;
    viewer.receives(&letter(8, 0)).await;
    let before = editor.settled().await;
    assert!(!before.iter().any(|frame| frame.starts_with(&[2])), "an editor hears nothing of grants: {before:?}");
    let stored: Value = reqwest::get(server.http("/api/docs/doc")).await.unwrap().json().await.unwrap();
    assert_eq!(stored["updates"], 1);
}

#[tokio::test]
async fn a_step2_alone_is_dropped_without_a_word() {
    let server = TestServer::start();
    let mut viewer = Client::join(&server.ws("doc?role=view")).await;
    viewer.settled().await;
    viewer.send(step2(&letter(7, 0))).await;
    assert_eq!(viewer.settled().await, Vec::<Vec<u8>>::new());
    assert_eq!(status(&server, "/api/docs/doc").await, 404);
}

#[tokio::test]
async fn a_commenter_types_and_a_viewer_does_not() {
    let server = TestServer::start();
    let mut reader = Client::join(&server.ws("doc?typing=1")).await;
    let mut viewer = Client::join(&server.ws("doc?role=view")).await;
    let mut commenter = Client::join(&server.ws("doc?role=comment")).await;
    for (client, id) in [(&mut viewer, 7), (&mut commenter, 8)] {
        client.send([&[1, 6, 1, id, 1, 2][..], b"{}"].concat()).await;
        client.send(vec![101, 1, 0]).await;
        client.settled().await;
    }
    let frame = loop {
        let frame = reader.next_frame().await.unwrap();
        if frame.starts_with(&[101]) {
            break frame;
        }
    };
    assert_eq!(frame, [101, 1, 8, 1, 0]);
}

#[tokio::test]
async fn with_less_than_edit_for_everyone_nobody_edits_over_any_wire() {
    for role in ["view", "comment"] {
        let server = TestServer::start_with(&["--everyone", role]);
        let mut client = Client::open(&server.ws("doc?role=edit")).await;
        assert_eq!(client.next_frame().await.unwrap(), READ_ONLY);
        assert!(client.update(&letter(7, 0)).await);
        while client.next_frame().await.unwrap() != DENIED {}

        let http = reqwest::Client::new();
        let post = http.post(server.http("/api/docs/doc/updates")).body(letter(7, 0)).send();
        let delete = http.delete(server.http("/api/docs/doc")).send();
        for refused in [post.await.unwrap(), delete.await.unwrap()] {
            assert_eq!(refused.status(), 403);
            assert_eq!(refused.headers()["content-type"], "application/problem+json");
            let problem: Value = refused.json().await.unwrap();
            assert_eq!(problem["type"], "/problems/read-only");
        }
        assert_eq!((status(&server, "/api/docs/doc").await, status(&server, "/api/docs").await), (404, 200));
    }
}
