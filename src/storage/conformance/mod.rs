//! What every backend must do, as one suite that each of them runs.
//!
//! A backend names a [`Fixture`] and calls [`suite!`](suite) in its tests; every function below is then a test of it.

mod model;
mod together;
mod whole;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use bytesize::ByteSize;

use self::whole::restoration;
use super::{Compaction, Config, Health, Store, StoreError, StoredDocument, verify};
use crate::ids::{DocName, Generation};
use crate::sync::DocumentBytes;

/// A place in which a backend can be opened, empty at first.
pub(in crate::storage) trait Fixture: Default {
    /// Opens a store with [`config`]'s bounds. The suite drops or closes one before it opens the next.
    fn open(&self) -> Arc<dyn Store>;

    /// Whether the next store opened has what the last one had.
    const IS_DURABLE: bool;
}

/// Bounds small enough to be reached in a test.
pub(in crate::storage) fn config() -> Config {
    Config {
        max_update: ByteSize::mib(1),
        max_snapshot: ByteSize::mib(4),
        queue: ByteSize::mib(2),
        ..Config::default()
    }
}

/// Makes each promise a test of one backend.
macro_rules! suite {
    ($fixture:ty) => {
        $crate::storage::conformance::suite!($fixture:
            a_name_never_stored_is_empty,
            updates_come_back_in_order_and_unchanged,
            an_append_of_nothing_tells_the_head_and_stores_nothing,
            a_write_of_another_generation_changes_nothing,
            a_compaction_replaces_exactly_what_it_covers,
            a_compaction_made_from_another_state_is_refused,
            of_two_compactions_of_one_state_one_wins,
            a_deletion_during_a_compaction_is_the_last_word,
            a_deletion_leaves_its_generation_and_ancestors,
            large_values_come_back_whole,
            what_is_too_large_is_refused,
            documents_are_listed_by_name_in_pages,
            a_stat_knows_sizes_and_times,
            names_tell_what_is_behind_them,
            what_another_store_gave_is_restored_as_it_was,
            a_restoration_takes_no_place_and_no_nonsense,
            remains_of_a_sound_document_are_all_of_it,
            shrinking_keeps_everything,
            concurrent_appenders_keep_their_order_and_leave_no_gap,
            everything_is_counted,
            a_closed_store_refuses_everything,
            appends_together_are_answered_each_on_its_own,
            appends_together_may_be_more_than_every_bound,
            a_closed_store_takes_no_appends_together,
        );
        #[test]
        fn random_operations_agree_with_a_model() {
            $crate::storage::conformance::random_operations_agree_with_a_model::<$fixture>();
        }
    };
    ($fixture:ty: $($promise:ident,)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let fixture = <$fixture>::default();
            $crate::storage::conformance::$promise(fixture.open()).await;
        })*
    };
}
pub(in crate::storage) use model::random_operations_agree_with_a_model;
pub(in crate::storage) use suite;
pub(in crate::storage) use together::*;
pub(in crate::storage) use whole::*;

pub(in crate::storage) fn doc(name: &str) -> DocName {
    DocName::parse(name).unwrap()
}

