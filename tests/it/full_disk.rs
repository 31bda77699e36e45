//! A disk that is full: the server says so for as long as it is, keeps everything, and saves it once there is room.
//!
//! A bound on the size of files stands for the full disk. With a large update waiting, the store still found room for small
//! ones, called itself well, and `/readyz` said so while the large one was not saved.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::Value;
use ydock::ClientId;

use crate::client::Client;
use crate::server::{TestServer, until};
use crate::yjs::{letter, typed};

/// In KiB: the store has room for its empty file and little more.
const BOUND: u64 = 256;

async fn ready(server: &TestServer) -> (u16, Value) {
    let answer = reqwest::get(server.http("/readyz")).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Whether another document can be saved.
async fn saves_little(server: &TestServer) -> bool {
    let post = reqwest::Client::new().post(server.http("/api/docs/other/updates")).body(letter(9, 0)).send();
    tokio::time::timeout(Duration::from_secs(20), post).await.unwrap().unwrap().status().is_success()
}

#[tokio::test]
async fn a_full_disk_is_announced_until_everything_is_saved_and_ends_nobody() {
    let server = TestServer::start_with_files_of_at_most(BOUND);
    let mut author = Client::join(&server.ws("doc?ack=echo")).await;
    let mut reader = Client::join(&server.ws("doc")).await;
    author.settled().await;
    reader.settled().await;
    let large = typed(7, 0, &"x".repeat(400_000));
    assert!(author.update(&large).await);
    reader.receives(&large).await;
    until("the server says that saving fails", || async { ready(&server).await.0 == 503 }).await;

    assert!(saves_little(&server).await, "what is small still fits");
    let (status, problem) = ready(&server).await;
    assert_eq!((status, &problem["type"]), (503, &Value::from("/problems/not-ready")));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("saving fails and is tried again: no space is left"), "{detail}");
    assert!(author.settled().await.is_empty(), "nothing is acknowledged before it is saved");

    prlimit(Some(server.pid()), Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    author.receives(&large).await;
    until("the server is ready", || async { ready(&server).await.0 == 200 }).await;
    reader.settled().await;

    let mut server = server;
    server.kill_and_restart();
    let bytes = reqwest::get(server.http("/api/docs/doc/snapshot")).await.unwrap().bytes().await.unwrap();
    let state = ydock::sync::state_vector_of([&bytes[..]]).unwrap();
    assert_eq!(state.clock(ClientId::new(7).unwrap()), 400_000);
}
