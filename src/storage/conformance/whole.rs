//! Promises about whole documents and whole stores: names, restoring, salvaging, shrinking.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::{FIRST, doc, update};
use crate::ids::Generation;
use crate::storage::{Compaction, Restoration, Store, StoreError, StoredDocument, StoredName, verify};
use crate::sync::DocumentBytes;

pub(in crate::storage) async fn names_tell_what_is_behind_them(store: Arc<dyn Store>) {
    for name in ["b", "d", "a", "c"] {
        store.append(&doc(name), FIRST, vec![update("u")]).await.unwrap();
    }
    store.delete(&doc("b"), FIRST, update("seen")).await.unwrap();
    store.delete(&doc("d"), FIRST, Bytes::new()).await.unwrap();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.names(after.as_ref(), 3).await.unwrap();
        seen.extend(page.iter().map(|entry| match entry {
            StoredName::Document(info) => format!("{} {}", info.name, info.head),
            StoredName::Tombstone { name, generation } => format!("{name} gone {}", generation.0),
            StoredName::Damaged(damaged) => panic!("{damaged:?}"),
        }));
        match page.last() {
            Some(last) if page.len() == 3 => after = Some(last.name().clone()),
            _ => break,
        }
    }
    assert_eq!(seen, ["a 1", "b gone 2", "c 1", "d gone 2"]);
    assert!(store.names(None, 0).await.unwrap().is_empty());
    assert!(store.flaws().await.unwrap().is_empty());
}

/// A document with a long history, large pieces and an earlier life.
pub(super) fn restoration() -> Restoration {
    let tail = vec![update("one"), Bytes::from(vec![9; 200_000]), update("")];
    let document = StoredDocument {
        generation: Generation(5),
        ancestors: Bytes::from(vec![3; 70_000]),
        snapshot_upto: 900,
        head: 903,
        bytes: DocumentBytes { snapshot: Some(Bytes::from(vec![8; 6 << 20])), tail },
    };
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    Restoration { document, created: at(1_000_000), updated: at(2_000_000) }
}

pub(in crate::storage) async fn what_another_store_gave_is_restored_as_it_was(store: Arc<dyn Store>) {
    let whole = restoration();
    store.restore(&doc("a"), whole.clone()).await.unwrap();
    assert_eq!(store.load(&doc("a")).await.unwrap(), whole.document);
    let info = store.stat(&doc("a")).await.unwrap().unwrap();
    assert_eq!((info.created, info.updated), (whole.created, whole.updated));
    assert_eq!(info.bytes, whole.document.bytes.len() as u64);
    assert_eq!(store.append(&doc("a"), Generation(5), vec![update("next")]).await.unwrap(), 904);
    let compaction =
        Compaction { generation: Generation(5), previous_upto: 900, upto: 902, snapshot: update("snapshot") };
    store.compact(&doc("a"), compaction).await.unwrap();
    assert_eq!(store.load(&doc("a")).await.unwrap().bytes.tail, ["", "next"]);

    let gone = StoredDocument { generation: Generation(3), ancestors: update("seen"), ..StoredDocument::default() };
    store.restore(&doc("gone"), Restoration { document: gone.clone(), ..whole.clone() }).await.unwrap();
    assert_eq!(store.load(&doc("gone")).await.unwrap(), gone);
    assert_eq!(store.stat(&doc("gone")).await.unwrap(), None);
    assert_eq!(store.append(&doc("gone"), Generation(3), vec![update("again")]).await.unwrap(), 1);

    let nothing = Restoration { document: StoredDocument::default(), ..whole };
    store.restore(&doc("nothing"), nothing).await.unwrap();
    assert_eq!(store.names(None, 10).await.unwrap().len(), 2);
    assert!(verify(&*store, |_| {}).await.unwrap().is_sound());
}

pub(in crate::storage) async fn a_restoration_takes_no_place_and_no_nonsense(store: Arc<dyn Store>) {
    let whole = restoration();
    store.append(&doc("there"), FIRST, vec![update("u")]).await.unwrap();
    store.append(&doc("gone"), FIRST, vec![update("u")]).await.unwrap();
    store.delete(&doc("gone"), FIRST, Bytes::new()).await.unwrap();
    for name in ["there", "gone"] {
        let refused = store.restore(&doc(name), whole.clone()).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    }
    assert_eq!(store.load(&doc("there")).await.unwrap().bytes.tail, ["u"]);
    let nonsense: [fn(&mut StoredDocument); 4] = [
        |document| document.head += 1,
        |document| document.snapshot_upto = 0,
        |document| document.bytes.snapshot = None,
        |document| document.generation = Generation(0),
    ];
    for change in nonsense {
        let mut wrong = whole.clone();
        change(&mut wrong.document);
        let refused = store.restore(&doc("new"), wrong).await;
        assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
    }
    assert_eq!(store.load(&doc("new")).await.unwrap(), StoredDocument::default());
}

pub(in crate::storage) async fn remains_of_a_sound_document_are_all_of_it(store: Arc<dyn Store>) {
    let whole = restoration();
    store.restore(&doc("a"), whole.clone()).await.unwrap();
    let remains = store.remains(&doc("a")).await.unwrap();
    assert_eq!((remains.generation, remains.head), (Some(Generation(5)), Some(903)));
    assert_eq!(remains.ancestors, whole.document.ancestors);
    assert_eq!(remains.snapshot, whole.document.bytes.snapshot.map(|bytes| (900, bytes)));
    assert_eq!(remains.updates, (901..).zip(whole.document.bytes.tail).collect::<Vec<_>>());
    assert!(remains.damage.is_empty());
    assert!(store.remains(&doc("never")).await.unwrap().generation.is_none());
}

pub(in crate::storage) async fn shrinking_keeps_everything(store: Arc<dyn Store>) {
    for round in 0..4 {
        store.append(&doc(&format!("{round}")), FIRST, vec![Bytes::from(vec![round; 1 << 20])]).await.unwrap();
    }
    store.delete(&doc("0"), FIRST, Bytes::new()).await.unwrap();
    let (shrunk, appended) =
        tokio::join!(store.shrink(), async { store.append(&doc("1"), FIRST, vec![update("meanwhile")]).await });
    shrunk.unwrap();
    assert_eq!(appended.unwrap(), 2);
    let report = verify(&*store, |_| {}).await.unwrap();
    assert_eq!((report.documents, report.tombstones, report.is_sound()), (3, 1, true));
}
