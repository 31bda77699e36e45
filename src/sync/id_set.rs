//! Sets of ids: what has been deleted.

use std::collections::BTreeMap;
use std::ops::Range;

use super::block::Id;
use super::scan::{Deletes, Deletion};
use crate::ids::ClientId;
use crate::lib0::write_var_uint;

/// A set of ids, kept as ranges of clocks for each client that are sorted, apart and not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdSet {
    // Trees inside too: a range that comes at a random place must not move all later ones.
    clients: BTreeMap<ClientId, BTreeMap<u32, u32>>,
}

impl IdSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { clients: BTreeMap::new() }
    }

    /// Adds the clocks of one client in `range`; whether any of them is new.
    pub fn insert(&mut self, client: ClientId, range: Range<u32>) -> bool {
        if range.is_empty() {
            return false;
        }
        let ranges = self.clients.entry(client).or_default();
        let Range { mut start, mut end } = range;
        if let Some((&earlier, &earlier_end)) = ranges.range(..=start).next_back() {
            if earlier_end >= end {
                return false;
            }
            if earlier_end >= start {
                start = earlier;
            }
        }
        while let Some((&later, &later_end)) = ranges.range(start..=end).next_back() {
            end = end.max(later_end);
            ranges.remove(&later);
        }
        ranges.insert(start, end);
        true
    }

    /// Whether all clocks of one client in `range` are in the set; an empty range is.
    #[must_use]
    pub fn contains_range(&self, client: ClientId, range: Range<u32>) -> bool {
        range.is_empty()
            || self
                .clients
                .get(&client)
                .and_then(|ranges| ranges.range(..=range.start).next_back())
                .is_some_and(|(_, end)| *end >= range.end)
    }

    /// The clock after the range that holds an id, if one does.
    pub(super) fn end_of_range_at(&self, id: Id) -> Option<u32> {
        let (_, end) = self.clients.get(&id.client)?.range(..=id.clock).next_back()?;
        Some(*end).filter(|end| *end > id.clock)
    }

    /// The clock from which on it is different whether an id is in the set; `u32::MAX` when it never is.
    pub(super) fn next_border(&self, id: Id) -> u32 {
        self.end_of_range_at(id).unwrap_or_else(|| {
            let later = self.clients.get(&id.client).and_then(|ranges| ranges.range(id.clock..).next());
            later.map_or(u32::MAX, |(start, _)| *start)
        })
    }

    /// Whether an id is in the set.
    #[must_use]
    pub fn contains(&self, id: Id) -> bool {
        self.contains_range(id.client, id.clock..id.clock + 1)
    }

    /// The ranges, small client ids and clocks first.
    pub fn iter(&self) -> impl Iterator<Item = (ClientId, Range<u32>)> {
        self.clients.iter().flat_map(|(client, ranges)| ranges.iter().map(|(start, end)| (*client, *start..*end)))
    }

    /// The ranges of one client, small clocks first.
    pub(super) fn ranges(&self, client: ClientId) -> impl Iterator<Item = Range<u32>> {
        self.clients.get(&client).into_iter().flatten().map(|(start, end)| *start..*end)
    }

    /// The number of ranges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.values().map(BTreeMap::len).sum()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Adds all of `other`.
    pub fn union(&mut self, other: &Self) {
        self.extend(other.iter().map(|(client, range)| Deletion { client, start: range.start, end: range.end }));
    }

    /// Whether all of this set is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|(client, range)| other.contains_range(client, range))
    }

    /// Appends the set in the form in which an update ends with it: large client ids first.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_var_uint(out, self.clients.len() as u64);
        for (client, ranges) in self.clients.iter().rev() {
            write_var_uint(out, client.value());
            write_var_uint(out, ranges.len() as u64);
            for (start, end) in ranges {
                write_var_uint(out, (*start).into());
                write_var_uint(out, (*end - *start).into());
            }
        }
    }

    /// About the memory that it takes, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        // Tree nodes hold 11 entries and are two thirds full.
        self.clients.len() * 60 + self.len() * 14
    }
}

impl Extend<Deletion> for IdSet {
    fn extend<I: IntoIterator<Item = Deletion>>(&mut self, deletions: I) {
        for deletion in deletions {
            self.insert(deletion.client, deletion.start..deletion.end);
        }
    }
}

impl From<Deletes<'_>> for IdSet {
    fn from(deletes: Deletes<'_>) -> Self {
        let mut set = Self::new();
        set.extend(deletes);
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn client(number: u64) -> ClientId {
        ClientId::new(number).unwrap()
    }

    #[test]
    fn touching_and_overlapping_ranges_become_one() {
        let mut set = IdSet::new();
        for range in [5..7, 0..2, 7..9, 1..6] {
            assert!(set.insert(client(1), range));
        }
        assert!(!set.insert(client(1), 3..9) && !set.insert(client(2), 4..4));
        assert_eq!(set.iter().collect::<Vec<_>>(), [(client(1), 0..9)]);
        assert!(set.contains_range(client(1), 0..9) && !set.contains_range(client(1), 8..10));
    }

    #[test]
    fn a_set_ends_an_update_with_the_bytes_of_yjs() {
        let mut set = IdSet::new();
        set.insert(client(3), 4..6);
        set.insert(client(9), 0..1);
        let mut out = Vec::new();
        set.encode(&mut out);
        assert_eq!(out, [2, 9, 1, 0, 1, 3, 1, 4, 2]);
    }

    proptest! {
        #[test]
        fn a_set_of_ranges_is_a_set(
            one in proptest::collection::vec((0u64..3, 0u32..40, 0u32..9), 0..40),
            two in proptest::collection::vec((0u64..3, 0u32..40, 0u32..9), 0..10),
        ) {
            let build = |ranges: &[(u64, u32, u32)]| {
                let (mut set, mut plain) = (IdSet::new(), BTreeSet::new());
                for (number, start, len) in ranges {
                    let before = plain.len();
                    plain.extend((*start..start + len).map(|clock| (*number, clock)));
                    assert_eq!(set.insert(client(*number), *start..start + len), plain.len() > before);
                }
                (set, plain)
            };
            let ((mut set, mut plain), (other, other_plain)) = (build(&one), build(&two));
            let ids = |set: &IdSet| -> BTreeSet<_> {
                set.iter().flat_map(|(client, range)| range.map(move |clock| (client.value(), clock))).collect()
            };
            prop_assert_eq!(ids(&set), plain.clone());
            prop_assert_eq!(other.is_subset(&set), other_plain.is_subset(&plain));
            set.union(&other);
            plain.extend(other_plain);
            prop_assert_eq!(ids(&set), plain);
            for (range, next) in set.iter().zip(set.iter().skip(1)) {
                prop_assert!(range.0 < next.0 || range.1.end < next.1.start);
            }
        }
    }
}
