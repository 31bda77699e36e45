//! What came of a fault, in numbers and in words.

use serde::{Deserialize, Serialize};

/// The outcome of all rounds of one fault against one store.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) rounds: u64,
    /// Updates that the store had acknowledged before the fault.
    pub(crate) acknowledged: u64,
    /// Acknowledged updates that are gone without an error.
    pub(crate) lost: u64,
    /// Batches of which a part is there.
    pub(crate) torn: u64,
    /// Rounds in which data was missing or altered and no error said so.
    pub(crate) silent: u64,
    /// Rounds in which a typed error said what cannot be read.
    pub(crate) refused: u64,
    /// Rounds in which a process ended by a panic or a signal that nobody sent.
    pub(crate) panics: u64,
    /// Rounds that had to be ended.
    pub(crate) hangs: u64,
    /// What happened in rounds that are counted in any of the above but `refused`, and promises of other kinds that
    /// were broken.
    pub(crate) broken: Vec<String>,
    /// What a reader should know about the numbers.
    pub(crate) notes: Vec<String>,
    /// Why nothing was tried.
    pub(crate) skipped: Option<String>,
}

impl Tally {
    pub(crate) fn skipped(why: &str) -> Self {
        Self { skipped: Some(why.to_owned()), ..Self::default() }
    }

    /// Writes down that a promise was broken in a round.
    pub(crate) fn breaks(&mut self, round: u64, what: impl AsRef<str>) {
        self.broken.push(format!("round {round}: {}", what.as_ref()));
    }

    /// Writes down that a promise was broken unless the condition holds.
    pub(crate) fn insist(&mut self, round: u64, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.breaks(round, what());
        }
    }

    pub(crate) fn note(&mut self, what: impl Into<String>) {
        self.notes.push(what.into());
    }

    /// Whether everything was as promised, where an error is an honest answer or is not.
    pub(crate) fn is_kept(&self, may_refuse: bool) -> bool {
        let counted = self.lost + self.torn + self.silent + self.panics + self.hangs;
        counted == 0 && self.broken.is_empty() && (may_refuse || self.refused == 0)
    }
}
