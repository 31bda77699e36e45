//! Durable appends by commit size and by concurrent callers, beside a bare log on the same disk, and loads.
//!
//! `cargo bench --bench storage`. The data lies in the system's directory for temporary files: set `TMPDIR` to measure
//! another disk. One item is one update of 100 bytes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may stop at the first surprise")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use ydock::storage::{Compaction, Config, Store, open};
use ydock::{DocName, Generation};

fn main() {
    divan::main();
}

const UPDATE: usize = 100;
const DOCUMENTS: usize = 1000;

struct Bench {
    runtime: Runtime,
    store: Arc<dyn Store>,
    names: Vec<DocName>,
    /// Dropped last.
    _directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let store = open(&Config { data: directory.path().join("data"), ..Config::default() }).unwrap();
        let names = (0..DOCUMENTS).map(|at| DocName::parse(&format!("document {at}")).unwrap()).collect();
        Self { runtime, store, names, _directory: directory }
    }
}

/// One caller, one document after the other, so many updates at once: one commit each.
#[divan::bench(args = [1, 64, 1024], min_time = 2)]
fn durable_append(bencher: Bencher<'_, '_>, updates: usize) {
    let bench = Bench::new();
    let batch = vec![Bytes::from(vec![7; UPDATE]); updates];
    let mut names = bench.names.iter().cycle();
    bencher.counter(ItemsCount::new(updates)).bench_local(|| {
        let name = names.next().unwrap();
        bench.runtime.block_on(bench.store.append(name, Generation::FIRST, batch.clone())).unwrap()
    });
}

/// So many callers at once, each with one update for its own document, again and again: group commit.
#[divan::bench(args = [8, 64, 512], min_time = 2)]
fn concurrent_callers(bencher: Bencher<'_, '_>, callers: usize) {
    const EACH: usize = 16;
    let bench = Bench::new();
    let update = Bytes::from(vec![7; UPDATE]);
    bencher.counter(ItemsCount::new(callers * EACH)).bench_local(|| {
        let callers = bench.names.iter().take(callers).map(|name| {
            let (store, name, update) = (Arc::clone(&bench.store), name.clone(), update.clone());
            bench.runtime.spawn(async move {
                for _ in 0..EACH {
                    store.append(&name, Generation::FIRST, vec![update.clone()]).await.unwrap();
                }
            })
        });
        let callers: Vec<_> = callers.collect();
        bench.runtime.block_on(futures_util::future::join_all(callers))
    });
}

/// The floor: the same updates at the end of a file, with one `fdatasync` for each batch.
#[divan::bench(args = [1, 64, 1024], min_time = 2)]
fn bare_log(bencher: Bencher<'_, '_>, updates: usize) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log: File = OpenOptions::new().create(true).append(true).open(path).unwrap();
    let batch = vec![7; UPDATE * updates];
    bencher.counter(ItemsCount::new(updates)).bench_local(|| {
        log.write_all(&batch).unwrap();
        log.sync_data().unwrap();
    });
}

/// A document of a 1 MB snapshot and 100 updates.
#[divan::bench(min_time = 1)]
fn load(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    let name = &bench.names[0];
    bench.runtime.block_on(async {
        bench.store.append(name, Generation::FIRST, vec![Bytes::from(vec![7; UPDATE])]).await.unwrap();
        let snapshot = Bytes::from(vec![7; 1_000_000]);
        let compaction = Compaction { generation: Generation::FIRST, previous_upto: 0, upto: 1, snapshot };
        bench.store.compact(name, compaction).await.unwrap();
        bench.store.append(name, Generation::FIRST, vec![Bytes::from(vec![7; UPDATE]); 100]).await.unwrap();
    });
    bencher.bench_local(|| black_box(bench.runtime.block_on(bench.store.load(name)).unwrap()));
}
