//! A thousand rooms at work: every update reaches everybody, and the disk.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use ydock::ClientId;

use crate::client::Client;
use crate::server::{TestServer, until};
use crate::yjs::letter;

const ROOMS: u64 = 1000;
const UPDATES: u64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_rooms_of_three_lose_nothing_and_survive_a_restart() {
    let mut server = TestServer::start();
    let mut rooms = JoinSet::new();
    for room in 0..ROOMS {
        let url = server.ws(&format!("room-{room}"));
        rooms.spawn(work(room, url));
    }
    let (mut delivered, mut slowest) = (0, Duration::ZERO);
    while let Some(outcome) = rooms.join_next().await {
        let (count, slow) = outcome.unwrap();
        delivered += count;
        slowest = slowest.max(slow);
    }
    println!("{delivered} of {} deliveries, the slowest update took {slowest:?}", ROOMS * UPDATES * 2);
    assert_eq!(delivered, ROOMS * UPDATES * 2);
    let server_ref = &server;
    until("everything is durable", || async move {
        server_ref.metric("ydock_updates_saved_total").await == ROOMS * UPDATES
    })
    .await;
    check(&server).await;
    server.kill_and_restart();
    check(&server).await;
}

/// One room: a writer with one update a second, two readers who get each of them.
async fn work(room: u64, url: String) -> (u64, Duration) {
    // Over the first second, so that the load is even.
    tokio::time::sleep(Duration::from_millis(room)).await;
    let mut writer = Client::join(&url).await;
    let mut readers = [Client::join(&url).await, Client::join(&url).await];
    let mut pace = tokio::time::interval(Duration::from_secs(1));
    let (mut delivered, mut slowest) = (0, Duration::ZERO);
    for clock in 0..UPDATES {
        pace.tick().await;
        let update = letter(room + 1, clock);
        let sent = Instant::now();
        assert!(writer.update(&update).await);
        for reader in &mut readers {
            reader.receives(&update).await;
            delivered += 1;
        }
        slowest = slowest.max(sent.elapsed());
    }
    (delivered, slowest)
}

async fn check(server: &TestServer) {
    let http = Arc::new(reqwest::Client::new());
    for room in 0..ROOMS {
        let url = server.http(&format!("/api/docs/room-{room}/snapshot?format=update"));
        let bytes = http.get(url).send().await.unwrap().bytes().await.unwrap();
        let state = ydock::sync::state_vector_of([&bytes[..]]).unwrap();
        let clock = state.clock(ClientId::new(room + 1).unwrap());
        assert_eq!(u64::from(clock), UPDATES, "room {room}");
    }
}
