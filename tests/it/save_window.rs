//! What nobody waits for is saved at the end of a window; what somebody waits for, what is much, and what a room leaves behind
//! are saved at once.

use std::time::Duration;

use tokio::time::sleep;
use ydock::delivery::{Config as DeliveryConfig, Outbox};
use ydock::doc_rooms::{Config, Membership, Seat};
use ydock::storage::Store;

use crate::outage::{Bench, doc, seat};
use crate::yjs::{letter, typed};

const WINDOW: Duration = Duration::from_hours(1);

fn bench() -> Bench {
    Bench::new(Config { save_window: WINDOW, ..Config::default() })
}

async fn join(bench: &Bench, wants_acks: bool) -> Membership {
    let outbox = Outbox::new(&DeliveryConfig::default());
    bench.rooms.join(&doc("doc"), || Seat { wants_acks, ..seat(&outbox) }).await.unwrap()
}

/// How many updates are durable, a moment later.
async fn saved(bench: &Bench) -> u64 {
    sleep(Duration::from_secs(1)).await;
    bench.store.load(&doc("doc")).await.unwrap().head
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_is_saved_at_the_end_of_the_window() {
    let bench = bench();
    let member = join(&bench, false).await;
    for clock in 0..3 {
        member.update(&letter(1, clock)).await.unwrap();
    }
    assert_eq!(saved(&bench).await, 0);
    sleep(WINDOW).await;
    assert_eq!(saved(&bench).await, 3);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_waits_for_is_saved_at_once_and_everything_before_it_too() {
    let bench = bench();
    let (patient, waiting) = (join(&bench, false).await, join(&bench, true).await);
    patient.update(&letter(1, 0)).await.unwrap();
    assert_eq!(saved(&bench).await, 0);
    waiting.update(&letter(2, 0)).await.unwrap();
    assert_eq!(saved(&bench).await, 2);
    bench.rooms.submit(&doc("doc"), letter(3, 0).into()).await.unwrap();
    assert_eq!(saved(&bench).await, 3);
}

#[tokio::test(start_paused = true)]
async fn much_does_not_wait() {
    let bench = bench();
    let member = join(&bench, false).await;
    member.update(&typed(1, 0, &"x".repeat(100_000))).await.unwrap();
    assert_eq!(saved(&bench).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_last_member_leaves_behind_does_not_wait() {
    let bench = bench();
    let member = join(&bench, false).await;
    member.update(&letter(1, 0)).await.unwrap();
    assert_eq!(saved(&bench).await, 0);
    drop(member);
    assert_eq!(saved(&bench).await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_does_not_wait() {
    let bench = bench();
    let member = join(&bench, false).await;
    member.update(&letter(1, 0)).await.unwrap();
    assert_eq!(saved(&bench).await, 0);
    bench.tasks.stop();
    assert_eq!(saved(&bench).await, 1);
    drop(member);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_the_store_does_not_wait_for_the_window_of_new_documents() {
    let bench = bench();
    let member = join(&bench, false).await;
    member.update(&letter(1, 0)).await.unwrap();
    bench.rooms.settle_new(Duration::from_secs(10)).await;
    assert_eq!(bench.store.load(&doc("doc")).await.unwrap().head, 1);
    // Now that the store knows it, its list is as complete.
    member.update(&letter(1, 1)).await.unwrap();
    bench.rooms.settle_new(Duration::from_secs(10)).await;
    assert_eq!(saved(&bench).await, 1);
    bench.rooms.settle_one(&doc("doc"), Duration::from_secs(10)).await;
    assert_eq!(bench.store.load(&doc("doc")).await.unwrap().head, 2);
}
