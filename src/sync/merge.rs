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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sync::samples::{At, Sample, any_update, client, id};
    use crate::sync::{diff, split, state_vector_of};

    fn merged(updates: &[Sample]) -> Vec<u8> {
        let updates: Vec<_> = updates.iter().map(Sample::bytes).collect();
        merge(updates.iter().map(Vec::as_slice)).unwrap()
    }

    #[test]
    fn a_hole_becomes_a_skip_and_is_filled_later() {
        let first = Sample::default().section(1, 0).text(At::Root("t"), "a");
        let third = Sample::default().section(1, 2).text(At::After(id(1, 1)), "c");
        let with_hole =
            Sample::default().section(1, 0).text(At::Root("t"), "a").raw(&[10, 1]).text(At::After(id(1, 1)), "c");
        assert_eq!(merged(&[third.clone(), first.clone()]), with_hole.bytes());
        let second = Sample::default().section(1, 1).text(At::After(id(1, 0)), "b");
        let whole = Sample::default().section(1, 0).text(At::Root("t"), "abc").bytes();
        assert_eq!(merged(&[with_hole, second.clone()]), whole);
        assert_eq!(merged(&[third, second, first]), whole);
    }

    #[test]
    fn the_earliest_update_wins_where_updates_overlap() {
        let ab = Sample::default().section(1, 0).text(At::Root("t"), "ab");
        let other = Sample::default().section(1, 0).text(At::Root("u"), "xyz");
        assert_eq!(merged(&[ab.clone(), other]), Sample::default().section(1, 0).text(At::Root("t"), "abz").bytes());
        assert_eq!(merged(&[ab.clone(), ab.clone()]), ab.bytes());
    }

    #[test]
    fn values_of_one_key_stay_apart() {
        let first = Sample::default().section(1, 0).block(8, At::RootKey("m", "k"), &[1, 126]);
        let second = Sample::default().section(1, 1).block(8, At::After(id(1, 0)), &[1, 127]);
        let both = Sample::default().section(1, 0).block(8, At::RootKey("m", "k"), &[1, 126]).block(
            8,
            At::After(id(1, 0)),
            &[1, 127],
        );
        assert_eq!(merged(&[first, second]), both.bytes());
        let first = Sample::default().section(1, 0).block(8, At::Root("l"), &[1, 126]);
        let second = Sample::default().section(1, 1).block(8, At::After(id(1, 0)), &[1, 127]);
        let list = Sample::default().section(1, 0).block(8, At::Root("l"), &[2, 126, 127]);
        assert_eq!(merged(&[first, second]), list.bytes());
    }

    #[test]
    fn a_split_surrogate_pair_is_replaced_on_both_sides_as_in_yjs() {
        let update = Sample::default().section(1, 0).text(At::Root("t"), "a😀b").bytes();
        let state: StateVector = [(client(1), 2)].into_iter().collect();
        let (below, above) = split(&update, &state).unwrap();
        assert_eq!(below, Sample::default().section(1, 0).text(At::Root("t"), "a\u{fffd}").bytes());
        assert_eq!(above, Sample::default().section(1, 2).text(At::After(id(1, 1)), "\u{fffd}b").bytes());
        assert_eq!(diff([update.as_slice()], &state).unwrap(), above);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn merging_keeps_every_id_in_any_grouping(updates in proptest::collection::vec(any_update(), 0..6)) {
            let updates: Vec<_> = updates.iter().map(Vec::as_slice).collect();
            let whole = merge(updates.iter().copied()).unwrap();
            let state = state_vector_of(updates.iter().copied()).unwrap();
            prop_assert_eq!(state_vector_of([whole.as_slice()]).unwrap(), state.clone());
            prop_assert_eq!(&merge([whole.as_slice()]).unwrap(), &whole);
            let (left, right) = updates.split_at(updates.len() / 2);
            let halves = [merge(left.iter().copied()).unwrap(), merge(right.iter().copied()).unwrap()];
            prop_assert_eq!(
                state_vector_of(halves.iter().map(Vec::as_slice)).unwrap(), state.clone());
            let half: StateVector = state.iter().map(|(client, clock)| (client, clock / 2)).collect();
            let (below, above) = split(&whole, &half).unwrap();
            let difference = diff([whole.as_slice()], &half).unwrap();
            for parts in [[below.as_slice(), above.as_slice()], [&below, &difference]] {
                prop_assert_eq!(state_vector_of(parts).unwrap(), state.clone());
            }
            prop_assert_eq!(state_vector_of([below.as_slice()]).unwrap(), half);
        }
    }
}
