//! The same against the real program and a disk that is really full.
//!
//! A bound on the size of files stands for the full disk.

use rustix::process::{Resource, Rlimit, prlimit};
use tokio::net::TcpStream;
use ydock::ClientId;

use super::provider::Provider;
use crate::client::any;
use crate::server::{TestServer, until};
use crate::yjs::typed;

/// In KiB: the store has room for its empty file and little more.
const BOUND: u64 = 256;

#[tokio::test]
async fn what_the_last_provider_left_on_a_full_disk_is_saved_once_there_is_room() {
    let mut server = TestServer::start_with_files_of_at_most(BOUND);
    let mut ada = Provider::over(any(TcpStream::connect(server.address()).await.unwrap())).await;
    for name in ["plan", "other plan"] {
        ada.enter(name).await;
        ada.update(name, &typed(7, 0, &"x".repeat(400_000))).await;
    }
    until("the server says that saving fails", || async { !ready(&server).await }).await;
    for name in ["plan", "other plan"] {
        assert_eq!(ada.acknowledged(name).await, 0);
    }
    assert_eq!(ada.closed().await, None);
    drop(ada);
    until("everybody has left", || async { server.metric("ydock_members").await == 0 }).await;
    assert_eq!((server.metric("ydock_rooms").await, server.metric("ydock_updates_saved_total").await), (2, 0));

    prlimit(Some(server.pid()), Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    until("the server is ready", || async { ready(&server).await }).await;
    server.kill_and_restart();
    for name in ["plan", "other%20plan"] {
        let url = server.http(&format!("/api/docs/{name}/snapshot"));
        let bytes = reqwest::get(url).await.unwrap().bytes().await.unwrap();
        let state = ydock::sync::state_vector_of([&bytes[..]]).unwrap();
        assert_eq!(state.clock(ClientId::new(7).unwrap()), 400_000, "{name}");
    }
}

async fn ready(server: &TestServer) -> bool {
    reqwest::get(server.http("/readyz")).await.unwrap().status().is_success()
}
