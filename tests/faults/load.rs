//! The mixed load: a process that appends, compacts and deletes, and says a line for each acknowledgement.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use ydock::Generation;
use ydock::storage::{Compaction, Store, StoreError, open};

use crate::backend::Place;
use crate::content::{Life, following, name};
use crate::ledger::{Documents, Word};

/// A load to put on a store.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) place: Place,
    pub(crate) documents: Documents,
    /// Whether the documents are written at the same time. One after the other, the same load writes the same bytes.
    pub(crate) is_parallel: bool,
    pub(crate) end: End,
}

/// When the load ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// With the process.
    Never,
    /// After so many batches, in order: the store is closed.
    Close { batches: u64 },
    /// After so many batches, by the end of the process with its store open.
    Exit { batches: u64 },
    /// After so many batches it says [`READY`] and waits to be killed.
    Wait { batches: u64 },
}

/// What a load says that waits to be killed.
pub(crate) const READY: &str = "ready";

impl Load {
    pub(crate) fn run(self) -> ExitCode {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        match runtime.block_on(self.work()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say(&format!("failed: {}\n", with_sources(&error)));
                ExitCode::FAILURE
            }
        }
    }

    async fn work(&self) -> Result<(), StoreError> {
        let store = open(&self.place.config())?;
        let batches = match self.end {
            End::Never => u64::MAX,
            End::Close { batches } | End::Exit { batches } | End::Wait { batches } => batches,
        };
        let left = AtomicU64::new(batches);
        let mut writers = Vec::new();
        for doc in 0..self.documents.count {
            writers.push(Writer::resume(Arc::clone(&store), self.documents, doc).await?);
        }
        if self.is_parallel {
            let all = join_all(writers.iter_mut().map(|writer| writer.write_while(&left))).await;
            all.into_iter().collect::<Result<Vec<()>, _>>()?;
        } else {
            while left.load(Ordering::SeqCst) > 0 {
                for writer in &mut writers {
                    writer.step(&left).await?;
                }
            }
        }
        match self.end {
            End::Close { .. } => store.close().await,
            End::Wait { .. } => {
                say(&format!("{READY}\n"));
                std::future::pending().await
            }
            End::Exit { .. } | End::Never => std::process::exit(0),
        }
    }
}

/// The only one who writes a document.
pub(crate) struct Writer {
    store: Arc<dyn Store>,
    documents: Documents,
    pub(crate) life: Life,
    pub(crate) head: u64,
    upto: u64,
}

impl Writer {
    /// Goes on from what is stored.
    pub(crate) async fn resume(store: Arc<dyn Store>, documents: Documents, doc: u64) -> Result<Self, StoreError> {
        let stored = store.load(&name(doc)).await?;
        let life = Life { doc, generation: stored.generation.0 };
        Ok(Self { store, documents, life, head: stored.head, upto: stored.snapshot_upto })
    }

    async fn write_while(&mut self, left: &AtomicU64) -> Result<(), StoreError> {
        while self.step(left).await? {}
        Ok(())
    }

    /// Appends a batch, and compacts or deletes where the script says so. `false` when no batch is left.
    async fn step(&mut self, left: &AtomicU64) -> Result<bool, StoreError> {
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            return Ok(false);
        }
        let script = self.documents.script;
        if self.head >= script.lives_until(self.life) {
            self.delete().await?;
        }
        if self.head >= self.upto + script.compacts_after(self.life, self.upto) {
            let (life, upto) = (self.life, self.head);
            let compaction = Compaction {
                generation: Generation(life.generation),
                previous_upto: self.upto,
                upto,
                snapshot: script.snapshot(life, upto),
            };
            let (store, doc) = (Arc::clone(&self.store), name(life.doc));
            let (compacted, appended) = tokio::join!(store.compact(&doc, compaction), self.append());
            compacted?;
            appended?;
            self.upto = upto;
            say(&Word::Compacted { life, upto }.line());
        } else {
            self.append().await?;
        }
        Ok(true)
    }

    /// Appends the next batch.
    pub(crate) async fn append(&mut self) -> Result<(), StoreError> {
        let (script, life) = (self.documents.script, self.life);
        let count = script.batch(life, self.head + 1);
        let updates = following(self.head, self.head + count).map(|seq| script.update(life, seq)).collect();
        self.head = self.store.append(&name(life.doc), Generation(life.generation), updates).await?;
        say(&Word::Appended { life, head: self.head, count }.line());
        Ok(())
    }

    async fn delete(&mut self) -> Result<(), StoreError> {
        let (script, life) = (self.documents.script, self.life);
        say(&Word::Deleting { life }.line());
        let ancestors = script.ancestors(life);
        let next = self.store.delete(&name(life.doc), Generation(life.generation), ancestors).await?;
        self.life.generation = next.0;
        (self.head, self.upto) = (0, 0);
        say(&Word::Deleted { life: self.life }.line());
        Ok(())
    }
}

/// Says a line at once and whole: a pipe takes lines below 4 KiB undivided.
pub(crate) fn say(line: &str) {
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

/// The error and all that it was caused by, in one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        line.push_str(": ");
        line.push_str(&error.to_string());
        next = error.source();
    }
    line.replace('\n', " ")
}

/// Longer than any load with an end takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);
