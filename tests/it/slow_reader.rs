//! A member that does not read falls behind, costs no memory, and is brought up to date without skipping anything.

use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use ydock::ClientId;
use ydock::delivery::{Config as DeliveryConfig, Outbox};
use ydock::doc_rooms::Config;
use ydock::lib0::Reader;
use ydock::storage::Store;
use ydock::sync::{DocumentIndex, Integration};

use crate::outage::{Bench, doc, seat};
use crate::yjs::{payload, typed};

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_resynchronised_and_never_skips_an_update() {
    catches_up(Config { compact_updates: 1_000_000, ..Config::default() }, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_resynchronised_across_a_compaction() {
    catches_up(Config { compact_updates: 50, compact_interval: Duration::ZERO, ..Config::default() }, true).await;
}

async fn catches_up(config: Config, compacts: bool) {
    let bench = Bench::new(config);
    let name = doc("slow");
    let small = Outbox::new(&DeliveryConfig { max_waiting: ByteSize::b(2000) });
    let _slow = bench.rooms.join(&name, || seat(&small)).await.unwrap();
    let outbox = Outbox::new(&DeliveryConfig::default());
    let writer = bench.rooms.join(&name, || seat(&outbox)).await.unwrap();
    let (client, mut clock) = (ClientId::new(7).unwrap(), 0);
    let mut index = DocumentIndex::new();
    for round in 0..3 {
        for _ in 0..200 {
            writer.update(&typed(7, clock, "0123456789")).await.unwrap();
            clock += 10;
        }
        // Of paused time: what the room still does in the background.
        tokio::time::sleep(Duration::from_secs(1)).await;
        if compacts {
            assert!(bench.store.load(&name).await.unwrap().snapshot_upto > 0, "round {round}");
        }
        let mut heard = 0;
        while u64::from(index.state_vector().clock(client)) < clock {
            for update in next_updates(&small).await {
                heard += 1;
                let outcome = index.integrate(&update).unwrap();
                assert!(!matches!(outcome, Integration::Partial { .. }), "something before this one was skipped");
            }
        }
        assert!((1..100).contains(&heard), "{heard} frames: it never fell behind");
    }
}

async fn next_updates(outbox: &Arc<Outbox>) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    tokio::time::timeout(Duration::from_mins(1), outbox.next(&mut frames, usize::MAX)).await.unwrap();
    outbox.flushed();
    let frames = frames.iter().map(|frame| payload(frame));
    let documents = frames.filter(|frame| frame.starts_with(&[0, 1]) || frame.starts_with(&[0, 2]));
    documents.map(|frame| Reader::new(frame.get(2..).unwrap()).buffer().unwrap().to_vec()).collect()
}
