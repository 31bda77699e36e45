//! What the redb store promises beyond the common suite, on a real file: reopening, reclaiming, damage.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata};
use tempfile::TempDir;

use super::database::RedbStore;
use super::schema::{ANCESTORS, BIG, HEADERS, SNAPSHOTS, TAIL, TRASH};
use crate::ids::{DocName, Generation};
use crate::storage::conformance::{self, Fixture, config, doc, update};
use crate::storage::{Compaction, Config, Damage, Health, Store, StoreError, verify};

const FIRST: Generation = Generation::FIRST;

struct Directory(TempDir);

impl Default for Directory {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Directory {
    fn config(&self) -> Config {
        Config { data: self.0.path().join("data"), ..config() }
    }

    /// Changes the closed file behind the store's back.
    fn tamper(&self, change: impl FnOnce(&redb::WriteTransaction)) {
        let database = Database::open(self.config().data.join("documents.redb")).unwrap();
        let txn = database.begin_write().unwrap();
        change(&txn);
        txn.commit().unwrap();
    }

    /// The rows in the tables of content and in the trash.
    fn rows(&self) -> [u64; 5] {
        let database = Database::open(self.config().data.join("documents.redb")).unwrap();
        let txn = database.begin_read().unwrap();
        [
            txn.open_table(TAIL).unwrap().len().unwrap(),
            txn.open_table(BIG).unwrap().len().unwrap(),
            txn.open_table(SNAPSHOTS).unwrap().len().unwrap(),
            txn.open_table(ANCESTORS).unwrap().len().unwrap(),
            txn.open_table(TRASH).unwrap().len().unwrap(),
        ]
    }
}

impl Fixture for Directory {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(RedbStore::open(&self.config()).unwrap())
    }

    const IS_DURABLE: bool = true;
}

mod suite {
    use super::*;

    conformance::suite!(Directory);
}

fn compaction(previous_upto: u64, upto: u64, len: usize) -> Compaction {
    Compaction { generation: FIRST, previous_upto, upto, snapshot: Bytes::from(vec![b's'; len]) }
}

