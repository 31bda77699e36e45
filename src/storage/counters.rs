//! What a store has done since it was opened, for whoever exports metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Sums that only grow. Each is read on its own: two read one after the other may be some commits apart.
#[derive(Debug, Default)]
pub struct StoreCounters {
    commits: AtomicU64,
    committed_records: AtomicU64,
    committed_bytes: AtomicU64,
    failures: AtomicU64,
    commit_micros: AtomicU64,
}

impl StoreCounters {
    /// Transactions that became durable.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Updates that became durable.
    #[must_use]
    pub fn committed_records(&self) -> u64 {
        self.committed_records.load(Ordering::Relaxed)
    }

    /// Bytes of updates, snapshots and ancestors that became durable, without the store's own overhead.
    #[must_use]
    pub fn committed_bytes(&self) -> u64 {
        self.committed_bytes.load(Ordering::Relaxed)
    }

    /// Transactions that failed, and failed attempts to open the database again.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Time spent in transactions that became durable, in microseconds.
    #[must_use]
    pub fn commit_micros(&self) -> u64 {
        self.commit_micros.load(Ordering::Relaxed)
    }

    pub(super) fn committed(&self, records: u64, bytes: u64, elapsed: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.committed_records.fetch_add(records, Ordering::Relaxed);
        self.committed_bytes.fetch_add(bytes, Ordering::Relaxed);
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.commit_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}