pub(in crate::storage) fn update(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

const FIRST: Generation = Generation::FIRST;

pub(in crate::storage) async fn a_name_never_stored_is_empty(store: Arc<dyn Store>) {
    assert_eq!(store.load(&doc("a")).await.unwrap(), StoredDocument::default());
    assert_eq!(store.stat(&doc("a")).await.unwrap(), None);
    assert_eq!(store.list(None, 10).await.unwrap(), []);
    assert_eq!(store.health(), Health::Ok);
}

pub(in crate::storage) async fn updates_come_back_in_order_and_unchanged(store: Arc<dyn Store>) {
    let updates: Vec<Bytes> = (0..200).map(|at| update(&format!("update {at}"))).collect();
    assert_eq!(store.append(&doc("a"), FIRST, updates[..150].to_vec()).await.unwrap(), 150);
    assert_eq!(store.append(&doc("a"), FIRST, updates[150..151].to_vec()).await.unwrap(), 151);
    assert_eq!(store.append(&doc("b"), FIRST, vec![Bytes::new()]).await.unwrap(), 1);
    assert_eq!(store.append(&doc("a"), FIRST, updates[151..].to_vec()).await.unwrap(), 200);
    let stored = store.load(&doc("a")).await.unwrap();
    assert_eq!((stored.head, stored.snapshot_upto, stored.generation), (200, 0, FIRST));
    assert_eq!(stored.bytes, DocumentBytes { snapshot: None, tail: updates });
    assert_eq!(store.load(&doc("b")).await.unwrap().bytes.tail, [Bytes::new()]);
}

pub(in crate::storage) async fn an_append_of_nothing_tells_the_head_and_stores_nothing(store: Arc<dyn Store>) {
    assert_eq!(store.append(&doc("a"), FIRST, vec![]).await.unwrap(), 0);
    assert_eq!(store.stat(&doc("a")).await.unwrap(), None);
    store.append(&doc("a"), FIRST, vec![update("u")]).await.unwrap();
    assert_eq!(store.append(&doc("a"), FIRST, vec![]).await.unwrap(), 1);
    assert!(matches!(store.append(&doc("a"), Generation(2), vec![]).await, Err(StoreError::Conflict { .. })));
}

pub(in crate::storage) async fn a_write_of_another_generation_changes_nothing(store: Arc<dyn Store>) {
    store.append(&doc("a"), FIRST, vec![update("u")]).await.unwrap();
    let before = store.load(&doc("a")).await.unwrap();
    let compaction =
        Compaction { generation: Generation(2), previous_upto: 0, upto: 1, snapshot: Bytes::from_static(b"s") };
    for refused in [
        store.append(&doc("a"), Generation(2), vec![update("v")]).await.map(drop),
        store.compact(&doc("a"), compaction.clone()).await,
        store.delete(&doc("a"), Generation(2), Bytes::new()).await.map(drop),
    ] {
        let Err(StoreError::Conflict { doc: name, generation, head, snapshot_upto }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((name, generation, head, snapshot_upto), (doc("a"), FIRST, 1, 0));
    }
    assert_eq!(store.load(&doc("a")).await.unwrap(), before);
    for refused in [
        store.append(&doc("new"), Generation(2), vec![update("v")]).await.map(drop),
        store.compact(&doc("new"), compaction).await,
        store.delete(&doc("new"), Generation(2), Bytes::new()).await.map(drop),
    ] {
        assert!(matches!(refused, Err(StoreError::Conflict { generation: FIRST, head: 0, .. })), "{refused:?}");
    }
    assert_eq!(store.load(&doc("new")).await.unwrap(), StoredDocument::default());
}

pub(in crate::storage) async fn a_compaction_replaces_exactly_what_it_covers(store: Arc<dyn Store>) {
    let updates: Vec<Bytes> = (1..=10).map(|seq| update(&format!("{seq}"))).collect();
    store.append(&doc("a"), FIRST, updates.clone()).await.unwrap();
    for (previous_upto, upto) in [(0, 4), (4, 4), (4, 9), (9, 10)] {
        let snapshot = update(&format!("up to {upto}"));
        let compaction = Compaction { generation: FIRST, previous_upto, upto, snapshot: snapshot.clone() };
        store.compact(&doc("a"), compaction).await.unwrap();
        let stored = store.load(&doc("a")).await.unwrap();
        assert_eq!((stored.head, stored.snapshot_upto), (10, upto));
        assert_eq!(stored.bytes.snapshot, Some(snapshot));
        assert_eq!(stored.bytes.tail, updates[usize::try_from(upto).unwrap()..]);
        let info = store.stat(&doc("a")).await.unwrap().unwrap();
        assert_eq!((info.head, info.snapshot_upto, info.bytes), (10, upto, stored.bytes.len() as u64));
    }
    assert_eq!(store.append(&doc("a"), FIRST, vec![update("11")]).await.unwrap(), 11);
    assert_eq!(store.load(&doc("a")).await.unwrap().bytes.tail, ["11"]);
}

pub(in crate::storage) async fn a_compaction_made_from_another_state_is_refused(store: Arc<dyn Store>) {
    store.append(&doc("a"), FIRST, (0..6).map(|at| update(&format!("{at}"))).collect()).await.unwrap();
    let compact = |previous_upto, upto| {
        let compaction =
            Compaction { generation: FIRST, previous_upto, upto, snapshot: Bytes::from_static(b"snapshot") };
        let store = Arc::clone(&store);
        async move { store.compact(&doc("a"), compaction).await }
    };
    compact(0, 3).await.unwrap();
    let before = store.load(&doc("a")).await.unwrap();
    for (previous_upto, upto) in [(0, 4), (2, 4), (3, 2), (3, 7), (3, 0), (4, 5), (u64::MAX, 5), (3, u64::MAX)] {
        let refused = compact(previous_upto, upto).await;
        assert!(matches!(refused, Err(StoreError::Conflict { head: 6, snapshot_upto: 3, .. })), "{refused:?}");
    }
    assert_eq!(store.load(&doc("a")).await.unwrap(), before);
}

pub(in crate::storage) async fn of_two_compactions_of_one_state_one_wins(store: Arc<dyn Store>) {
    for round in 0..8u64 {
        store.append(&doc("a"), FIRST, vec![update("u"), update("v")]).await.unwrap();
        let name = doc("a");
        let compact = |byte: u8| {
            let snapshot = Bytes::from(vec![byte; 3 << 20]);
            let upto = 2 * round + 1 + u64::from(byte == 2);
            store.compact(&name, Compaction { generation: FIRST, previous_upto: 2 * round, upto, snapshot })
        };
        let (first, second) = tokio::join!(compact(1), compact(2));
        let (byte, upto) = match (&first, &second) {
            (Ok(()), Err(StoreError::Conflict { .. })) => (1, 2 * round + 1),
            (Err(StoreError::Conflict { .. }), Ok(())) => (2, 2 * round + 2),
            both => panic!("{both:?}"),
        };
        let stored = store.load(&name).await.unwrap();
        assert_eq!((stored.snapshot_upto, stored.bytes.tail.len() as u64), (upto, stored.head - upto));
        assert!(stored.bytes.snapshot.unwrap().iter().all(|found| *found == byte));
        if upto < stored.head {
            let compaction =
                Compaction { generation: FIRST, previous_upto: upto, upto: upto + 1, snapshot: update("all") };
            store.compact(&name, compaction).await.unwrap();
        }
    }
}

pub(in crate::storage) async fn a_deletion_during_a_compaction_is_the_last_word(store: Arc<dyn Store>) {
    for round in 0..8 {
        let name = doc(&format!("{round}"));
        store.append(&name, FIRST, vec![update("u")]).await.unwrap();
        let snapshot = Bytes::from(vec![1; 3 << 20]);
        let compaction = Compaction { generation: FIRST, previous_upto: 0, upto: 1, snapshot };
        let delete_and_append = async {
            tokio::time::sleep(Duration::from_millis(round)).await;
            store.delete(&name, FIRST, Bytes::new()).await.unwrap();
            store.append(&name, Generation(2), vec![update("new")]).await.unwrap();
        };
        let (compacted, ()) = tokio::join!(store.compact(&name, compaction), delete_and_append);
        assert!(matches!(compacted, Ok(()) | Err(StoreError::Conflict { .. })), "{compacted:?}");
        let stored = store.load(&name).await.unwrap();
        assert_eq!(
            (stored.generation, stored.bytes.snapshot, stored.bytes.tail),
            (Generation(2), None, vec![update("new")])
        );
    }
}

pub(in crate::storage) async fn a_deletion_leaves_its_generation_and_ancestors(store: Arc<dyn Store>) {
    store.append(&doc("a"), FIRST, vec![update("u")]).await.unwrap();
    store.append(&doc("b"), FIRST, vec![update("u")]).await.unwrap();
    assert_eq!(store.delete(&doc("a"), FIRST, update("first")).await.unwrap(), Generation(2));
    let gone = StoredDocument { generation: Generation(2), ancestors: update("first"), ..StoredDocument::default() };
    assert_eq!(store.load(&doc("a")).await.unwrap(), gone);
    assert_eq!(store.stat(&doc("a")).await.unwrap(), None);
    assert_eq!(store.list(None, 10).await.unwrap().len(), 1);
    assert!(matches!(store.delete(&doc("a"), FIRST, Bytes::new()).await, Err(StoreError::Conflict { .. })));

    assert_eq!(store.append(&doc("a"), Generation(2), vec![update("v")]).await.unwrap(), 1);
    let again = store.load(&doc("a")).await.unwrap();
    assert_eq!((again.head, again.ancestors, again.bytes.tail), (1, update("first"), vec![update("v")]));
    assert_eq!(store.stat(&doc("a")).await.unwrap().unwrap().generation, Generation(2));

    assert_eq!(store.delete(&doc("a"), Generation(2), update("both")).await.unwrap(), Generation(3));
    assert_eq!(store.load(&doc("a")).await.unwrap().ancestors, "both");
    assert_eq!(store.delete(&doc("a"), Generation(3), Bytes::new()).await.unwrap(), Generation(4));
    assert_eq!(store.load(&doc("a")).await.unwrap().ancestors, "");
    assert_eq!(store.delete(&doc("never"), FIRST, update("seen")).await.unwrap(), Generation(2));
    let report = verify(&*store, |_| {}).await.unwrap();
    assert_eq!((report.documents, report.tombstones, report.damaged.len()), (1, 2, 0));
}

pub(in crate::storage) async fn large_values_come_back_whole(store: Arc<dyn Store>) {
    let noise = |len: usize| (0u8..251).cycle().take(len).collect::<Bytes>();
    let updates: Vec<Bytes> =
        [64_993, 64_994, 64_995, 65_000, 2 * 64_994, 200_000, 1 << 20].map(noise).into_iter().collect();
    store.append(&doc("a"), FIRST, updates.clone()).await.unwrap();
    assert_eq!(store.load(&doc("a")).await.unwrap().bytes.tail, updates);
    for snapshot in [noise(3_000_000), noise(16 * 64_994), noise(16 * 64_994 + 1), noise(1), noise(0)] {
        let previous_upto = store.load(&doc("a")).await.unwrap().snapshot_upto;
        let compaction = Compaction { generation: FIRST, previous_upto, upto: 5, snapshot: snapshot.clone() };
        store.compact(&doc("a"), compaction).await.unwrap();
        let stored = store.load(&doc("a")).await.unwrap().bytes;
        assert_eq!(stored.snapshot, Some(snapshot));
        assert_eq!(stored.tail, updates[5..]);
    }
    store.delete(&doc("a"), FIRST, noise(100_000)).await.unwrap();
    assert_eq!(store.load(&doc("a")).await.unwrap().ancestors, noise(100_000));
    let longest = doc(&"x".repeat(DocName::MAX_BYTES));
    store.append(&longest, FIRST, vec![update("u")]).await.unwrap();
    assert_eq!(store.load(&longest).await.unwrap().head, 1);
}

pub(in crate::storage) async fn what_is_too_large_is_refused(store: Arc<dyn Store>) {
    let mib = |mib: usize| Bytes::from(vec![7; (mib << 20) + 1]);
    let refused = store.append(&doc("a"), FIRST, vec![update("u"), mib(1)]).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { len: 0x0010_0001, max: 0x0010_0000 })), "{refused:?}");
    assert_eq!(store.load(&doc("a")).await.unwrap().head, 0);
    store.append(&doc("a"), FIRST, vec![update("u")]).await.unwrap();
    let compaction = Compaction { generation: FIRST, previous_upto: 0, upto: 1, snapshot: mib(4) };
    assert!(matches!(store.compact(&doc("a"), compaction).await, Err(StoreError::TooLarge { .. })));
    assert!(matches!(store.delete(&doc("a"), FIRST, mib(1)).await, Err(StoreError::TooLarge { .. })));
    assert_eq!(store.load(&doc("a")).await.unwrap().bytes.tail, ["u"]);
}

