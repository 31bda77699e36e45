//! What the sled store promises beyond the common suite, in a real directory.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;

use super::database::{SledStore, open_once_let_go};
use crate::ids::{DocName, Generation};
use crate::storage::conformance::{self, Fixture, config, doc, update};
use crate::storage::{Compaction, Config, Store, StoreError, StoreKind, open, verify};

const FIRST: Generation = Generation::FIRST;

struct Directory(TempDir);

impl Default for Directory {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Directory {
    fn config(&self) -> Config {
        Config { kind: StoreKind::Sled, data: self.0.path().join("data"), ..config() }
    }

    fn path(&self) -> PathBuf {
        self.config().data.join("documents.sled")
    }

    /// The tree of a store that was closed, as soon as sled has let go of it.
    fn reopen(&self) -> sled::Db {
        open_once_let_go(&sled::Config::new().path(self.path())).unwrap()
    }

    /// Changes the closed tree behind the store's back.
    fn tamper(&self, change: impl FnOnce(&sled::Db)) {
        let database = self.reopen();
        change(&database);
        database.flush().unwrap();
    }

    fn rows(&self) -> usize {
        self.reopen().iter().keys().filter(|key| is_content(key.as_ref().unwrap())).count()
    }
}

fn is_content(key: &[u8]) -> bool {
    b"TBSAX".contains(&key[0])
}

impl Fixture for Directory {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(SledStore::open(&self.config()).unwrap())
    }

    const IS_DURABLE: bool = true;
}

mod suite {
    use super::*;

    conformance::suite!(Directory);
}

#[tokio::test]
async fn nothing_is_kept_in_files_that_sled_does_not_sync() {
    let directory = Directory::default();
    let store = directory.open();
    let large = Bytes::from((0..=u8::MAX).cycle().take(1 << 20).collect::<Vec<_>>());
    for round in 0..4 {
        store.append(&doc("a"), FIRST, vec![large.clone()]).await.unwrap();
        let compaction =
            Compaction { generation: FIRST, previous_upto: round, upto: round + 1, snapshot: large.repeat(3).into() };
        store.compact(&doc("a"), compaction).await.unwrap();
    }
    store.close().await.unwrap();
    assert_eq!(fs::read_dir(directory.path().join("blobs")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_directory_serves_one_store_and_one_engine() {
    let directory = Directory::default();
    let store = directory.open();
    assert!(matches!(SledStore::open(&directory.config()), Err(StoreError::Locked { .. })));
    store.close().await.unwrap();
    let other = open(&Config { kind: StoreKind::Redb, ..directory.config() });
    let Err(StoreError::Foreign { what, .. }) = other else { panic!("{other:?}") };
    assert!(what.contains("\"sled\""), "{what}");
    directory.open();
}

#[tokio::test]
async fn compactions_and_deletions_leave_no_rows_behind() {
    let directory = Directory::default();
    let mut store = directory.open();
    for at in 0..20 {
        let name = doc(&format!("{at}"));
        store.append(&name, FIRST, vec![update("u"); 100]).await.unwrap();
        let snapshot = Bytes::from(vec![1; 100_000]);
        store.compact(&name, Compaction { generation: FIRST, previous_upto: 0, upto: 100, snapshot }).await.unwrap();
        store.delete(&name, FIRST, Bytes::new()).await.unwrap();
    }
    loop {
        store.close().await.unwrap();
        drop(store);
        if directory.rows() == 0 {
            break;
        }
        store = directory.open();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_was_altered_is_refused_and_the_rest_serves() {
    let directory = Directory::default();
    let store = directory.open();
    for name in ["a", "b", "c"] {
        store.append(&doc(name), FIRST, vec![update(name), update("more")]).await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    directory.tamper(|tree| {
        let (key, mut record) =
            tree.scan_prefix(b"T").next().unwrap().map(|(key, record)| (key, record.to_vec())).unwrap();
        *record.last_mut().unwrap() ^= 1;
        tree.insert(key, record).unwrap();
    });
    let store = directory.open();
    assert!(matches!(store.load(&doc("a")).await, Err(StoreError::Corrupt { .. })));
    assert!(matches!(store.append(&doc("a"), FIRST, vec![update("x")]).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(store.load(&doc("b")).await.unwrap().head, 2);
    let damaged = verify(&*store, |_| {}).await.unwrap().damaged;
    assert_eq!(damaged.iter().map(|found| found.name.clone()).collect::<Vec<DocName>>(), [doc("a")]);
}

#[tokio::test]
async fn a_name_or_a_format_that_is_lost_is_not_taken_for_a_new_document() {
    let changes: [fn(&sled::Db); 3] = [
        |tree| drop(tree.remove(b"Na").unwrap()),
        |tree| drop(tree.insert(b"Nx", &*tree.remove(b"Na").unwrap().unwrap()).unwrap()),
        |tree| drop(tree.remove(b"Mformat").unwrap()),
    ];
    for change in changes {
        let directory = Directory::default();
        let store = directory.open();
        store.append(&doc("a"), FIRST, vec![update("u")]).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        directory.tamper(change);
        let opened = SledStore::open(&directory.config());
        assert!(matches!(opened, Err(StoreError::Failed(_))), "{opened:?}");
    }
}
