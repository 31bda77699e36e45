//! `ydock store backup`, `restore`, `salvage`, `migrate` and `compact`, `ydock export` and `import`: nothing is lost on the way,
//! and nothing half is left behind.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tempfile::TempDir;
use tokio::task::JoinSet;
use ydock::storage::{Config, StoredDocument, open};
use ydock::sync::DocumentIndex;
use ydock::{ClientId, DocName};

use crate::client::Client;
use crate::server::TestServer;
use crate::store_commands::{failure, fill, flip, json, printed, ydock};
use crate::yjs::{letter, typed};

/// Everything in a data directory that nobody has open.
async fn content(data: &Path) -> BTreeMap<DocName, StoredDocument> {
    let store = open(&Config { data: data.to_owned(), ..Config::default() }).unwrap();
    let mut all = BTreeMap::new();
    for entry in store.names(None, 10_000).await.unwrap() {
        all.insert(entry.name().clone(), store.load(entry.name()).await.unwrap());
    }
    store.close().await.unwrap();
    all
}

/// A stopped server's directory: short and long documents, a deleted one, one with an earlier life.
async fn stopped() -> TempDir {
    let data = TempDir::new().unwrap();
    let mut server = TestServer::start_on(data.path());
    let long = "a long text ".repeat(20_000);
    fill(&server, &[("a%2Fb%20c", "first"), ("long", &long), ("gone", "gone"), ("again", "before")]).await;
    for doc in ["gone", "again"] {
        let delete = reqwest::Client::new().delete(server.http(&format!("/api/docs/{doc}"))).send();
        assert!(delete.await.unwrap().status().is_success());
    }
    fill(&server, &[("-", "-"), ("-", "-"), ("-", "-"), ("-", "-"), ("again", "after")]).await;
    assert!(server.terminate().success());
    data
}

fn arguments<'a>(command: &[&'a str], file: &'a Path) -> Vec<&'a str> {
    command.iter().copied().chain([file.to_str().unwrap()]).collect()
}