pub(in crate::storage) async fn documents_are_listed_by_name_in_pages(store: Arc<dyn Store>) {
    let mut names: Vec<String> = (0..25).map(|at| format!("doc {at}")).collect();
    names.extend(["ä".to_owned(), "Z".to_owned(), "a/b".to_owned()]);
    for name in &names {
        store.append(&doc(name), FIRST, vec![update("u")]).await.unwrap();
    }
    store.delete(&doc("doc 7"), FIRST, Bytes::new()).await.unwrap();
    names.retain(|name| name != "doc 7");
    names.sort();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(after.as_ref(), 10).await.unwrap();
        listed.extend(page.iter().map(|info| info.name.as_str().to_owned()));
        match page.last() {
            Some(last) if page.len() == 10 => after = Some(last.name.clone()),
            _ => break,
        }
    }
    assert_eq!(listed, names);
    assert_eq!(store.list(None, 0).await.unwrap(), []);
    assert_eq!(store.list(Some(&doc("not there")), 1).await.unwrap()[0].name, doc("ä"));
    for info in store.list(None, 100).await.unwrap() {
        assert_eq!(store.stat(&info.name).await.unwrap(), Some(info));
    }
}

pub(in crate::storage) async fn a_stat_knows_sizes_and_times(store: Arc<dyn Store>) {
    let before = SystemTime::now() - Duration::from_millis(1);
    store.append(&doc("a"), FIRST, vec![update("12345"), update("678")]).await.unwrap();
    let first = store.stat(&doc("a")).await.unwrap().unwrap();
    assert_eq!((first.bytes, first.head, first.snapshot_upto), (8, 2, 0));
    assert!(before <= first.created && first.created == first.updated && first.updated <= SystemTime::now());
    tokio::time::sleep(Duration::from_millis(3)).await;
    store.append(&doc("a"), FIRST, vec![update("9")]).await.unwrap();
    let second = store.stat(&doc("a")).await.unwrap().unwrap();
    assert_eq!((second.bytes, second.created), (9, first.created));
    assert!(second.updated > first.updated);
}

