//! When the client was last heard.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// When the client was last heard.
#[derive(Debug)]
pub(super) struct Heard {
    start: Instant,
    millis: AtomicU64,
    /// The room keeps the reader waiting: what the client says meanwhile is not read, so its silence means nothing.
    pub(super) busy: AtomicBool,
}

impl Heard {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), millis: AtomicU64::new(0), busy: AtomicBool::new(false) }
    }

    pub(super) fn note(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.millis.store(millis, Ordering::Relaxed);
    }

    pub(super) fn silent_for(&self, now: Instant) -> Duration {
        if self.busy.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let heard = self.start + Duration::from_millis(self.millis.load(Ordering::Relaxed));
        now.saturating_duration_since(heard)
    }
}
