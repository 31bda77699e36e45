//! Data directories that earlier versions wrote, one for each engine and format: this version opens them, has every byte, and
//! goes on.
//!
//! `YDOCK_WRITE_FIXTURES=1 cargo test --test fixtures` writes those of the present format anew. A change of the format adds a
//! directory instead, and leaves the others as they are.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use bytesize::ByteSize;
use ydock::storage::{Compaction, Config, RESERVE, Store, StoreKind, StoredDocument, open, verify};
use ydock::sync::DocumentBytes;
use ydock::{DocName, Generation};

const ENGINES: [StoreKind; 2] = [StoreKind::Redb, StoreKind::Sled];
const FORMAT: &str = "v1";

#[tokio::test]
async fn every_format_that_was_ever_written_is_read_byte_for_byte_and_goes_on() {
    for kind in ENGINES {
        let fixture = Path::new("tests/fixtures/disk").join(FORMAT).join(kind.to_string());
        if std::env::var_os("YDOCK_WRITE_FIXTURES").is_some() {
            write(kind, &fixture).await;
        }
        let copy = tempfile::tempdir().unwrap();
        copy_all(&fixture, copy.path());
        let store = open(&config(kind, copy.path())).unwrap();
        check(&*store).await;
        assert!(verify(&*store, |_| {}).await.unwrap().is_sound(), "{kind}");
        let plan = doc("plan");
        assert_eq!(store.append(&plan, Generation::FIRST, vec!["new".into()]).await.unwrap(), 13);
        let compaction =
            Compaction { generation: Generation::FIRST, previous_upto: 10, upto: 13, snapshot: "all".into() };
        store.compact(&plan, compaction).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        let store = open(&config(kind, copy.path())).unwrap();
        assert_eq!(store.load(&plan).await.unwrap().bytes.snapshot.unwrap(), "all", "{kind}");
        store.close().await.unwrap();
    }
}

fn config(kind: StoreKind, data: &Path) -> Config {
    Config { kind, data: data.to_owned(), reserve: ByteSize(0), ..Config::default() }
}

fn doc(name: &str) -> DocName {
    DocName::parse(name).unwrap()
}

fn long(seed: u8, len: usize) -> Bytes {
    (0..=250_u8).map(|byte| byte ^ seed).cycle().take(len).collect()
}

/// One document of every kind that the format knows.
fn documents() -> Vec<(DocName, StoredDocument)> {
    let document = |generation, ancestors: &'static str, snapshot_upto, snapshot: Option<Bytes>, tail: Vec<Bytes>| {
        let head = snapshot_upto + tail.len() as u64;
        let bytes = DocumentBytes { snapshot, tail };
        StoredDocument { generation: Generation(generation), ancestors: ancestors.into(), snapshot_upto, head, bytes }
    };
    vec![
        (doc("plan"), document(1, "", 10, Some(long(1, 70_000)), vec!["eleven".into(), "twelve".into()])),
        (doc("large/paste"), document(1, "", 0, None, vec![long(2, 66_000), Bytes::new(), "after".into()])),
        (doc("naïve name"), document(1, "", 0, None, vec!["one".into()])),
        (doc("second life"), document(2, "of the first life", 0, None, vec!["again".into()])),
        (doc("gone"), document(3, "of both lives", 0, None, Vec::new())),
    ]
}

async fn check(store: &dyn Store) {
    for (name, document) in documents() {
        assert_eq!(store.load(&name).await.unwrap(), document, "{name}");
    }
    assert_eq!(store.names(None, 100).await.unwrap().len(), documents().len());
}

/// Brings a new store to hold the documents, by the ways on which they come about.
async fn write(kind: StoreKind, fixture: &PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let store = open(&config(kind, scratch.path())).unwrap();
    for (name, document) in documents() {
        bring_about(&store, &name, &document).await;
    }
    store.shrink().await.unwrap();
    store.close().await.unwrap();
    drop(store);
    if fixture.exists() {
        fs::remove_dir_all(fixture).unwrap();
    }
    copy_all(scratch.path(), fixture);
}

async fn bring_about(store: &Arc<dyn Store>, name: &DocName, document: &StoredDocument) {
    let StoredDocument { generation, ancestors, snapshot_upto, bytes, .. } = document;
    for life in 1..generation.0 {
        store.append(name, Generation(life), vec!["of an earlier life".into()]).await.unwrap();
        store.delete(name, Generation(life), ancestors.clone()).await.unwrap();
    }
    if let Some(snapshot) = &bytes.snapshot {
        let covered = (0..*snapshot_upto).map(|at| Bytes::from(format!("covered {at}"))).collect();
        store.append(name, *generation, covered).await.unwrap();
        let (previous_upto, upto) = (0, *snapshot_upto);
        let compaction = Compaction { generation: *generation, previous_upto, upto, snapshot: snapshot.clone() };
        store.compact(name, compaction).await.unwrap();
    }
    store.append(name, *generation, bytes.tail.clone()).await.unwrap();
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy_all(&path, &target);
        } else if entry.file_name() != RESERVE && entry.file_name() != "LOCK" {
            fs::copy(path, target).unwrap();
        }
    }
}