pub(in crate::storage) async fn concurrent_appenders_keep_their_order_and_leave_no_gap(store: Arc<dyn Store>) {
    const APPENDERS: u64 = 8;
    const APPENDS: u64 = 40;
    let appender = |appender: u64| {
        let store = Arc::clone(&store);
        async move {
            let mut heads = Vec::new();
            for at in 0..APPENDS {
                let own = doc(&format!("own {appender}"));
                assert_eq!(store.append(&own, FIRST, vec![update("u")]).await.unwrap(), at + 1);
                let shared = vec![update(&format!("{appender} {at}"))];
                heads.push(store.append(&doc("shared"), FIRST, shared).await.unwrap());
            }
            heads
        }
    };
    let mut heads: Vec<u64> = futures_util::future::join_all((0..APPENDERS).map(appender)).await.concat();
    heads.sort_unstable();
    assert_eq!(heads, (1..=APPENDERS * APPENDS).collect::<Vec<_>>());
    let tail = store.load(&doc("shared")).await.unwrap().bytes.tail;
    for appender in 0..APPENDERS {
        let prefix = format!("{appender} ");
        let own: Vec<_> = tail.iter().filter(|update| update.starts_with(prefix.as_bytes())).cloned().collect();
        assert_eq!(own, (0..APPENDS).map(|at| update(&format!("{appender} {at}"))).collect::<Vec<_>>());
    }
}

