//! The document of a room as bytes, numbered.
//!
//! Updates are numbered from 1 in the order in which the room accepted them. The store numbers them too; after a retried
//! append its numbers may run ahead, so nothing compares the two.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::sync::{DocumentBytes, StateVector};

/// A document's bytes: a snapshot that stands for the updates up to a number, and the updates after it.
#[derive(Debug, Default)]
pub(super) struct Log {
    snapshot: Option<Bytes>,
    snapshot_upto: u64,
    tail: VecDeque<Bytes>,
    bytes: usize,
    /// Of the snapshot, if there is one, and of a few before it.
    checkpoints: VecDeque<Checkpoint>,
}

/// What the document knew when a snapshot was made.
#[derive(Debug)]
struct Checkpoint {
    upto: u64,
    /// Encoded, which takes a third of the memory: it is seldom needed.
    state_vector: Box<[u8]>,
}

/// Which updates somebody may be shown now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    /// None above this number.
    pub(super) upto: u64,
    /// And none of these, in order.
    pub(super) hidden: Vec<u64>,
}

impl Sight {
    pub(super) fn shows(&self, number: u64) -> bool {
        number <= self.upto && self.hidden.binary_search(&number).is_err()
    }

    /// Whether every update up to a number is shown.
    pub(super) fn shows_all(&self, upto: u64) -> bool {
        upto <= self.upto && self.hidden.is_empty()
    }
}

impl Log {
    /// The log of a document, with what its snapshot stands for and knows.
    pub(super) fn new(bytes: DocumentBytes, snapshot_upto: u64, known: &StateVector) -> Self {
        let length = bytes.len();
        let checkpoint = bytes.snapshot.as_ref().map(|_| Checkpoint::new(snapshot_upto, known));
        Self {
            snapshot_upto,
            snapshot: bytes.snapshot,
            tail: bytes.tail.into(),
            bytes: length,
            checkpoints: checkpoint.into_iter().collect(),
        }
    }

    /// Adds an update and gives its number.
    pub(super) fn push(&mut self, update: Bytes) -> u64 {
        self.bytes += update.len();
        self.tail.push_back(update);
        self.head()
    }

    /// The number of the last update.
    pub(super) fn head(&self) -> u64 {
        self.snapshot_upto + self.tail.len() as u64
    }

    /// The number up to which the snapshot stands for the updates.
    pub(super) fn snapshot_upto(&self) -> u64 {
        self.snapshot_upto
    }

    /// The length of all parts in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    pub(super) fn snapshot(&self) -> Option<Bytes> {
        self.snapshot.clone()
    }

    pub(super) fn snapshot_len(&self) -> usize {
        self.snapshot.as_ref().map_or(0, Bytes::len)
    }

    /// The document up to a number, or up to the snapshot if that is later.
    pub(super) fn upto(&self, number: u64) -> DocumentBytes {
        let count = usize::try_from(number.saturating_sub(self.snapshot_upto)).unwrap_or(usize::MAX);
        DocumentBytes { snapshot: self.snapshot.clone(), tail: self.tail.iter().take(count).cloned().collect() }
    }

    /// The document as somebody may see it now.
    pub(super) fn document_within(&self, sight: &Sight) -> DocumentBytes {
        let tail = (self.snapshot_upto + 1..).zip(&self.tail).filter(|(number, _)| sight.shows(*number));
        DocumentBytes { snapshot: self.snapshot.clone(), tail: tail.map(|(_, update)| update.clone()).collect() }
    }

    /// The whole document.
    pub(super) fn document(&self) -> DocumentBytes {
        self.upto(u64::MAX)
    }

    /// The updates from a number on; `None` when the snapshot has taken the place of some of them.
    pub(super) fn since(&self, number: u64) -> Option<impl Iterator<Item = &Bytes>> {
        let skip = number.checked_sub(self.snapshot_upto + 1)?;
        Some(self.tail.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)))
    }

    /// The latest remembered state vector of the document before a number.
    pub(super) fn state_before(&self, number: u64) -> Option<StateVector> {
        let checkpoint = self.checkpoints.iter().rev().find(|checkpoint| checkpoint.upto < number)?;
        StateVector::decode(&checkpoint.state_vector, usize::MAX).ok()
    }

    /// Whether who knows this knows all of the snapshot; not without one.
    pub(super) fn is_snapshot_known(&self, known: &StateVector) -> bool {
        self.checkpoints.back().is_some_and(|checkpoint| known.covers_encoded(&checkpoint.state_vector))
    }

    /// The updates after the snapshot.
    pub(super) fn tail(&self) -> impl Iterator<Item = &Bytes> {
        self.tail.iter()
    }

    /// Puts a snapshot, and what the document knew then, in the place of the updates up to a number.
    pub(super) fn replace(&mut self, upto: u64, snapshot: Bytes, state_vector: &StateVector) {
        let count = usize::try_from(upto.saturating_sub(self.snapshot_upto)).unwrap_or(usize::MAX);
        let count = count.min(self.tail.len());
        let removed: usize = self.tail.drain(..count).map(|update| update.len()).sum();
        self.bytes = self.bytes - removed - self.snapshot_len() + snapshot.len();
        self.snapshot_upto += count as u64;
        self.checkpoints.push_back(Checkpoint::new(self.snapshot_upto, state_vector));
        if self.checkpoints.len() > CHECKPOINTS {
            self.checkpoints.pop_front();
        }
        self.snapshot = Some(snapshot);
    }
}

impl Checkpoint {
    fn new(upto: u64, known: &StateVector) -> Self {
        Self { upto, state_vector: known.encode().into() }
    }
}

/// For so many snapshots, the present one included, a slow member can still be served a diff instead of the whole document.
const CHECKPOINTS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClientId;

    fn log(updates: &[&'static str]) -> Log {
        let mut log = Log::default();
        for update in updates {
            log.push(Bytes::from_static(update.as_bytes()));
        }
        log
    }

    fn texts<'a>(updates: impl Iterator<Item = &'a Bytes>) -> Vec<&'a str> {
        updates.map(|update| std::str::from_utf8(update).unwrap()).collect()
    }

    #[test]
    fn a_snapshot_takes_the_place_of_what_it_covers_and_numbers_go_on() {
        let mut log = log(&["a", "bb", "ccc"]);
        assert_eq!((log.head(), log.len()), (3, 6));
        log.replace(2, Bytes::from_static(b"AB"), &StateVector::default());
        assert_eq!((log.head(), log.snapshot_upto(), log.len()), (3, 2, 5));
        assert_eq!(log.push(Bytes::from_static(b"d")), 4);
        assert_eq!(texts(log.since(4).unwrap()), ["d"]);
        assert_eq!(texts(log.since(3).unwrap()), ["ccc", "d"]);
        assert!(log.since(2).is_none());
        assert_eq!(texts(log.document().parts()), ["AB", "ccc", "d"]);
        assert_eq!(texts(log.upto(3).parts()), ["AB", "ccc"]);
    }

    #[test]
    fn an_earlier_checkpoint_serves_whoever_has_seen_that_much() {
        let known = |clock| StateVector::from_iter([(ClientId::new(7).unwrap(), clock)]);
        let mut log = log(&["a", "b", "c", "d", "e", "f"]);
        for upto in 2..=6 {
            log.replace(u64::from(upto), Bytes::from_static(b"A"), &known(upto));
        }
        assert_eq!(
            [3, 4, 5, 6, 7].map(|number| log.state_before(number)),
            [None, Some(known(3)), Some(known(4)), Some(known(5)), Some(known(6)),]
        );
    }
}
