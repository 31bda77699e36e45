//! How a hook says no, and what becomes of one that says nothing.

use std::sync::Arc;

use thiserror::Error;

/// A hook's no.
///
/// ```
/// use ydock::hooks::Refusal;
///
/// assert_eq!(Refusal::new("closed on Sundays").to_string(), "closed on Sundays");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Refusal {
    reason: Arc<str>,
}

/// Why an event does not take place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HookError {
    /// A hook refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A hook panicked or took too long: it may go better later.
    #[error("this cannot be decided now, try again later")]
    Failed,
}

impl Refusal {
    /// A refusal for a reason that is shown to the client.
    #[must_use]
    pub fn new(reason: impl Into<Arc<str>>) -> Self {
        Self { reason: reason.into() }
    }
}
