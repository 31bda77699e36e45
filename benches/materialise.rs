//! What an export of a 1 MB text costs: `cargo bench --bench materialise`.
//!
//! *Cold* is a document that no worker holds; *warm* is one that got an update since its last export.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use divan::Bencher;
use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;
use ydock::lib0::{write_text, write_var_uint};
use ydock::materialise::{
    Config, DocumentKey, Export, InProcess, Materialiser, Root, Source, WorkerPool, run_if_worker,
};
use ydock::sync::{DocumentBytes, RootKind};
use ydock::{DocName, Generation};

fn main() {
    run_if_worker();
    divan::main();
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn cold_through_the_pool(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    let materialiser = bench.pool();
    bench.cold(bencher, &materialiser);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn warm_through_the_pool(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    let materialiser = bench.pool();
    bench.warm(bencher, &materialiser);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn cold_in_process(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    let materialiser = bench.in_process();
    bench.cold(bencher, &materialiser);
}

struct Bench {
    runtime: Runtime,
    document: Bytes,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { runtime, document: text(1 << 20) }
    }

    fn pool(&self) -> Arc<dyn Materialiser> {
        let _in_runtime = self.runtime.enter();
        let config = Config { program: Some(PathBuf::from(env!("CARGO_BIN_EXE_ydock"))), ..Config::default() };
        Arc::new(WorkerPool::start(config, &TaskTracker::new()))
    }

    fn in_process(&self) -> Arc<dyn Materialiser> {
        let _in_runtime = self.runtime.enter();
        Arc::new(InProcess::start(&Config::default(), &TaskTracker::new()))
    }

    fn cold(&self, bencher: Bencher<'_, '_>, materialiser: &Arc<dyn Materialiser>) {
        let mut number = 0;
        bencher
            .with_inputs(|| {
                number += 1;
                self.source(&format!("document {number}"), &[])
            })
            .bench_local_values(|source| self.export(materialiser, source));
    }

    fn warm(&self, bencher: Bencher<'_, '_>, materialiser: &Arc<dyn Materialiser>) {
        let mut tail = Vec::new();
        self.export(materialiser, self.source("document", &tail));
        bencher
            .with_inputs(|| {
                tail.push(letter(tail.len() as u64));
                self.source("document", &tail)
            })
            .bench_local_values(|source| self.export(materialiser, source));
    }

    fn export(&self, materialiser: &Arc<dyn Materialiser>, source: Source) -> Vec<u8> {
        let roots = vec![Root { name: "t".to_owned(), kind: RootKind::Text }];
        self.runtime.block_on(materialiser.export(source, Export::Text { roots })).unwrap()
    }

    fn source(&self, name: &str, tail: &[Bytes]) -> Source {
        let key = DocumentKey { name: DocName::parse(name).unwrap(), generation: Generation::FIRST };
        let bytes = DocumentBytes { snapshot: Some(self.document.clone()), tail: tail.to_vec() };
        Source { key, bytes, snapshot_upto: 1, head: 1 + tail.len() as u64 }
    }
}

/// A text of about so many encoded bytes, every 25 characters inserted before all earlier ones, so that none join.
fn text(bytes: usize) -> Bytes {
    let count = bytes as u64 / 32;
    let mut out = vec![1];
    write_var_uint(&mut out, count);
    out.extend([1, 0]);
    for block in 0..count {
        if block == 0 {
            out.extend([4, 1]);
            write_text(&mut out, "t");
        } else {
            out.extend([0x44, 1]);
            write_var_uint(&mut out, (block - 1) * 25);
        }
        write_text(&mut out, "twenty-five characters...");
    }
    out.push(0);
    out.into()
}

/// The letter that another client types after its previous one.
fn letter(clock: u64) -> Bytes {
    let mut out = vec![1, 1, 2];
    write_var_uint(&mut out, clock);
    if clock == 0 {
        out.extend([0x84, 1, 0]);
    } else {
        out.extend([0x84, 2]);
        write_var_uint(&mut out, clock - 1);
    }
    write_text(&mut out, "a");
    out.push(0);
    out.into()
}
