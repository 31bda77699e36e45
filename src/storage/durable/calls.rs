//! Notices a call into the engine that does not come back.
//!
//! A call that hangs, on a dead network disk or in the engine itself, can be neither ended nor taken for failed: what it
//! writes may yet become durable. So its callers wait, unacknowledged; but the health says why, and nobody waits for the
//! end of the store.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

/// The calls of the writer thread into the engine, one at a time.
#[derive(Debug)]
pub(super) struct Calls {
    patience: Duration,
    running_since: Mutex<Option<Instant>>,
}

/// While this lives, a call runs.
pub(super) struct Running<'c>(&'c Calls);

/// The engine has not come back from a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the storage engine has not answered for {} s", .since.as_secs())]
pub(super) struct Hanging {
    since: Duration,
}

impl Calls {
    /// A call counts as hanging after this time.
    pub(super) const fn new(patience: Duration) -> Self {
        Self { patience, running_since: Mutex::new(None) }
    }

    /// Notes that a call begins.
    pub(super) fn begin(&self) -> Running<'_> {
        *self.running_since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Running(self)
    }

    /// The call that hangs, if one does.
    pub(super) fn hanging(&self) -> Option<Hanging> {
        let since = self.running_since.lock().unwrap_or_else(PoisonError::into_inner).map(|since| since.elapsed())?;
        (since >= self.patience).then_some(Hanging { since })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.running_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// How long an engine may take for one call. Opening a large database again after a failure may take longer, and then
/// the health is right to say so.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_hangs_once_patience_is_over_and_until_it_ends() {
        let calls = Calls::new(Duration::ZERO);
        assert_eq!(calls.hanging(), None);
        let running = calls.begin();
        assert_eq!(calls.hanging().unwrap().to_string(), "the storage engine has not answered for 0 s");
        drop(running);
        assert_eq!(calls.hanging(), None);
    }

    #[test]
    fn a_call_may_take_its_time() {
        let calls = Calls::new(Duration::from_hours(1));
        let _running = calls.begin();
        assert_eq!(calls.hanging(), None);
    }
}
