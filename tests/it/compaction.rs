//! Compaction: when it runs, what it forgets, and that nobody notices.

use std::time::Duration;

use ydock::delivery::{self, Outbox};
use ydock::doc_rooms::{Config, History, Membership};
use ydock::lib0::write_var_uint;
use ydock::storage::Store;
use ydock::sync::{DocumentIndex, Integration, state_vector_of};
use ydock::{ClientId, DocName, Generation};

use crate::outage::{Bench, doc, seat};
use crate::yjs::{letter, typed};

/// The update that deletes what a client has typed from one clock to before another.
fn deleted(client: u64, clock: u64, end: u64) -> Vec<u8> {
    let mut out = vec![0, 1];
    for number in [client, 1, clock, end - clock] {
        write_var_uint(&mut out, number);
    }
    out
}

async fn join(bench: &Bench, name: &DocName) -> Membership {
    let outbox = Outbox::new(&delivery::Config::default());
    bench.rooms.join(name, || seat(&outbox)).await.unwrap()
}

/// How many updates the snapshot of a document stands for.
async fn snapshot_upto(bench: &Bench, name: &DocName) -> u64 {
    bench.store.load(name).await.unwrap().snapshot_upto
}

async fn until_idle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_document_with_many_updates_after_its_snapshot_is_compacted_while_it_is_open() {
    let bench = Bench::new(Config { compact_updates: 100, ..Config::default() });
    let name = doc("many");
    let member = join(&bench, &name).await;
    for clock in 0..99 {
        member.update(&letter(1, clock)).await.unwrap();
    }
    until_idle().await;
    assert_eq!(snapshot_upto(&bench, &name).await, 0);
    member.update(&letter(1, 99)).await.unwrap();
    until_idle().await;
    assert_eq!(snapshot_upto(&bench, &name).await, 100);
}

#[tokio::test(start_paused = true)]
async fn a_document_whose_updates_outgrow_half_of_its_snapshot_is_compacted_however_few_they_are() {
    let bench = Bench::new(Config { compact_interval: Duration::ZERO, ..Config::default() });
    let name = doc("large");
    let member = join(&bench, &name).await;
    let large = "0123456789".repeat(3_000);
    let mut upto = Vec::new();
    for update in 0..16 {
        member.update(&typed(1, update * 30_000, &large)).await.unwrap();
        until_idle().await;
        upto.push(snapshot_upto(&bench, &name).await);
    }
    // Begun by the update that makes the rest too large, and without it, since it is not durable yet: more than 64 KiB
    // to begin with, more than half of the snapshot later.
    assert_eq!(upto, [0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 8, 11, 11, 11, 11, 11]);
}

#[tokio::test(start_paused = true)]
async fn a_document_is_compacted_at_most_once_in_the_interval() {
    let bench = Bench::new(Config { compact_updates: 10, ..Config::default() });
    let name = doc("often");
    let member = join(&bench, &name).await;
    let mut upto = Vec::new();
    for clock in 0..600 {
        member.update(&letter(1, clock)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        upto.push(snapshot_upto(&bench, &name).await);
    }
    upto.dedup();
    // Two minutes: at once, then every 30 seconds.
    assert!((4..=6).contains(&upto.len()), "{upto:?}");
}

/// Whoever was away comes back at once, and had to share the processors with the compaction.
#[tokio::test(start_paused = true)]
async fn a_document_that_is_opened_with_a_long_tail_is_compacted_only_after_a_while() {
    let bench = Bench::new(Config { compact_updates: 10, ..Config::default() });
    let name = doc("back");
    let updates = (0..40).map(|clock| letter(1, clock).into()).collect();
    bench.store.append(&name, Generation::FIRST, updates).await.unwrap();
    let member = join(&bench, &name).await;
    member.update(&letter(2, 0)).await.unwrap();
    until_idle().await;
    assert_eq!(snapshot_upto(&bench, &name).await, 0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    member.update(&letter(2, 1)).await.unwrap();
    until_idle().await;
    assert_eq!(snapshot_upto(&bench, &name).await, 41);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_leaves_memory_is_compacted_if_there_is_something_to_gain() {
    let bench = Bench::new(Config::default());
    let (short, long) = (doc("short"), doc("long"));
    for (name, updates) in [(&short, 49), (&long, 50)] {
        let member = join(&bench, name).await;
        for clock in 0..updates {
            member.update(&letter(1, clock)).await.unwrap();
        }
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(bench.rooms.open_rooms(), 0);
    assert_eq!((snapshot_upto(&bench, &short).await, snapshot_upto(&bench, &long).await), (0, 50));
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_is_forgotten_unless_history_is_kept() {
    for (history, remembers) in [(History::Collect, false), (History::Keep, true)] {
        let bench = Bench::new(Config { history, compact_updates: 3, ..Config::default() });
        let name = doc("secret");
        let member = join(&bench, &name).await;
        member.update(&typed(1, 0, "a secret and more")).await.unwrap();
        member.update(&deleted(1, 2, 8)).await.unwrap();
        member.update(&letter(1, 17)).await.unwrap();
        until_idle().await;
        let stored = bench.store.load(&name).await.unwrap();
        assert_eq!(stored.snapshot_upto, 3);
        let snapshot = stored.bytes.snapshot.unwrap();
        assert_eq!(snapshot.windows(6).any(|bytes| bytes == b"secret"), remembers, "{history:?}");
        assert!(snapshot.windows(9).any(|bytes| bytes == b" and more"), "{history:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_was_away_finds_its_place_beside_what_was_forgotten() {
    let bench = Bench::new(Config { compact_updates: 3, compact_interval: Duration::ZERO, ..Config::default() });
    let name = doc("away");
    let member = join(&bench, &name).await;
    member.update(&typed(1, 0, "abcdef")).await.unwrap();
    member.update(&deleted(1, 1, 5)).await.unwrap();
    member.update(&typed(1, 6, "g")).await.unwrap();
    until_idle().await;
    assert_eq!(snapshot_upto(&bench, &name).await, 3);
    // Written beside the deleted "c" before its author had heard of that.
    let late = |client: u8| vec![1, 1, client, 0, 0xc4, 1, 2, 1, 3, 1, b'!', 0];
    member.update(&late(2)).await.unwrap();
    until_idle().await;
    drop(member);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(bench.rooms.open_rooms(), 0);
    // The same again, in the room that was opened from the collected snapshot.
    let member = join(&bench, &name).await;
    member.update(&late(3)).await.unwrap();
    until_idle().await;
    let reading = bench.rooms.read(&name).await.unwrap();
    let state = state_vector_of(reading.bytes.parts().map(AsRef::as_ref)).unwrap();
    assert!([2, 3].iter().all(|client| state.clock(ClientId::new(*client).unwrap()) == 1));
    let mut index = DocumentIndex::new();
    for part in reading.bytes.parts() {
        assert_eq!(index.integrate(part), Ok(Integration::Complete));
    }
}
