//! What the redb store promises on a disk that fails, fills up or loses its power, at every stage of a workload.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::Bytes;
use redb::{ReadableDatabase, ReadableTableMetadata};

use super::database::RedbStore;
use super::disk::Disk;
use super::schema::{SNAPSHOTS, TRASH};
use crate::ids::Generation;
use crate::storage::conformance::{config, doc, update};
use crate::storage::{Compaction, Health, Store, StoreError, verify};

const FIRST: Generation = Generation::FIRST;

fn compaction(previous_upto: u64, upto: u64, len: usize) -> Compaction {
    Compaction { generation: FIRST, previous_upto, upto, snapshot: Bytes::from(vec![b's'; len]) }
}

/// Appends to two documents and compacts one; says what was acknowledged.
///
/// Retryable errors are retried after `on_error`, until it says to stop.
async fn work(store: &dyn Store, mut on_error: impl FnMut() -> bool) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    let mut upto = 0;
    for round in 0..6u64 {
        for name in ["a", "b"] {
            let content = if round == 2 { "long ".repeat(20_000) } else { format!("{name} {round}") };
            let content = update(&content);
            let head = loop {
                match store.append(&doc(name), FIRST, vec![content.clone()]).await {
                    Ok(head) => break head,
                    Err(error) => assert!(error.is_retryable(), "{error:?}"),
                }
                if !on_error() {
                    return acknowledged;
                }
            };
            acknowledged.push(Acknowledged { name, seq: head, content });
        }
        if round % 2 == 1 {
            let head = acknowledged.last().unwrap().seq;
            // A compaction that failed may have happened: the next one is then made from another state.
            match store.compact(&doc("b"), compaction(upto, head, 2_500_000)).await {
                Ok(()) => upto = head,
                Err(StoreError::Conflict { snapshot_upto, .. }) => upto = snapshot_upto,
                Err(error) => {
                    assert!(error.is_retryable(), "{error:?}");
                    if !on_error() {
                        return acknowledged;
                    }
                }
            }
        }
    }
    acknowledged
}

#[derive(Debug)]
struct Acknowledged {
    name: &'static str,
    seq: u64,
    content: Bytes,
}

async fn assert_all_there(store: &dyn Store, acknowledged: &[Acknowledged], case: &str) {
    for Acknowledged { name, seq, content } in acknowledged {
        let stored = store.load(&doc(name)).await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
        assert!(*seq <= stored.head, "{case}: {name} {seq} is lost");
        if *seq > stored.snapshot_upto {
            let at = usize::try_from(seq - stored.snapshot_upto - 1).unwrap();
            assert_eq!(stored.bytes.tail[at], content, "{case}: {name} {seq}");
        } else {
            assert_eq!(stored.bytes.snapshot.map(|bytes| bytes.len()), Some(2_500_000), "{case}");
        }
    }
    assert_eq!(verify(store, |_| {}).await.unwrap().damaged.len(), 0, "{case}");
}

