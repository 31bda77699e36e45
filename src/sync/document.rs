//! A document as bytes: what stores return, rooms hold and workers load.

use bytes::Bytes;

/// A document at one moment: a merged Yjs v1 update, and the original updates accepted after it, in order.
///
/// Applied in order to an empty Yjs document they give its whole state. Cloning copies no content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentBytes {
    /// All updates up to some moment, merged into one; `None` as long as nothing was compacted.
    pub snapshot: Option<Bytes>,
    /// The updates after it, unchanged, oldest first.
    pub tail: Vec<Bytes>,
}

impl DocumentBytes {
    /// The snapshot, then the tail.
    pub fn parts(&self) -> impl Iterator<Item = &Bytes> {
        self.snapshot.iter().chain(&self.tail)
    }

    /// The sum of the parts' lengths in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts().map(Bytes::len).sum()
    }

    /// Whether there is no part at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.tail.is_empty()
    }
}
