//! A room's way to the disk: one append under way, the rest waiting, nothing dropped.
//!
//! The promise: updates become durable in order, and after a failure the same updates are tried again until they are.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use crate::ids::{DocName, Generation};
use crate::storage::{Store, StoreError};

/// The updates of one room that are not durable yet.
pub(super) struct Saver {
    store: Arc<dyn Store>,
    name: DocName,
    generation: Generation,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    step: Step,
    failures: u32,
}

/// What happened to the append under way.
#[derive(Debug)]
pub(super) enum Progress {
    /// Everything up to a number is durable; the store calls the last one `stored`.
    Saved { upto: u64, stored: u64, count: u64, accepted_at: Instant },
    /// The store refused for now; the same updates are tried again after a pause.
    Failed { error: StoreError },
    /// The store will never take these updates.
    Lost { error: StoreError },
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    update: Bytes,
    accepted_at: Instant,
}

enum Step {
    Idle,
    Appending { count: usize, append: Append },
    Pausing(Pin<Box<Sleep>>),
    GivenUp,
}

type Append = Pin<Box<dyn Future<Output = Result<u64, StoreError>> + Send>>;

impl Saver {
    pub(super) fn new(store: Arc<dyn Store>, name: DocName, generation: Generation) -> Self {
        Self { store, name, generation, waiting: VecDeque::new(), bytes: 0, step: Step::Idle, failures: 0 }
    }

    /// Adds an update; it is appended as soon as the append under way has ended.
    pub(super) fn save(&mut self, number: u64, update: Bytes, now: Instant) {
        self.bytes += update.len();
        self.waiting.push_back(Waiting { number, update, accepted_at: now });
    }

    /// How many bytes are not durable yet.
    pub(super) fn unsaved_bytes(&self) -> usize {
        self.bytes
    }

    /// How many updates are not durable yet.
    pub(super) fn unsaved(&self) -> usize {
        self.waiting.len()
    }

    /// Whether [`progress`](Self::progress) would ever return.
    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty() && !matches!(self.step, Step::GivenUp)
    }

    /// Drives appends until one has ended, well or not. Cancel-safe: the append under way is kept.
    pub(super) async fn progress(&mut self) -> Progress {
        loop {
            match &mut self.step {
                Step::Idle if self.waiting.is_empty() => std::future::pending().await,
                Step::Idle => self.start(),
                Step::Appending { count, append } => {
                    let (count, outcome) = (*count, append.await);
                    return self.finish(count, outcome);
                }
                Step::Pausing(pause) => {
                    pause.await;
                    self.step = Step::Idle;
                }
                Step::GivenUp => std::future::pending().await,
            }
        }
    }

    /// Waits for the append under way, whatever its outcome, and forgets the rest: the document is being deleted.
    pub(super) async fn abandon(&mut self) {
        if let Step::Appending { append, .. } = &mut self.step {
            let _outcome_of_a_deleted_document = append.await;
        }
        self.step = Step::GivenUp;
        self.waiting.clear();
        self.bytes = 0;
    }

    fn start(&mut self) {
        let mut batch = Vec::new();
        let mut bytes = 0;
        for waiting in self.waiting.iter().take(MAX_BATCH) {
            bytes += waiting.update.len();
            if bytes > MAX_BATCH_BYTES && !batch.is_empty() {
                break;
            }
            batch.push(waiting.update.clone());
        }
        let (store, name, generation) = (Arc::clone(&self.store), self.name.clone(), self.generation);
        let count = batch.len();
        let append = Box::pin(async move { store.append(&name, generation, batch).await });
        self.step = Step::Appending { count, append };
    }

    fn finish(&mut self, count: usize, outcome: Result<u64, StoreError>) -> Progress {
        self.step = Step::Idle;
        match outcome {
            Ok(stored) => {
                self.failures = 0;
                let accepted_at = self.waiting.front().map_or_else(Instant::now, |waiting| waiting.accepted_at);
                let mut upto = 0;
                for waiting in self.waiting.drain(..count) {
                    self.bytes -= waiting.update.len();
                    upto = waiting.number;
                }
                Progress::Saved { upto, stored, count: count as u64, accepted_at }
            }
            Err(error @ (StoreError::Conflict { .. } | StoreError::Corrupt { .. } | StoreError::TooLarge { .. })) => {
                self.step = Step::GivenUp;
                Progress::Lost { error }
            }
            Err(error) => {
                let pause = FIRST_PAUSE * 2_u32.pow(self.failures.min(4));
                self.failures += 1;
                self.step = Step::Pausing(Box::pin(tokio::time::sleep(pause.min(LONGEST_PAUSE))));
                Progress::Failed { error }
            }
        }
    }
}

impl std::fmt::Debug for Saver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Saver")
            .field("waiting", &self.waiting.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// An append takes at most so many updates, …
const MAX_BATCH: usize = 1024;
/// … and at most so many bytes, unless one update alone is larger.
const MAX_BATCH_BYTES: usize = 1 << 20;
/// The pause after the first failure; it doubles up to the longest. The longest is what a document may stay unsaved, and
/// `/readyz` red, after the store has come back: a refusal costs the store microseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
