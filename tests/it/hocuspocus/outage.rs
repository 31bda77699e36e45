//! A store that fails while providers write: none of them is told that anything is stored, and all of it is in the end.

use std::time::Duration;

use ydock::doc_rooms::Config;
use ydock::storage::Mishap;

use super::{Served, pass};
use crate::yjs::{letter, typed};

#[tokio::test(start_paused = true)]
async fn while_saving_fails_nothing_is_acknowledged_and_afterwards_each_update_once() {
    let served = Served::new();
    let (mut ada, mut bob) = (served.provider().await, served.provider().await);
    ada.enter("plan").await;
    bob.enter("plan").await;
    served.bench.store.fail_appends(true);
    for clock in 0..3 {
        ada.update("plan", &letter(1, clock)).await;
    }
    assert!(bob.has_received("plan", &letter(1, 2)).await, "the other provider sees them at once");
    for _ in 0..30 {
        pass(1).await;
        assert_eq!(ada.acknowledged("plan").await, 0, "nothing is stored");
    }
    // What brings nothing new is not on disk either.
    ada.update("plan", &letter(1, 1)).await;
    bob.update("plan", &letter(1, 0)).await;
    pass(10).await;
    assert_eq!((ada.acknowledged("plan").await, bob.acknowledged("plan").await), (0, 0));
    served.bench.store.fail_appends(false);
    pass(10).await;
    assert_eq!((ada.acknowledged("plan").await, bob.acknowledged("plan").await), (4, 1));
    assert_eq!(served.stored("plan").await, typed(1, 0, "aaa"));
    assert_eq!((ada.closed().await, bob.closed().await), (None, None));
}

#[tokio::test(start_paused = true)]
async fn what_the_last_provider_left_during_an_outage_is_saved_after_it_though_nobody_edits_again() {
    let served = Served::new();
    let names: Vec<_> = (0..20).map(|number| format!("plan {number}")).collect();
    let mut ada = served.provider().await;
    for name in &names {
        ada.enter(name).await;
    }
    served.bench.store.fail_appends(true);
    for name in &names {
        for clock in 0..5 {
            ada.update(name, &letter(1, clock)).await;
        }
        assert_eq!(ada.acknowledged(name).await, 0);
    }
    drop(ada);
    pass(300).await;
    assert_eq!(served.bench.rooms.open_rooms(), names.len(), "the documents wait in memory");
    let mut newcomer = served.provider().await;
    newcomer.enter(&names[3]).await;
    drop(newcomer);
    served.bench.store.fail_appends(false);
    pass(60).await;
    assert_eq!(served.bench.rooms.open_rooms(), 0);
    for name in &names {
        assert_eq!(served.stored(name).await, typed(1, 0, "aaaaa"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_store_that_fails_now_and_then_whatever_is_acknowledged_is_there() {
    for seed in 0..20 {
        let served = Served::with(Config { compact_updates: 7, compact_interval: Duration::ZERO, ..Config::default() });
        // From call 2 on: the first one loads the document.
        for call in 2..200 {
            match (call * 31 + seed * 17) % 7 {
                0 | 1 => served.bench.store.plan(call, Mishap::Fail),
                2 => served.bench.store.plan(call, Mishap::Tear),
                3 => served.bench.store.plan(call, Mishap::Delay(Duration::from_millis(700))),
                _ => {}
            }
        }
        let mut ada = served.provider().await;
        ada.enter("plan").await;
        let mut acknowledged = 0;
        for clock in 0..40 {
            ada.update("plan", &letter(1, clock)).await;
            acknowledged += ada.acknowledged("plan").await;
            let acknowledged = u32::try_from(acknowledged).unwrap();
            assert!(letters_in(&served).await >= acknowledged, "seed {seed}: of {acknowledged} some are not there");
        }
        drop(ada);
        pass(300).await;
        assert_eq!(served.bench.rooms.open_rooms(), 0, "seed {seed}");
        assert_eq!(served.stored("plan").await, typed(1, 0, &"a".repeat(40)), "seed {seed}");
    }
}

/// How many letters are stored.
async fn letters_in(served: &Served) -> u32 {
    let state = ydock::sync::state_vector_of([&served.stored("plan").await[..]]).unwrap();
    state.clock(ydock::ClientId::new(1).unwrap())
}
