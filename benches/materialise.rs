//! What an export of a document of about 1 MB costs: cold, warm with one new update, through the pool and in process.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run says why")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use divan::{Bencher, black_box};
use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;
use ydock::lib0::{write_text, write_var_uint};
use ydock::materialise::{Config, DocumentKey, Export, InProcess, Materialiser, Root, Source, WorkerPool};
use ydock::sync::{DocumentBytes, RootKind};
use ydock::{DocName, Generation};

fn main() {
    divan::main();
}

#[derive(Debug, Clone, Copy)]
enum Through {
    Pool,
    Process,
}

const BOTH: [Through; 2] = [Through::Pool, Through::Process];

/// The worker starts with the first sample; divan's median leaves it out.
#[divan::bench(args = BOTH, sample_count = 20)]
fn cold(bencher: Bencher<'_, '_>, through: Through) {
    let bench = Bench::new(through);
    let names = AtomicU64::new(0);
    bencher.bench_local(|| bench.export(&names.fetch_add(1, Ordering::Relaxed).to_string(), 0));
}

#[divan::bench(args = BOTH, sample_count = 100)]
fn warm_with_one_new_update(bencher: Bencher<'_, '_>, through: Through) {
    let bench = Bench::new(through);
    let tail = AtomicU64::new(0);
    bench.export("warm", 0);
    bencher.bench_local(|| bench.export("warm", 1 + tail.fetch_add(1, Ordering::Relaxed)));
}

#[divan::bench(args = BOTH, sample_count = 100)]
fn small(bencher: Bencher<'_, '_>, through: Through) {
    let bench = Bench { snapshot: pieces(0, 10), ..Bench::new(through) };
    let names = AtomicU64::new(0);
    bencher.bench_local(|| bench.export(&names.fetch_add(1, Ordering::Relaxed).to_string(), 0));
}

struct Bench {
    runtime: Runtime,
    exporter: Box<dyn Materialiser>,
    snapshot: Bytes,
}

impl Bench {
    fn new(through: Through) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let guard = runtime.enter();
        let tasks = TaskTracker::new();
        let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_ydock")));
        let exporter: Box<dyn Materialiser> = match through {
            Through::Pool => Box::new(WorkerPool::start(Config { program, ..Config::default() }, &tasks)),
            Through::Process => Box::new(InProcess::start(&Config::default(), &tasks)),
        };
        drop(guard);
        Self { runtime, exporter, snapshot: pieces(0, PIECES) }
    }

    fn export(&self, name: &str, tail: u64) {
        let source = Source {
            key: DocumentKey { name: DocName::parse(name).expect("a name"), generation: Generation::FIRST },
            bytes: DocumentBytes {
                snapshot: Some(self.snapshot.clone()),
                tail: (0..tail).map(|index| pieces(PIECES + index, 1)).collect(),
            },
            snapshot_upto: 1,
            head: 1 + tail,
        };
        let roots = vec![Root { name: "t".to_owned(), kind: RootKind::Text }];
        let exported = self.runtime.block_on(self.exporter.export(source, Export::Json { roots }));
        black_box(exported.expect("an export"));
    }
}

/// An update with `count` pieces of text from the `from`-th on, each inserted before the one before, so that they stay
/// blocks of their own, about 25 bytes each.
fn pieces(from: u64, count: u64) -> Bytes {
    let mut update = vec![1];
    write_var_uint(&mut update, count);
    write_var_uint(&mut update, 77);
    write_var_uint(&mut update, from * LENGTH);
    for index in from..from + count {
        if index == 0 {
            update.extend([4, 1, 1, b't']);
        } else {
            update.extend([0x44, 77]);
            write_var_uint(&mut update, (index - 1) * LENGTH);
        }
        write_text(&mut update, "eighteen letters..");
    }
    update.push(0);
    Bytes::from(update)
}

const PIECES: u64 = 43_000;
const LENGTH: u64 = 18;
