//! A process that appends is killed without warning, again and again; every update that it had acknowledged is there.
//!
//! The test starts its own binary with `YDOCK_STORE_KILL_CHILD` set to a data directory. That child appends to a few
//! documents, compacts one of them now and then, and prints a line for each acknowledgement.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use ydock::storage::{Compaction, Config, Store, StoreError, open, verify};
use ydock::{DocName, Generation};

const CHILD: &str = "YDOCK_STORE_KILL_CHILD";
const DOCUMENTS: usize = 4;
const ROUNDS: u64 = 6;

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(data) = std::env::var(CHILD) {
        runtime.block_on(append_until_killed(Path::new(&data)));
    }
    let scratch = tempfile::tempdir().unwrap();
    let data = scratch.path().join("data");
    let mut acknowledged: BTreeMap<(String, u64), String> = BTreeMap::new();
    for round in 0..ROUNDS {
        let lines = run_and_kill(&data, Duration::from_millis(60 + 97 * round));
        for line in &lines {
            let [name, seq, content] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
            acknowledged.insert((name.to_owned(), seq.parse().unwrap()), content.to_owned());
        }
        runtime.block_on(check(&data, &acknowledged));
    }
    assert!(acknowledged.len() > 100, "only {} updates were acknowledged", acknowledged.len());
}

fn config(data: &Path) -> Config {
    Config { data: data.to_owned(), ..Config::default() }
}

/// Runs the child for a while after its first acknowledgement, kills it, and returns the whole lines that it printed.
fn run_and_kill(data: &Path, lifetime: Duration) -> Vec<String> {
    let mut child: Child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_process_loses_nothing_that_it_acknowledged", "--nocapture"])
        .env(CHILD, data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = Vec::new();
    let mut line = String::new();
    // What the test harness prints before the child's first line is not of interest.
    while !line.starts_with("acknowledged ") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the child ended before its first acknowledgement");
    }
    let killer = std::thread::spawn(move || {
        std::thread::park_timeout(lifetime);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    while line.ends_with('\n') {
        lines.extend(line.trim_end().strip_prefix("acknowledged ").map(str::to_owned));
        line.clear();
        output.read_line(&mut line).unwrap();
    }
    killer.join().unwrap();
    lines
}

async fn append_until_killed(data: &Path) {
    let store = open(&config(data)).unwrap();
    let appenders = (0..DOCUMENTS).map(|at| {
        let store = store.clone();
        async move {
            let name = DocName::parse(&format!("doc{at}")).unwrap();
            for count in 0u64.. {
                let content = format!("{}-{count}-{}", std::process::id(), "x".repeat((count % 900) as usize));
                let head = store.append(&name, Generation::FIRST, vec![Bytes::from(content.clone())]).await.unwrap();
                // Written at once and whole: a pipe takes lines below 4 KiB undivided.
                let line = format!("acknowledged {name} {head} {content}\n");
                std::io::stdout().write_all(line.as_bytes()).unwrap();
                if at == 0 && count % 50 == 49 {
                    compact(&*store, &name, head).await;
                }
            }
        }
    });
    futures_util::future::join_all(appenders).await;
}

async fn compact(store: &dyn Store, name: &DocName, upto: u64) {
    let stored = store.load(name).await.unwrap();
    let snapshot = Bytes::from(vec![b's'; 2_000_000]);
    let previous_upto = stored.snapshot_upto;
    let compacted =
        store.compact(name, Compaction { generation: Generation::FIRST, previous_upto, upto, snapshot }).await;
    assert!(matches!(compacted, Ok(()) | Err(StoreError::Conflict { .. })), "{compacted:?}");
}

async fn check(data: &Path, acknowledged: &BTreeMap<(String, u64), String>) {
    let store = open(&config(data)).unwrap();
    for at in 0..DOCUMENTS {
        let name = format!("doc{at}");
        let stored = store.load(&DocName::parse(&name).unwrap()).await.unwrap();
        assert_eq!(
            stored.bytes.snapshot.map_or(0, |snapshot| snapshot.len()),
            usize::from(stored.snapshot_upto > 0) * 2_000_000
        );
        for ((_, seq), content) in acknowledged.range((name.clone(), 0)..=(name.clone(), u64::MAX)) {
            assert!(*seq <= stored.head, "{name} {seq} is lost");
            if *seq > stored.snapshot_upto {
                let at = usize::try_from(seq - stored.snapshot_upto - 1).unwrap();
                assert_eq!(stored.bytes.tail[at], content.as_bytes(), "{name} {seq}");
            }
        }
    }
    assert_eq!(verify(&*store, |_| {}).await.unwrap().damaged.len(), 0);
    store.close().await.unwrap();
}
