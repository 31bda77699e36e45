//! What a worker keeps loaded, as its parent knows it.
//!
//! Pure bookkeeping: it decides which documents stay and what of a document has to be sent; the lane carries it out.

use super::export::{DocumentKey, Source};

/// The documents in one worker, least recently used first.
#[derive(Debug)]
pub(super) struct Kept {
    /// Estimated memory that kept documents may take, in bytes.
    budget: u64,
    held: Vec<Held>,
    next_slot: u64,
}

#[derive(Debug)]
struct Held {
    key: DocumentKey,
    slot: u64,
    head: u64,
    /// Encoded bytes that were loaded.
    bytes: u64,
}

/// What to do for an export.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Where the document is or goes.
    pub slot: u64,
    /// Parts that the worker has: the rest is to be sent.
    pub known: usize,
    /// Slots to be emptied before.
    pub drop: Vec<u64>,
}

impl Kept {
    /// Nothing yet.
    pub(super) fn new(budget: u64) -> Self {
        Self { budget, held: Vec::new(), next_slot: 0 }
    }

    /// Plans an export, and makes room for its document by forgetting the least recently used ones.
    ///
    /// A copy serves when it is a prefix of the document: it holds the snapshot and nothing beyond the head.
    pub(super) fn plan(&mut self, source: &Source) -> Plan {
        let mut drop = Vec::new();
        let mut found = None;
        if let Some(index) = self.held.iter().position(|held| held.key == source.key) {
            let held = self.held.remove(index);
            match known_parts(source, held.head) {
                Some(known) => found = Some((held.slot, known)),
                None => drop.push(held.slot),
            }
        }
        let (slot, known) = found.unwrap_or_else(|| {
            self.next_slot += 1;
            (self.next_slot, 0)
        });
        self.shrink(self.budget.saturating_sub(loaded_size(source.bytes.len() as u64)), &mut drop);
        Plan { slot, known, drop }
    }

    /// Records a document that is loaded now; `false` when it must be dropped because it does not fit or its version
    /// numbers do not describe its parts.
    pub(super) fn keep(&mut self, source: &Source, slot: u64) -> bool {
        let bytes = source.bytes.len() as u64;
        if loaded_size(bytes) > self.budget || known_parts(source, source.head).is_none() {
            return false;
        }
        self.held.push(Held { key: source.key.clone(), slot, head: source.head, bytes });
        true
    }

    /// Forgets everything: the worker is gone.
    pub(super) fn clear(&mut self) {
        self.held.clear();
    }

    fn shrink(&mut self, room: u64, drop: &mut Vec<u64>) {
        while self.held.iter().map(|held| loaded_size(held.bytes)).sum::<u64>() > room {
            if self.held.is_empty() {
                break;
            }
            drop.push(self.held.remove(0).slot);
        }
    }
}

/// How many of the source's parts lie within versions 1 to `head`, if those are a prefix of it that ends between parts.
fn known_parts(source: &Source, head: u64) -> Option<usize> {
    let tail = source.head.checked_sub(source.snapshot_upto)?;
    if source.bytes.tail.len() as u64 != tail || head > source.head {
        return None;
    }
    let beyond = usize::try_from(head.checked_sub(source.snapshot_upto)?).ok()?;
    Some(usize::from(source.bytes.snapshot.is_some()) + beyond)
}

/// The memory of a loaded document, from its encoded size.
const fn loaded_size(encoded: u64) -> u64 {
    encoded.saturating_mul(9)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::ids::{DocName, Generation};
    use crate::sync::DocumentBytes;

    fn source(name: &str, snapshot_upto: u64, head: u64) -> Source {
        let part = Bytes::from_static(&[0; 10]);
        Source {
            key: DocumentKey { name: DocName::parse(name).expect("a name"), generation: Generation::FIRST },
            bytes: DocumentBytes {
                snapshot: (snapshot_upto > 0).then(|| part.clone()),
                tail: vec![part; usize::try_from(head - snapshot_upto).expect("a count")],
            },
            snapshot_upto,
            head,
        }
    }

    #[test]
    fn a_longer_tail_is_sent_from_where_the_copy_ends() {
        let mut kept = Kept::new(10_000);
        let first = kept.plan(&source("a", 3, 5));
        assert_eq!(first, Plan { slot: 1, known: 0, drop: vec![] });
        assert!(kept.keep(&source("a", 3, 5), first.slot));
        assert_eq!(kept.plan(&source("a", 3, 9)), Plan { slot: 1, known: 3, drop: vec![] });
        assert!(kept.keep(&source("a", 3, 9), 1));
        let compacted = kept.plan(&source("a", 8, 10));
        assert_eq!(compacted, Plan { slot: 1, known: 2, drop: vec![] });
    }

    #[test]
    fn a_copy_that_lacks_the_snapshot_or_is_ahead_is_loaded_anew() {
        let mut kept = Kept::new(10_000);
        assert!(kept.keep(&source("a", 3, 5), 9));
        assert_eq!(kept.plan(&source("a", 6, 7)), Plan { slot: 1, known: 0, drop: vec![9] });
        assert!(kept.keep(&source("a", 3, 5), 1));
        assert_eq!(kept.plan(&source("a", 3, 4)), Plan { slot: 2, known: 0, drop: vec![1] });
    }

    #[test]
    fn the_least_recently_used_document_makes_room_and_a_too_large_one_is_not_kept() {
        let mut kept = Kept::new(3 * 9 * 20);
        for (slot, name) in [(1, "a"), (2, "b"), (3, "c")] {
            assert_eq!(kept.plan(&source(name, 0, 2)), Plan { slot, known: 0, drop: vec![] });
            assert!(kept.keep(&source(name, 0, 2), slot));
        }
        assert_eq!(kept.plan(&source("a", 0, 2)).known, 2);
        assert!(kept.keep(&source("a", 0, 2), 1));
        assert_eq!(kept.plan(&source("d", 0, 2)).drop, vec![2]);
        assert!(!kept.keep(&source("e", 0, 7), 5));
    }

    #[test]
    fn a_source_whose_numbers_do_not_describe_its_parts_is_not_kept() {
        let mut kept = Kept::new(10_000);
        let mut odd = source("a", 0, 2);
        odd.head = 3;
        assert!(!kept.keep(&odd, 1));
    }
}