#[tokio::test]
async fn a_backup_gives_the_whole_store_back_and_so_does_a_migration() {
    let data = stopped().await;
    let scratch = TempDir::new().unwrap();
    let file = scratch.path().join("all.ydk");
    let text = printed(ydock(&arguments(&["store", "backup"], &file), data.path()), 0);
    assert!(text.starts_with("4 documents, 1 tombstone, "), "{text}");
    let restored = scratch.path().join("restored");
    let report = json(ydock(&arguments(&["store", "restore", "--json"], &file), &restored), 0);
    assert_eq!((&report["documents"], &report["tombstones"]), (&4.into(), &1.into()));
    let before = content(data.path()).await;
    assert_eq!(content(&restored).await, before);

    let migrate = |from: &str, to: &str| {
        let moved = crate::server::command().args(["store", "migrate", from, to]).output();
        printed(moved.unwrap(), 0)
    };
    let (sled, to) = (scratch.path().join("sled"), scratch.path().join("moved"));
    let there = format!("sled:{}", sled.display());
    assert!(migrate(&format!("redb:{}", restored.display()), &there).contains("--store sled --data"));
    assert!(migrate(&there, &format!("redb:{}", to.display())).contains("--store redb --data"));
    assert_eq!(content(&to).await, before);
    let other = scratch.path().join("other");
    printed(ydock(&arguments(&["store", "restore", "--store", "sled"], &file), &other), 0);
    assert_eq!(json(ydock(&["store", "verify", "--deep", "--json"], &other), 0)["decoded"], 4);

    let one = scratch.path().join("one");
    printed(ydock(&arguments(&["store", "restore", "--doc", "a/b c"], &file), &one), 0);
    assert_eq!(content(&one).await.keys().map(DocName::as_str).collect::<Vec<_>>(), ["a/b c"]);
    let text = failure(ydock(&arguments(&["store", "restore", "--doc", "never"], &file), &scratch.path().join("none")));
    assert!(text.contains("no document \"never\""), "{text}");
    assert!(!scratch.path().join("none").exists() && !scratch.path().join("none.unfinished").exists());
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_and_leaves_nothing() {
    let data = stopped().await;
    let scratch = TempDir::new().unwrap();
    let file = scratch.path().join("all.ydk");
    printed(ydock(&arguments(&["store", "backup"], &file), data.path()), 0);
    assert!(failure(ydock(&arguments(&["store", "backup"], &file), data.path())).contains("--force"));
    printed(ydock(&arguments(&["store", "backup", "--force"], &file), data.path()), 0);

    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let cases = [
        (whole[..whole.len() - 1].to_vec(), "incomplete"),
        (whole[..whole.len() / 3].to_vec(), "incomplete"),
        (flipped, "damaged at byte"),
        (b"a picture of something".to_vec(), "no backup"),
        (Vec::new(), "no backup"),
    ];
    let into = scratch.path().join("into");
    for (bytes, word) in cases {
        std::fs::write(&file, bytes).unwrap();
        let text = failure(ydock(&arguments(&["store", "restore"], &file), &into));
        assert!(text.contains(word), "{word}: {text}");
        assert!(!into.exists() && !scratch.path().join("into.unfinished").exists(), "{word}");
    }
    std::fs::write(&file, &whole).unwrap();
    let text = failure(ydock(&arguments(&["store", "restore"], &file), data.path()));
    assert!(text.contains("not empty"), "{text}");
    let nowhere = failure(ydock(&["store", "backup", "/dev/full/backup"], data.path()));
    assert!(nowhere.contains("cannot write"), "{nowhere}");
}

const DOCS: u64 = 6;
const WRITERS: u64 = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_under_load_has_what_was_acknowledged_before_and_no_mix() {
    let data = TempDir::new().unwrap();
    let mut server = TestServer::start_on(data.path());
    let acknowledged: Arc<Vec<AtomicU64>> = Arc::new((0..WRITERS).map(|_| AtomicU64::new(0)).collect());
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let url = format!("{}?ack=echo", server.ws(&format!("doc-{}", writer % DOCS)));
        writers.spawn(write(url, writer, Arc::clone(&acknowledged), Arc::clone(&stop)));
    }
    let enough = || acknowledged.iter().all(|count| count.load(Ordering::SeqCst) > 20);
    while !enough() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let scratch = TempDir::new().unwrap();
    for round in 0..3 {
        let before: Vec<u64> = acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).collect();
        let file = scratch.path().join(format!("{round}.ydk"));
        let (path, directory) = (file.clone(), data.path().to_owned());
        let backup = move || ydock(&arguments(&["store", "backup"], &path), &directory);
        printed(tokio::task::spawn_blocking(backup).await.unwrap(), 0);
        let into = scratch.path().join(format!("{round}"));
        printed(ydock(&arguments(&["store", "restore"], &file), &into), 0);
        let restored = content(&into).await;
        for (writer, promised) in (0..).zip(before) {
            let document = &restored[&DocName::parse(&format!("doc-{}", writer % DOCS)).unwrap()];
            DocumentIndex::load(&document.bytes).unwrap();
            let parts = document.bytes.parts().map(|part| &part[..]);
            let state = ydock::sync::state_vector_of(parts).unwrap();
            let has = u64::from(state.clock(ClientId::new(writer + 1).unwrap()));
            assert!(has >= promised, "{promised} of writer {writer} were acknowledged, {has} are in the backup");
        }
    }
    stop.store(true, Ordering::SeqCst);
    writers.join_all().await;
    assert!(server.terminate().success());
}

