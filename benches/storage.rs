//! Durable appends by commit size and by concurrent callers, compactions, loads and starts, of each engine; and the same
//! bytes in a bare log on the same disk.
//!
//! `cargo bench --bench storage`. The data lies in the system's directory for temporary files: set `TMPDIR` to measure
//! another disk. One item is one update of 100 bytes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may stop at the first surprise")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use ydock::storage::{Compaction, Config, Store, StoreKind, open};
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

/// An engine to measure.
trait Engine {
    const KIND: StoreKind;
}

struct Redb;

impl Engine for Redb {
    const KIND: StoreKind = StoreKind::Redb;
}

struct Sled;

impl Engine for Sled {
    const KIND: StoreKind = StoreKind::Sled;
}

impl Bench {
    fn new<E: Engine>() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let store = open(&config::<E>(&directory)).unwrap();
        let names = (0..DOCUMENTS).map(|at| DocName::parse(&format!("document {at}")).unwrap()).collect();
        Self { runtime, store, names, _directory: directory }
    }
}

fn config<E: Engine>(directory: &TempDir) -> Config {
    Config { kind: E::KIND, data: directory.path().join("data"), ..Config::default() }
}

/// One caller, one document after the other, so many updates at once: one commit each.
#[divan::bench(types = [Redb, Sled], args = [1, 64, 1024], min_time = 2)]
fn durable_append<E: Engine>(bencher: Bencher<'_, '_>, updates: usize) {
    let bench = Bench::new::<E>();
    let batch = vec![Bytes::from(vec![7; UPDATE]); updates];
    let mut names = bench.names.iter().cycle();
    bencher.counter(ItemsCount::new(updates)).bench_local(|| {
        let name = names.next().unwrap();
        bench.runtime.block_on(bench.store.append(name, Generation::FIRST, batch.clone())).unwrap()
    });
}

/// So many callers at once, each with one update for its own document, again and again: group commit.
#[divan::bench(types = [Redb, Sled], args = [8, 64, 512], min_time = 2)]
fn concurrent_callers<E: Engine>(bencher: Bencher<'_, '_>, callers: usize) {
    const EACH: usize = 16;
    let bench = Bench::new::<E>();
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
#[divan::bench(types = [Redb, Sled], min_time = 1)]
fn load<E: Engine>(bencher: Bencher<'_, '_>) {
    let bench = Bench::new::<E>();
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

/// A snapshot of 1 MiB takes the place of 1000 updates and of the snapshot before, again and again. One item is a byte.
#[divan::bench(types = [Redb, Sled], min_time = 2)]
fn compaction<E: Engine>(bencher: Bencher<'_, '_>) {
    let bench = Bench::new::<E>();
    let mut names = bench.names.iter().take(20).cycle();
    let snapshot = Bytes::from(vec![7; SNAPSHOT]);
    bencher
        .counter(BytesCount::new(SNAPSHOT))
        .with_inputs(|| {
            let name = names.next().unwrap();
            let updates = vec![Bytes::from(vec![7; UPDATE]); 1000];
            let upto = bench.runtime.block_on(bench.store.append(name, Generation::FIRST, updates)).unwrap();
            (
                name,
                Compaction {
                    generation: Generation::FIRST,
                    previous_upto: upto - 1000,
                    upto,
                    snapshot: snapshot.clone(),
                },
            )
        })
        .bench_local_values(|(name, compaction)| {
            bench.runtime.block_on(bench.store.compact(name, compaction)).unwrap();
        });
}

/// The floor of that: 1 MiB at the end of a file, with one `fdatasync`.
#[divan::bench(min_time = 2)]
fn bare_log_of_snapshots(bencher: Bencher<'_, '_>) {
    let directory = tempfile::tempdir().unwrap();
    let mut log = OpenOptions::new().create(true).append(true).open(directory.path().join("log")).unwrap();
    let snapshot = vec![7; SNAPSHOT];
    bencher.counter(BytesCount::new(SNAPSHOT)).bench_local(|| {
        log.write_all(&snapshot).unwrap();
        log.sync_data().unwrap();
    });
}

/// Opening a store that was closed, with so many documents: the whole index is read.
#[divan::bench(types = [Redb, Sled], args = [1_000, 100_000], sample_count = 10)]
fn start<E: Engine>(bencher: Bencher<'_, '_>, documents: usize) {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = open(&config::<E>(&directory)).unwrap();
    let names: Vec<_> = (0..documents).map(|at| DocName::parse(&format!("document number {at}")).unwrap()).collect();
    for names in names.chunks(1000) {
        let update = || vec![Bytes::from(vec![7; UPDATE])];
        let appends = names.iter().map(|name| store.append(name, Generation::FIRST, update()));
        runtime.block_on(futures_util::future::try_join_all(appends)).unwrap();
    }
    runtime.block_on(store.close()).unwrap();
    bencher.counter(ItemsCount::new(documents)).bench_local(|| {
        let store = open(&config::<E>(&directory)).unwrap();
        runtime.block_on(store.close()).unwrap();
    });
}

const SNAPSHOT: usize = 1 << 20;
