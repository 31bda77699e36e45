//! A room's way to the disk: one append under way, the rest waiting, nothing dropped.
//!
//! The promise: updates become durable in order, and after a failure the same updates are tried again until they are.
//! The saver decides what is due; whoever asks it carries that out.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::storage::StoreError;

/// The updates of one room that are not durable yet.
#[derive(Debug)]
pub(super) struct Saver {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    step: Step,
    failures: u32,
    /// Whether what nobody waits for is saved together with what other documents have.
    may_gather: bool,
    /// Somebody waits for what is not durable yet.
    is_awaited: bool,
}

/// What has to happen next.
#[derive(Debug)]
pub(super) enum Due {
    Nothing,
    /// At the end of the window that is open, [`take`](Saver::take) is asked for what there is then.
    Window,
    /// These are appended now.
    Append(Vec<Bytes>),
}

/// What happened to an append.
#[derive(Debug)]
pub(super) enum Progress {
    /// Everything up to a number is durable; the store calls the last one `stored`.
    Saved { upto: u64, stored: u64, count: u64, accepted_at: Instant },
    /// The store refused for now; after the pause the same updates are tried again.
    Failed { error: StoreError, pause: Duration },
    /// The store will never take these updates.
    Lost { error: StoreError },
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    update: Bytes,
    accepted_at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Idle,
    Gathering,
    Appending { count: usize },
    Pausing,
    GivenUp,
}

impl Saver {
    /// Nothing waits. Without `may_gather`, everything is saved at once.
    pub(super) fn new(may_gather: bool) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, step: Step::Idle, failures: 0, may_gather, is_awaited: false }
    }

    /// Adds an update; it is appended when the append under way has ended, and its window.
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
        if self.step == Step::Gathering {
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

    /// What has to happen next; said once, and from then on taken for under way.
    pub(super) fn due(&mut self) -> Due {
        if self.step != Step::Idle || self.waiting.is_empty() {
            return Due::Nothing;
        }
        if self.may_gather && !self.is_awaited {
            self.step = Step::Gathering;
            return Due::Window;
        }
        Due::Append(self.start())
    }

    /// A window has ended: what is to be appended, unless it is under way already.
    pub(super) fn take(&mut self) -> Option<Vec<Bytes>> {
        (self.step == Step::Gathering).then(|| self.start())
    }

    /// The append under way has ended; `None` when nobody cares any more.
    pub(super) fn finish(&mut self, outcome: Result<u64, StoreError>) -> Option<Progress> {
        let Step::Appending { count } = self.step else { return None };
        self.step = Step::Idle;
        Some(match outcome {
            Ok(stored) => {
                self.failures = 0;
                let accepted_at = self.waiting.front().map_or_else(Instant::now, |waiting| waiting.accepted_at);
                let mut upto = 0;
                for waiting in self.waiting.drain(..count.min(self.waiting.len())) {
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
                let pause = (FIRST_PAUSE * 2_u32.pow(self.failures.min(4))).min(LONGEST_PAUSE);
                self.failures += 1;
                self.step = Step::Pausing;
                // Others may have been waiting when it failed, and it is to be known soon when the store is back.
                self.is_awaited = true;
                Progress::Failed { error, pause }
            }
        })
    }

    /// The pause after a failure is over.
    pub(super) fn resume(&mut self) {
        if self.step == Step::Pausing {
            self.step = Step::Idle;
        }
    }

    /// Forgets everything, whatever becomes of the append under way: the document is being deleted.
    pub(super) fn abandon(&mut self) {
        self.step = Step::GivenUp;
        self.waiting.clear();
        self.bytes = 0;
    }

    fn start(&mut self) -> Vec<Bytes> {
        self.is_awaited = false;
        let mut batch = Vec::with_capacity(self.waiting.len().min(MAX_BATCH));
        let mut bytes = 0;
        for waiting in self.waiting.iter().take(MAX_BATCH) {
            bytes += waiting.update.len();
            if bytes > MAX_BATCH_BYTES && !batch.is_empty() {
                break;
            }
            batch.push(waiting.update.clone());
        }
        self.step = Step::Appending { count: batch.len() };
        batch
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
    use std::sync::Arc;

    use super::*;

    fn saver(may_gather: bool, updates: &[&'static str]) -> Saver {
        let mut saver = Saver::new(may_gather);
        for (number, update) in (1..).zip(updates) {
            saver.save(number, Bytes::from_static(update.as_bytes()), Instant::now());
        }
        saver
    }

    fn failure() -> StoreError {
        StoreError::Unavailable(Arc::new(std::fmt::Error))
    }

    #[test]
    fn what_nobody_waits_for_waits_for_its_window_once() {
        let mut saver = saver(true, &["a"]);
        assert!(matches!(saver.due(), Due::Window));
        assert!(matches!(saver.due(), Due::Nothing));
        saver.save(2, Bytes::from_static(b"b"), Instant::now());
        assert_eq!(saver.take().unwrap(), ["a", "b"]);
        assert!(saver.take().is_none());
        assert!(matches!(saver.finish(Ok(7)), Some(Progress::Saved { upto: 2, stored: 7, count: 2, .. })));
        assert_eq!((saver.unsaved(), saver.unsaved_bytes()), (0, 0));
        assert!(matches!(saver.due(), Due::Nothing));
    }

    #[test]
    fn what_somebody_waits_for_leaves_its_window() {
        let mut saver = saver(true, &["a"]);
        assert!(matches!(saver.due(), Due::Window));
        saver.hurry();
        assert!(matches!(saver.due(), Due::Append(updates) if updates == ["a"]));
        assert!(saver.take().is_none());
        let mut saver = super::Saver::new(false);
        saver.save(1, Bytes::from_static(b"a"), Instant::now());
        assert!(matches!(saver.due(), Due::Append(_)));
    }

    #[test]
    fn what_failed_is_tried_again_after_pauses_that_grow() {
        let mut saver = saver(true, &["a"]);
        assert!(matches!(saver.due(), Due::Window));
        let mut pauses = Vec::new();
        let mut updates = saver.take().unwrap();
        for _ in 0..6 {
            assert_eq!(updates, ["a"]);
            let Some(Progress::Failed { pause, .. }) = saver.finish(Err(failure())) else { panic!("not a failure") };
            pauses.push(pause.as_millis());
            assert!(matches!(saver.due(), Due::Nothing));
            saver.resume();
            let Due::Append(again) = saver.due() else { panic!("not tried again") };
            updates = again;
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000]);
        assert!(matches!(saver.finish(Ok(1)), Some(Progress::Saved { upto: 1, .. })));
    }

    #[test]
    fn what_was_abandoned_has_no_outcome() {
        let mut saver = saver(false, &["a"]);
        assert!(matches!(saver.due(), Due::Append(_)));
        saver.abandon();
        assert!(saver.finish(Ok(1)).is_none());
        assert_eq!(saver.unsaved(), 0);
        assert!(matches!(saver.due(), Due::Nothing));
    }
}
