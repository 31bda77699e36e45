//! Merging: many updates become one, as Yjs's `mergeUpdates` does it, without building a document.
//!
//! The blocks of each client are merged by their clocks; where updates overlap the earliest one wins, as it did for
//! everyone who applied them in order. What is missing becomes a skip. It takes time in proportion to the blocks and
//! the logarithm of the number of updates, and memory for the result.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::block::{Block, Body};
use super::fragment::Fragment;
use super::id_set::IdSet;
use super::scan::{ScanError, Section, UpdateRef};
use super::state_vector::StateVector;
use super::writer::UpdateWriter;

/// Merges updates into one that has the same effect as all of them.
///
/// # Errors
/// When one of them is no update.
///
/// ```
/// use ydock::sync::merge;
///
/// // Client 7 types "a" and "b" into the text "t".
/// let first = [1, 1, 7, 0, 4, 1, 1, b't', 1, b'a', 0];
/// let second = [1, 1, 7, 1, 0x84, 7, 0, 1, b'b', 0];
/// assert_eq!(merge([&first[..], &second])?, [1, 1, 7, 0, 4, 1, 1, b't', 2, b'a', b'b', 0]);
/// # Ok::<(), ydock::sync::ScanError>(())
/// ```
pub fn merge<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, ScanError> {
    merge_above(updates, &StateVector::new())
}

/// Merges what lies above a state vector, and all deletions.
pub(super) fn merge_above<'a>(
    updates: impl IntoIterator<Item = &'a [u8]>,
    known: &StateVector,
) -> Result<Vec<u8>, ScanError> {
    let mut cursors = Vec::new();
    let mut deletes = IdSet::new();
    for update in updates {
        let update = UpdateRef::parse_with(update, |section, end| {
            let from = known.clock(section.client);
            if end > from {
                cursors.push(Cursor { section, from, head: None });
            }
        })?;
        deletes.extend(update.deletes());
    }
    // Stable, so that the cursors of a client stay in the order of the updates.
    cursors.sort_by_key(|cursor| Reverse(cursor.section.client));
    let mut writer = UpdateWriter::default();
    let mut order = Order::default();
    for client in cursors.chunk_by_mut(|one, next| one.section.client == next.section.client) {
        match client {
            [only] => {
                while only.advance() {
                    only.head.take().into_iter().for_each(|head| writer.push(head));
                }
            }
            several => order.merge(several, &mut writer),
        }
    }
    Ok(writer.finish(&deletes))
}

/// The blocks of one client in one update.
struct Cursor<'a> {
    section: Section<'a>,
    /// Blocks that end at or below this clock are passed over, and the first one is cut there.
    from: u32,
    /// The next block.
    head: Option<Fragment<'a>>,
}

impl Cursor<'_> {
    /// Moves on to the next block that has content above `from`; whether there is one.
    fn advance(&mut self) -> bool {
        let from = self.from;
        self.head = self.section.find(|block| block.end() > from && !is_skip(block)).map(|block| {
            let fragment = Fragment::from(block);
            if block.id.clock < from { fragment.split(from - block.id.clock).1 } else { fragment }
        });
        self.head.is_some()
    }
}

/// The order in which several cursors of one client are read.
#[derive(Default)]
struct Order {
    /// Cursors whose next block starts later, the nearest first.
    ahead: BinaryHeap<Reverse<(u32, usize)>>,
    /// Cursors whose next block has started, the earliest update first.
    started: BinaryHeap<Reverse<usize>>,
}

impl Order {
    fn merge<'a>(&mut self, cursors: &mut [Cursor<'a>], writer: &mut UpdateWriter<'a>) {
        for (index, cursor) in cursors.iter_mut().enumerate() {
            self.requeue(index, cursor);
        }
        let mut end = 0;
        loop {
            while let Some(Reverse((start, index))) = self.ahead.peek().copied().filter(|next| next.0.0 <= end) {
                debug_assert!(start <= end);
                self.ahead.pop();
                self.started.push(Reverse(index));
            }
            let Some(Reverse(index)) = self.started.pop() else {
                let Some(Reverse((start, _))) = self.ahead.peek() else { return };
                end = *start;
                continue;
            };
            let Some(cursor) = cursors.get_mut(index) else { continue };
            if let Some(head) = cursor.head.take().filter(|head| head.block.end() > end) {
                let known = end - head.block.id.clock;
                let head = if known > 0 { head.split(known).1 } else { head };
                end = head.block.end();
                writer.push(head);
            }
            cursor.from = end;
            self.requeue(index, cursor);
        }
    }

    fn requeue(&mut self, index: usize, cursor: &mut Cursor<'_>) {
        if cursor.advance()
            && let Some(head) = &cursor.head
        {
            self.ahead.push(Reverse((head.block.id.clock, index)));
        }
    }
}

fn is_skip(block: &Block<'_>) -> bool {
    matches!(block.body, Body::Skip)
}
