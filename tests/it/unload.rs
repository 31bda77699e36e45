//! Rooms that come and go: a join meets a whole room or opens one, and nothing is lost between two lives.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use ydock::ClientId;
use ydock::delivery::{self, Outbox};
use ydock::doc_rooms::Config;

use crate::outage::{Bench, doc, seat};
use crate::yjs::letter;

#[tokio::test(flavor = "multi_thread")]
async fn joins_race_with_unloading_and_no_update_is_lost() {
    let bench = Arc::new(Bench::new(Config { idle_after: Duration::ZERO, ..Config::default() }));
    let mut visits = JoinSet::new();
    for client in 0..200_u64 {
        let bench = Arc::clone(&bench);
        visits.spawn(async move {
            let name = doc(&format!("busy-{}", client % 4));
            for clock in 0..10 {
                let outbox = Outbox::new(&delivery::Config::default());
                let member = bench.rooms.join(&name, || seat(&outbox)).await.unwrap();
                member.update(&letter(client + 1, clock)).await.unwrap();
                drop(member);
                tokio::task::yield_now().await;
            }
        });
    }
    while let Some(visit) = visits.join_next().await {
        visit.unwrap();
    }
    crate::server::until("every room is closed", || async { bench.rooms.open_rooms() == 0 }).await;
    for client in 0..200_u64 {
        let reading = bench.rooms.read(&doc(&format!("busy-{}", client % 4))).await.unwrap();
        let state = ydock::sync::state_vector_of(reading.bytes.parts().map(AsRef::as_ref)).unwrap();
        assert_eq!(state.clock(ClientId::new(client + 1).unwrap()), 10, "client {client}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_tail_is_compacted_and_the_document_stays_the_same() {
    let bench = Bench::new(Config::default());
    let name = doc("long");
    let outbox = Outbox::new(&delivery::Config::default());
    let member = bench.rooms.join(&name, || seat(&outbox)).await.unwrap();
    for clock in 0..1200 {
        member.update(&letter(1, clock)).await.unwrap();
    }
    drop(member);
    tokio::time::sleep(Duration::from_mins(2)).await;
    let reading = bench.rooms.read(&name).await.unwrap();
    assert!(reading.bytes.tail.len() < 500, "{} updates lie after the snapshot", reading.bytes.tail.len());
    assert!(reading.bytes.len() < 2000, "{} bytes for 1200 letters", reading.bytes.len());
    let state = ydock::sync::state_vector_of(reading.bytes.parts().map(AsRef::as_ref)).unwrap();
    assert_eq!(state.clock(ClientId::new(1).unwrap()), 1200);
}
