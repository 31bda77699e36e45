//! How fast what one connection carries is read: as fast as that of documents, whatever is in it.
//!
//! Events have rates of their own, beyond which a client is sent away; this is for the bytes, and for what is no event.

use std::sync::Arc;
use std::time::Duration;

use crate::connection::Pace;
use crate::telemetry::Metrics;

/// How fast what one connection carries is read.
#[derive(Debug)]
pub(crate) struct Inflow {
    pace: Option<Pace>,
    /// A client that is not read answers no ping, so it must not take long.
    longest: Duration,
    metrics: Arc<Metrics>,
}

impl Inflow {
    pub(super) fn new(pace: Option<Pace>, ping_timeout: Duration, metrics: Arc<Metrics>) -> Self {
        Self { pace, longest: ping_timeout / 2, metrics }
    }

    /// A message of this length was read; how long to wait before the next one is.
    pub(crate) fn received(&mut self, len: usize) -> Option<Duration> {
        let pace = self.pace.as_mut()?;
        let (for_message, for_bytes) = (pace.message(), pace.bytes(len));
        self.metrics.slowed_messages.increment(u64::from(for_message.is_some()));
        self.metrics.slowed_bytes.increment(u64::from(for_bytes.is_some()));
        Some(for_message.max(for_bytes)?.min(self.longest))
    }
}