async fn write(url: String, writer: u64, acknowledged: Arc<Vec<AtomicU64>>, stop: Arc<AtomicBool>) {
    let mut client = Client::join(&url).await;
    for clock in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let update = letter(writer + 1, clock);
        assert!(client.update(&update).await);
        client.receives(&update).await;
        acknowledged.get(usize::try_from(writer).unwrap()).unwrap().store(clock + 1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn salvage_brings_back_all_but_what_is_lost_and_clients_bring_the_rest() {
    let data = TempDir::new().unwrap();
    let mut server = TestServer::start_on(data.path());
    fill(&server, &[("red", "the red document"), ("blue", "the blue one")]).await;
    let updates = [typed(9, 0, "first part, "), typed(9, 12, "second part, "), typed(9, 25, "third part")];
    for update in &updates {
        let post = reqwest::Client::new().post(server.http("/api/docs/green/updates")).body(update.clone()).send();
        assert!(post.await.unwrap().status().is_success());
    }
    assert!(server.terminate().success());
    let before = content(data.path()).await;
    flip(data.path(), "second part");

    let scratch = TempDir::new().unwrap();
    let into = scratch.path().join("into");
    let text = printed(ydock(&arguments(&["store", "salvage"], &into), data.path()), 2);
    assert!(text.contains("\"green\" is damaged: update 2 is unreadable"), "{text}");
    assert!(text.contains("2 documents and 0 tombstones whole"), "{text}");
    let aside = std::fs::read(into.join("lost+found/green.update")).unwrap();
    assert_eq!(aside, updates[2]);
    assert!(failure(ydock(&arguments(&["store", "salvage"], &into), data.path())).contains("not empty"));
    assert_eq!(json(ydock(&["store", "verify", "--deep", "--json"], &into), 0)["documents"], 3);

    let after = content(&into).await;
    for name in ["red", "blue"] {
        let name = DocName::parse(name).unwrap();
        assert_eq!(after[&name], before[&name]);
    }
    let server = TestServer::start_on(&into);
    let text = || async { reqwest::get(server.http("/api/docs/green/snapshot?format=text")).await.unwrap() };
    assert_eq!(text().await.text().await.unwrap(), "first part, ");
    let mut client = Client::join(&server.ws("green?ack=echo")).await;
    let whole = ydock::sync::merge(updates.iter().map(Vec::as_slice)).unwrap();
    assert!(client.update(&whole).await);
    client.settled().await;
    assert_eq!(text().await.text().await.unwrap(), "first part, second part, third part");
}

#[tokio::test]
async fn compacting_keeps_every_document_and_makes_them_smaller_online_and_offline() {
    let data = TempDir::new().unwrap();
    let mut server = TestServer::start_on(data.path());
    let http = reqwest::Client::new();
    for clock in 0..60 {
        let post = http.post(server.http("/api/docs/typed/updates")).body(letter(1, clock)).send();
        assert!(post.await.unwrap().status().is_success());
    }
    // The room is still open and merges its document itself.
    let report = json(ydock(&["store", "compact", "--json"], data.path()), 0);
    assert_eq!((&report["documents"], &report["open"]), (&0.into(), &1.into()));
    assert!(server.terminate().success());
    let report = json(ydock(&["store", "compact", "--json"], data.path()), 0);
    assert_eq!((&report["documents"], &report["updates"]), (&1.into(), &60.into()));
    assert!(report["bytes_after"].as_u64() < report["bytes_before"].as_u64());
    let json = printed(ydock(&["export", "typed", "--format", "json"], data.path()), 0);
    assert_eq!(json, format!("{{\"t\":\"{}\"}}", "a".repeat(60)));
}

#[tokio::test]
async fn a_document_goes_out_and_in_with_and_without_a_server() {
    let data = stopped().await;
    let scratch = TempDir::new().unwrap();
    let (file, other) = (scratch.path().join("u"), scratch.path().join("other"));
    printed(ydock(&["export", "a/b c", "--output", file.to_str().unwrap()], data.path()), 0);
    assert!(failure(ydock(&["export", "a/b c", "--output", file.to_str().unwrap()], data.path())).contains("already"));
    let text = printed(ydock(&arguments(&["import", "copy"], &file), &other), 0);
    assert_eq!(text, "saved: \"copy\" has 1 update(s)\n");
    let server = TestServer::start_on(&other);
    printed(ydock(&arguments(&["import", "online"], &file), &other), 0);
    for name in ["copy", "online"] {
        let text = printed(ydock(&["export", name, "--format", "text"], &other), 0);
        assert_eq!(text, "first");
    }
    assert!(failure(ydock(&["export", "nobody"], &other)).contains("no document of this name"));
    std::fs::write(&file, "no update").unwrap();
    assert!(failure(ydock(&arguments(&["import", "copy"], &file), &other)).contains("refused"));
    drop(server);
}