pub(in crate::storage) async fn everything_is_counted(store: Arc<dyn Store>) {
    store.append(&doc("a"), FIRST, vec![update("12"), update("345")]).await.unwrap();
    let counters = store.counters();
    assert!(counters.commits() >= 1);
    assert_eq!((counters.committed_records(), counters.committed_bytes(), counters.failures()), (2, 5, 0));
}

pub(in crate::storage) async fn a_closed_store_refuses_everything(store: Arc<dyn Store>) {
    store.append(&doc("a"), FIRST, vec![update("u")]).await.unwrap();
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(store.append(&doc("a"), FIRST, vec![update("u")]).await, Err(StoreError::Closed)));
    assert!(matches!(store.load(&doc("a")).await, Err(StoreError::Closed)));
    assert!(matches!(store.delete(&doc("a"), FIRST, Bytes::new()).await, Err(StoreError::Closed)));
    assert!(matches!(store.list(None, 1).await, Err(StoreError::Closed)));
    assert!(matches!(store.stat(&doc("a")).await, Err(StoreError::Closed)));
    assert!(matches!(verify(&*store, |_| {}).await, Err(StoreError::Closed)));
    assert!(matches!(store.names(None, 1).await, Err(StoreError::Closed)));
    assert!(matches!(store.remains(&doc("a")).await, Err(StoreError::Closed)));
    assert!(matches!(store.restore(&doc("b"), restoration()).await, Err(StoreError::Closed)));
    let compaction = Compaction { generation: FIRST, previous_upto: 0, upto: 1, snapshot: Bytes::new() };
    assert!(matches!(store.compact(&doc("a"), compaction).await, Err(StoreError::Closed)));
    assert!(matches!(store.health(), Health::Failed { .. }));
}
