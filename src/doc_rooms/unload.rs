//! The quiet side of a room's life: compaction, and the end when nobody is there.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::compaction::{Compacted, CompactionError, Job};
use super::room::Room;
use crate::storage::StoreError;
use crate::telemetry::ErrorChain;

/// Since when a room has been quiet.
#[derive(Debug)]
pub(super) struct Idle {
    since: Option<Instant>,
    stopping: bool,
    /// The number of the last update when the room was last compacted before its end.
    compacted_at: u64,
}

impl Idle {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: Some(now), stopping: false, compacted_at: 0 }
    }

    /// Records whether the room is quiet now.
    pub(super) fn note(&mut self, quiet: bool, now: Instant) {
        match (quiet, self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(_)) => self.since = None,
            _ => {}
        }
    }

    /// The server stops: quiet rooms end at once.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// When the room may end, if it stays quiet.
    pub(super) fn due(&self, idle_after: Duration) -> Option<Instant> {
        self.since.map(|since| if self.stopping { since } else { since + idle_after })
    }

    /// Starts counting anew: somebody is on the way.
    fn again(&mut self, now: Instant) {
        self.since = Some(now + HANDLE_PAUSE);
    }
}

impl Room {
    /// Tries to end a quiet room; says whether it has ended.
    pub(super) fn retire(&mut self, idle: &mut Idle, room: u64, now: Instant) -> bool {
        let worth_it = !idle.is_stopping() && self.is_worth_compacting(UNLOAD_UPDATES);
        // Once for what it is: a store that refuses the snapshot must not keep the room in memory.
        let head = self.state.log.head();
        if worth_it && idle.compacted_at != head {
            idle.compacted_at = head;
            self.start_compaction();
            idle.note(false, now);
            return false;
        }
        let retired = self.context.retire(&self.name, room);
        if !retired {
            idle.again(now);
        }
        retired
    }

    /// Starts a compaction when there is enough to gain and the last one is long enough ago.
    pub(super) fn compact_if_due(&mut self, now: Instant) {
        let may = now >= self.compact_from && !self.is_compacting;
        let is_wanted = may && self.is_worth_compacting(self.context.config.compact_updates);
        if is_wanted && !self.context.tasks.is_stopping() {
            self.start_compaction();
        }
    }

    /// A compaction ended.
    pub(super) fn compacted(&mut self, outcome: Result<Compacted, CompactionError>, now: Instant) {
        self.is_compacting = false;
        self.compact_from = now + self.context.config.compact_interval;
        match outcome {
            Ok(Compacted { upto, stored_upto, snapshot, state_vector, uncollected }) => {
                self.context.metrics.compactions.increment(1);
                self.snapshot_stored = stored_upto;
                self.state.log.replace(upto, snapshot, &state_vector);
                if let Some(error) = uncollected
                    && !std::mem::replace(&mut self.told_uncollected, true)
                {
                    let error = ErrorChain(&error);
                    tracing::error!(doc = %self.name, %error, "deleted content stays, it could not be collected");
                }
            }
            Err(CompactionError::Stopping) => {}
            Err(error) => {
                // Somebody else has compacted the document: what the room holds stands for all of that too.
                if let CompactionError::Store(StoreError::Conflict { generation, snapshot_upto, .. }) = &error
                    && *generation == self.generation
                {
                    self.snapshot_stored = *snapshot_upto;
                }
                tracing::warn!(doc = %self.name, error = %error, "a compaction changed nothing");
            }
        }
    }

    fn is_worth_compacting(&self, updates: usize) -> bool {
        let log = &self.state.log;
        let durable = self.state.saved_upto().saturating_sub(log.snapshot_upto());
        let tail_bytes = log.len() - log.snapshot_len();
        let large = tail_bytes > MIN_TAIL_BYTES.max(log.snapshot_len() / 2);
        durable > 1 && (durable >= updates as u64 || large)
    }

    fn start_compaction(&mut self) {
        let upto = self.state.saved_upto();
        let job = Job {
            store: self.context.store.clone(),
            tasks: self.context.tasks.clone(),
            places: Arc::clone(&self.context.compactions),
            name: self.name.clone(),
            generation: self.generation,
            history: self.context.config.history,
            parts: self.state.log.upto(upto),
            upto,
            stored_upto: self.saved_stored,
            previous_stored_upto: self.snapshot_stored,
        };
        self.is_compacting = true;
        self.todo.compaction = Some(Box::new(job));
    }
}

/// A document that leaves memory is compacted when at least this many updates lie after its snapshot.
const UNLOAD_UPDATES: usize = 50;
/// Tails below this size are not worth compacting for their size.
const MIN_TAIL_BYTES: usize = 64 * 1024;
/// How long a quiet room waits for whoever holds a handle to it but has not sent anything yet.
const HANDLE_PAUSE: Duration = Duration::from_millis(50);
