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
    gathering: Gathering,
    /// Somebody waits for what is not durable yet.
    is_awaited: bool,
}

/// When updates are saved that nobody waits for: at the ends of windows that are the same for all documents, so that many
/// are saved by one commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gathering {
    pub(super) epoch: Instant,
    pub(super) window: Duration,
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
    Gathering(Pin<Box<Sleep>>),
    Appending { count: usize, append: Append },
    Pausing(Pin<Box<Sleep>>),
    GivenUp,
}

type Append = Pin<Box<dyn Future<Output = Result<u64, StoreError>> + Send>>;

impl Saver {
    pub(super) fn new(store: Arc<dyn Store>, name: DocName, generation: Generation, gathering: Gathering) -> Self {
        Self {
            store,
            name,
            generation,
            waiting: VecDeque::new(),
            bytes: 0,
            step: Step::Idle,
            failures: 0,
            gathering,
            is_awaited: false,
        }
    }

    /// Adds an update; it is appended as soon as the append under way has ended.
    pub(super) fn save(&mut self, number: u64, update: Bytes, now: Instant) {
        self.bytes += update.len();
        self.waiting.push_back(Waiting { number, update, accepted_at: now });
        if self.bytes >= HURRY_BYTES {
            self.hurry();
        }
    }

    /// Somebody waits for what is not durable yet: it is saved without waiting for more.
    pub(super) fn hurry(&mut self) {
        self.is_awaited = !self.waiting.is_empty();
        if matches!(self.step, Step::Gathering(_)) {
            self.step = Step::Idle;
        }
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
            let may_wait = self.may_wait();
            match &mut self.step {
                Step::Idle if self.waiting.is_empty() => std::future::pending().await,
                Step::Idle if may_wait => {
                    let end = self.gathering.end_of_window(Instant::now());
                    self.step = Step::Gathering(Box::pin(tokio::time::sleep_until(end)));
                }
                Step::Idle => self.start(),
                Step::Gathering(window) => {
                    window.await;
                    self.start();
                }
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

    fn may_wait(&self) -> bool {
        !self.is_awaited && !self.gathering.window.is_zero()
    }

    fn start(&mut self) {
        self.is_awaited = false;
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

impl Gathering {
    fn end_of_window(&self, now: Instant) -> Instant {
        let window = self.window.as_nanos().max(1);
        let into = now.saturating_duration_since(self.epoch).as_nanos() % window;
        now + Duration::from_nanos(u64::try_from(window - into).unwrap_or(u64::MAX))
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
/// With so many bytes, updates wait for no others: there is little to gain.
const HURRY_BYTES: usize = 64 * 1024;
/// The pause after the first failure; it doubles up to the longest. The longest is what a document may stay unsaved, and
/// `/readyz` red, after the store has come back: a refusal costs the store microseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_at_the_same_time_for_all() {
        let epoch = Instant::now();
        let gathering = Gathering { epoch, window: Duration::from_millis(20) };
        let end = |millis| (gathering.end_of_window(epoch + Duration::from_millis(millis)) - epoch).as_millis();
        assert_eq!([0, 1, 19, 20, 39, 1001].map(end), [20, 20, 20, 40, 40, 1020]);
    }
}
