//! How far a task is.

use serde::{Deserialize, Serialize};

use super::Census;

/// How far a task is. Totals are those of its beginning: what comes meanwhile may exceed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// Names done.
    pub names: u64,
    /// Names there were.
    pub of_names: u64,
    /// Bytes of content done.
    pub bytes: u64,
    /// Bytes of content there were.
    pub of_bytes: u64,
}

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Records are read and checked.
    Read,
    /// Documents are decoded.
    Decode,
    /// Documents are merged.
    Merge,
    /// The file is made smaller.
    Shrink,
    /// Documents are copied.
    Copy,
}

/// Who is told how far a task is.
pub type Seen<'a> = &'a mut (dyn FnMut(Progress) + Send);

impl Progress {
    /// Nothing is done of a store.
    #[must_use]
    pub fn start(step: Step, census: &Census) -> Self {
        let of_names = census.documents + census.tombstones;
        Self { step, names: 0, of_names, bytes: 0, of_bytes: census.bytes }
    }

    /// One more name is done.
    pub fn add(&mut self, bytes: u64) {
        self.names += 1;
        self.bytes += bytes;
    }
}