#[tokio::test]
async fn a_disk_that_fails_at_any_moment_and_recovers_loses_nothing_acknowledged() {
    let length = {
        let disk = Disk::default();
        let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
        let before = disk.operations();
        work(&store, || false).await;
        disk.operations() - before
    };
    for (kind, step, count) in [(ErrorKind::Other, 7, 1), (ErrorKind::StorageFull, 11, 3)] {
        for after in (0..length).step_by(step) {
            let disk = Disk::default();
            let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
            disk.fail(after, count, kind);
            let mut errors = 0;
            let acknowledged = work(&store, || {
                errors += 1;
                errors < 20
            })
            .await;
            let case = format!("{kind} after {after}");
            assert!(acknowledged.len() == 12, "{case}: still failing after {errors} errors");
            disk.repair();
            store.append(&doc("c"), FIRST, vec![update("works again")]).await.unwrap();
            assert_eq!(store.health(), Health::Ok, "{case}");
            assert_all_there(&store, &acknowledged, &case).await;
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_reported_as_such_until_there_is_room() {
    for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge] {
        let disk = Disk::default();
        let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
        store.append(&doc("a"), FIRST, vec![update("before")]).await.unwrap();
        disk.fail(0, u64::MAX, kind);
        let refused = store.append(&doc("a"), FIRST, vec![update("during")]).await;
        assert!(matches!(refused, Err(StoreError::NoSpace(_))), "{kind}: {refused:?}");
        let Health::Degraded { reason } = store.health() else { panic!("{:?}", store.health()) };
        assert!(reason.contains("no space"), "{reason}");
        assert!(store.append(&doc("a"), FIRST, vec![update("during")]).await.unwrap_err().is_retryable());
        assert!(store.counters().failures() >= 2);
        disk.repair();
        let head = store.append(&doc("a"), FIRST, vec![update("after")]).await.unwrap();
        assert_eq!(store.health(), Health::Ok);
        let tail = store.load(&doc("a")).await.unwrap().bytes.tail;
        assert_eq!((&tail[0], tail.len() as u64), (&update("before"), head));
        assert_eq!(tail.last().unwrap(), "after");
    }
}

#[tokio::test]
async fn an_idle_store_finds_out_by_itself_that_the_disk_works_again() {
    let disk = Disk::default();
    let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
    disk.fail(0, u64::MAX, ErrorKind::Other);
    assert!(store.append(&doc("a"), FIRST, vec![update("u")]).await.is_err());
    assert!(matches!(store.health(), Health::Degraded { .. }));
    disk.repair();
    while store.health() != Health::Ok {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(store.load(&doc("b")).await.unwrap().head, 0);
}

#[tokio::test]
async fn who_reads_after_a_failed_write_finds_the_store_open() {
    let disk = Disk::default();
    let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
    store.append(&doc("a"), FIRST, vec![update("before")]).await.unwrap();
    for _ in 0..20 {
        disk.fail(0, 1, ErrorKind::StorageFull);
        let refused = store.append(&doc("a"), FIRST, vec![update("during")]).await.unwrap_err();
        assert!(refused.is_retryable(), "{refused:?}");
        assert_eq!(store.load(&doc("a")).await.unwrap().head, 1);
    }
}

/// Found by the power cuts: a compaction that reached the writer while it rested after a failure was never answered.
#[tokio::test]
async fn whatever_is_asked_of_a_broken_disk_is_answered() {
    for _ in 0..20 {
        let disk = Disk::default();
        let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
        store.append(&doc("a"), FIRST, vec![update("u"); 5000]).await.unwrap();
        disk.fail(0, u64::MAX, ErrorKind::Other);
        let name = doc("a");
        // Long enough in its reading part for the append to break the engine meanwhile.
        let compact = store.compact(&name, compaction(0, 5000, 1000));
        let append = async {
            tokio::time::sleep(Duration::from_micros(200)).await;
            store.append(&name, FIRST, vec![update("v")]).await
        };
        let both = tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(compact, append) });
        let (compacted, appended) = both.await.unwrap();
        assert!(compacted.unwrap_err().is_retryable());
        assert!(appended.unwrap_err().is_retryable());
        assert!(store.delete(&name, FIRST, Bytes::new()).await.unwrap_err().is_retryable());
    }
}

#[tokio::test]
async fn a_read_that_the_disk_refuses_may_be_retried_and_works_again_without_a_write() {
    let disk = Disk::default();
    let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
    store.append(&doc("a"), FIRST, vec![Bytes::from(vec![1; 1 << 20]); 3]).await.unwrap();
    disk.fail_reads();
    let refused = store.load(&doc("a")).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused:?}");
    disk.repair();
    let mut tries = 0;
    let stored = loop {
        match store.load(&doc("a")).await {
            Ok(stored) => break stored,
            Err(error) => assert!(error.is_retryable() && tries < 100, "{error:?}"),
        }
        tries += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(stored.head, 3);
}

#[tokio::test]
async fn a_compaction_cut_short_leaves_nothing_that_is_not_reclaimed() {
    const CHUNKS: u64 = 54;
    let start = || async {
        let disk = Disk::default();
        let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
        store.append(&doc("a"), FIRST, vec![update("u")]).await.unwrap();
        (disk, store)
    };
    let length = {
        let (disk, store) = start().await;
        let before = disk.operations();
        store.compact(&doc("a"), compaction(0, 1, 3_500_000)).await.unwrap();
        disk.operations() - before
    };
    for after in (0..length).step_by(4) {
        let (disk, store) = start().await;
        disk.fail(after, u64::MAX, ErrorKind::Other);
        // Only the last of these reach the end, because the sweep adds operations of its own.
        let outcome = store.compact(&doc("a"), compaction(0, 1, 3_500_000)).await;
        assert!(outcome.is_err() || after > length / 2, "{after} of {length}");
        let disk = disk.cut(|| true);
        let mut rows = [1, 1];
        let mut expected = 0;
        while rows[1] > 0 {
            let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
            expected = store.load(&doc("a")).await.unwrap().snapshot_upto * CHUNKS;
            store.close().await.unwrap();
            let database = disk.opener()().unwrap();
            let txn = database.begin_read().unwrap();
            rows = [txn.open_table(SNAPSHOTS).unwrap().len().unwrap(), txn.open_table(TRASH).unwrap().len().unwrap()];
        }
        assert_eq!(rows[0], expected, "cut after {after} of {length}");
    }
}

#[tokio::test]
async fn a_disk_that_hangs_is_reported_and_keeps_nobody_who_wants_to_leave() {
    let disk = Disk::default();
    let store = RedbStore::with_patient_opener(&config(), disk.opener(), Duration::from_millis(50)).unwrap();
    store.append(&doc("a"), FIRST, vec![update("before")]).await.unwrap();
    disk.hang();
    let (name, updates) = (doc("a"), vec![update("meanwhile")]);
    let mut append = store.append(&name, FIRST, updates);
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut append).await.is_err(), "it waits for the disk");
    assert!(matches!(store.health(), Health::Degraded { reason } if reason.contains("has not answered")));
    assert_eq!(store.load(&doc("a")).await.unwrap().head, 1, "reads go on");
    assert!(matches!(store.close().await, Err(error) if error.is_retryable()));
    disk.repair();
    assert_eq!(append.await.unwrap(), 2, "it was neither lost nor refused");
    drop(store);

    let store = RedbStore::with_patient_opener(&config(), disk.opener(), Duration::from_millis(50)).unwrap();
    assert_eq!(store.load(&doc("a")).await.unwrap().head, 2);
    disk.hang();
    let mut append = store.append(&name, FIRST, vec![update("never")]);
    assert!(tokio::time::timeout(Duration::from_millis(10), &mut append).await.is_err());
    drop(append);
    drop(store);
    disk.repair();
}

#[tokio::test]
async fn a_power_cut_at_any_moment_loses_nothing_acknowledged() {
    let length = {
        let disk = Disk::default();
        let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
        let before = disk.operations();
        work(&store, || false).await;
        disk.operations() - before
    };
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for after in (0..length).step_by(5) {
        let disk = Disk::default();
        let store = RedbStore::with_opener(&config(), disk.opener()).unwrap();
        disk.fail(after, u64::MAX, ErrorKind::Other);
        let acknowledged = work(&store, || false).await;
        for survivors in [0, 1, 2] {
            let cut = disk.cut(|| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                survivors == 2 || survivors == 1 && seed.is_multiple_of(2)
            });
            let case = format!("cut after {after}, survivors {survivors}");
            let store = RedbStore::with_opener(&config(), cut.opener());
            let store = store.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            assert_all_there(&store, &acknowledged, &case).await;
        }
    }
}