/// Waits until the writer has nothing more to remove.
async fn swept(directory: &Directory, mut store: Arc<dyn Store>) -> [u64; 5] {
    for _ in 0..100 {
        store.close().await.unwrap();
        drop(store);
        let rows = directory.rows();
        if rows[4] == 0 {
            return rows;
        }
        store = directory.open();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the trash is never emptied: {:?}", directory.rows());
}

#[tokio::test]
async fn a_second_store_on_the_directory_is_refused_until_the_first_is_closed() {
    let directory = Directory::default();
    let first = directory.open();
    let second = RedbStore::open(&directory.config());
    assert!(matches!(second, Err(StoreError::Locked { .. })), "{second:?}");
    first.close().await.unwrap();
    RedbStore::open(&directory.config()).unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_or_has_lost_its_head_is_refused_and_left_as_it_is() {
    let directory = Directory::default();
    let store = directory.open();
    store.append(&doc("a"), FIRST, vec![update("u")]).await.unwrap();
    drop(store);
    let path = directory.config().data.join("documents.redb");
    let sound = std::fs::read(&path).unwrap();
    let mut flipped = sound.clone();
    flipped[64..4096].fill(0xff);
    for damaged in [b"something else entirely".to_vec(), flipped] {
        std::fs::write(&path, &damaged).unwrap();
        let opened = RedbStore::open(&directory.config());
        assert!(matches!(opened, Err(StoreError::Failed(_) | StoreError::Damaged { .. })), "{opened:?}");
        assert!(std::fs::read(&path).unwrap() == damaged);
    }
    std::fs::write(&path, &sound).unwrap();
    assert_eq!(directory.open().load(&doc("a")).await.unwrap().head, 1);
}

#[tokio::test]
async fn dropping_a_store_keeps_what_waits_and_releases_the_files() {
    let directory = Directory::default();
    let store = directory.open();
    let names: Vec<DocName> = (0..50).map(|at| doc(&format!("{at}"))).collect();
    let mut appends: Vec<_> = names.iter().map(|name| store.append(name, FIRST, vec![update("u")])).collect();
    // Each is handed over by its first poll, and nobody waits for the answers.
    for append in &mut appends {
        assert!(futures_util::poll!(append).is_pending());
    }
    drop(appends);
    drop(store);
    assert_eq!(directory.open().list(None, 100).await.unwrap().len(), 50);
}

#[tokio::test]
async fn compactions_and_deletions_leave_no_rows_behind() {
    let directory = Directory::default();
    let store = directory.open();
    for _ in 0..20 {
        store.append(&doc("a"), FIRST, vec![update("u"); 100]).await.unwrap();
    }
    store.append(&doc("a"), FIRST, vec![Bytes::from(vec![1; 200_000])]).await.unwrap();
    store.compact(&doc("a"), compaction(0, 1000, 3_000_000)).await.unwrap();
    store.compact(&doc("a"), compaction(1000, 2000, 100_000)).await.unwrap();
    store.append(&doc("b"), FIRST, vec![Bytes::from(vec![1; 200_000])]).await.unwrap();
    store.compact(&doc("b"), compaction(0, 1, 100_000)).await.unwrap();
    store.delete(&doc("b"), FIRST, Bytes::from(vec![1; 100_000])).await.unwrap();
    store.delete(&doc("b"), Generation(2), update("ancestors")).await.unwrap();
    assert_eq!(swept(&directory, store).await, [1, 4, 2, 1, 0]);
    let stored = directory.open().load(&doc("a")).await.unwrap();
    assert_eq!((stored.head, stored.snapshot_upto, stored.bytes.tail.len()), (2001, 2000, 1));
}

#[tokio::test]
async fn many_small_compactions_share_commits() {
    let directory = Directory::default();
    let store = directory.open();
    let names: Vec<DocName> = (0..200).map(|at| doc(&format!("{at}"))).collect();
    for name in &names {
        store.append(name, FIRST, vec![update("u"); 3]).await.unwrap();
    }
    let before = store.counters().commits();
    let compactions = names.iter().map(|name| store.compact(name, compaction(0, 2, 1000)));
    for compacted in futures_util::future::join_all(compactions).await {
        compacted.unwrap();
    }
    let commits = store.counters().commits() - before;
    assert!(commits < 100, "{commits} commits for {} compactions", names.len());
    for name in &names {
        let stored = store.load(name).await.unwrap();
        assert_eq!((stored.snapshot_upto, stored.bytes.tail.len()), (2, 1));
    }
    assert_eq!(swept(&directory, store).await, [200, 0, 200, 0, 0]);
}

#[tokio::test]
async fn appends_go_on_while_a_large_compaction_is_staged() {
    let directory = Directory::default();
    let config = Config { max_snapshot: bytesize::ByteSize::mib(64), ..directory.config() };
    let store = RedbStore::open(&config).unwrap();
    store.append(&doc("a"), FIRST, vec![update("u")]).await.unwrap();
    let name = doc("a");
    let mut compacting = store.compact(&name, compaction(0, 1, 40 << 20));
    let mut appended = 0;
    loop {
        tokio::select! {
            biased;
            compacted = &mut compacting => break compacted.unwrap(),
            head = store.append(&name, FIRST, vec![update("v")]) => appended = head.unwrap() - 1,
        }
    }
    drop(compacting);
    assert!(appended >= 10, "only {appended} appends got through");
    let stored = store.load(&doc("a")).await.unwrap();
    // The append that nobody waited for in the end may have happened too.
    assert!((1 + appended..=2 + appended).contains(&stored.head), "{appended} {}", stored.head);
    assert_eq!(stored.bytes.tail.len() as u64, stored.head - 1);
}

#[tokio::test]
async fn a_damaged_record_is_reported_for_its_document_only_and_never_overwritten() {
    type Tamper = fn(&redb::WriteTransaction);
    let cases: [(&str, Tamper); 6] = [
        ("an update is missing", |txn| drop(txn.open_table(TAIL).unwrap().remove((1, 3)).unwrap())),
        ("the last update is missing", |txn| drop(txn.open_table(TAIL).unwrap().remove((1, 4)).unwrap())),
        ("an update has a flipped bit", |txn| {
            let mut table = txn.open_table(TAIL).unwrap();
            let mut record = table.get((1, 3)).unwrap().unwrap().value().to_vec();
            *record.last_mut().unwrap() ^= 1;
            table.insert((1, 3), record.as_slice()).unwrap();
        }),
        ("an update lies above the head", |txn| {
            drop(txn.open_table(TAIL).unwrap().insert((1, 5), &b"x"[..]).unwrap());
        }),
        ("a piece of the snapshot is missing", |txn| {
            drop(txn.open_table(SNAPSHOTS).unwrap().remove((1, 1, 1)).unwrap());
        }),
        ("the header has a flipped bit", |txn| {
            let mut table = txn.open_table(HEADERS).unwrap();
            let mut record = table.get(1).unwrap().unwrap().value().to_vec();
            record[8] ^= 4;
            table.insert(1, record.as_slice()).unwrap();
        }),
    ];
    for (case, tamper) in cases {
        let directory = Directory::default();
        let store = directory.open();
        store.append(&doc("bad"), FIRST, vec![update("u"); 4]).await.unwrap();
        store.compact(&doc("bad"), compaction(0, 2, 150_000)).await.unwrap();
        store.append(&doc("good"), FIRST, vec![update("u")]).await.unwrap();
        store.close().await.unwrap();
        directory.tamper(tamper);

        let store = directory.open();
        let loaded = store.load(&doc("bad")).await;
        assert!(
            matches!(&loaded, Err(StoreError::Corrupt { doc: name, .. }) if *name == doc("bad")),
            "{case}: {loaded:?}"
        );
        let appended = store.append(&doc("bad"), FIRST, vec![update("v")]).await;
        assert!(matches!(appended, Err(StoreError::Corrupt { .. })), "{case}: {appended:?}");
        let compacted = store.compact(&doc("bad"), compaction(2, 4, 10)).await;
        assert!(matches!(compacted, Err(StoreError::Corrupt { .. })), "{case}: {compacted:?}");
        assert_eq!(store.append(&doc("good"), FIRST, vec![update("v")]).await.unwrap(), 2, "{case}");
        assert_eq!(store.load(&doc("good")).await.unwrap().bytes.tail, ["u", "v"], "{case}");
        let report = verify(&*store, |_| {}).await.unwrap();
        let damaged: Vec<DocName> = report.damaged.into_iter().map(|damaged| damaged.name).collect();
        assert_eq!((report.documents, damaged), (2, vec![doc("bad")]), "{case}");
        assert_eq!(store.health(), Health::Ok, "{case}");
    }
}

#[tokio::test]
async fn an_append_onto_unread_damage_overwrites_nothing_and_spares_the_rest_of_its_batch() {
    let directory = Directory::default();
    let store = directory.open();
    store.append(&doc("bad"), FIRST, vec![update("u")]).await.unwrap();
    store.close().await.unwrap();
    directory.tamper(|txn| drop(txn.open_table(TAIL).unwrap().insert((1, 2), &b"precious"[..]).unwrap()));
    let store = directory.open();
    let append = |name: &'static str| {
        let store = Arc::clone(&store);
        async move { store.append(&doc(name), FIRST, vec![update("v")]).await }
    };
    let (before, bad, after) = tokio::join!(append("x"), append("bad"), append("y"));
    assert!(matches!(bad, Err(StoreError::Corrupt { what: Damage::BeyondHead { seq: 2 }, .. })), "{bad:?}");
    assert_eq!((before.unwrap(), after.unwrap()), (1, 1));
    store.close().await.unwrap();
    let database = Database::open(directory.config().data.join("documents.redb")).unwrap();
    let tail = database.begin_read().unwrap().open_table(TAIL).unwrap();
    assert_eq!(tail.get((1, 2)).unwrap().unwrap().value(), b"precious");
}
