//! Where the ids of one client stand: run-length encoded, since neighbours by clock mostly are neighbours in a list.

use std::ops::Range;

use smallvec::SmallVec;

use super::places::Place;

/// Where an id stands, in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing(u32);

/// What an id can be to its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Content that holds nothing.
    Content,
    /// A type, which holds lists.
    Type,
    /// Content that was thrown away; it may have been a type.
    Deleted,
}

impl Standing {
    /// Nowhere: collected together with the list in which it stood.
    pub(super) const COLLECTED: Self = Self(u32::MAX);

    pub(super) const fn new(place: Place, role: Role) -> Self {
        let role = match role {
            Role::Content => 0,
            Role::Type => TYPE,
            Role::Deleted => DELETED,
        };
        Self(place.number() | role)
    }

    /// The list in which it stands.
    pub(super) const fn place(self) -> Option<Place> {
        if self.0 == Self::COLLECTED.0 { None } else { Some(Place::from_number(self.0 & !(TYPE | DELETED))) }
    }

    pub(super) const fn role(self) -> Role {
        if self.0 & DELETED != 0 {
            Role::Deleted
        } else if self.0 & TYPE != 0 {
            Role::Type
        } else {
            Role::Content
        }
    }
}

/// The ids of one client, from clock 0 to the client's clock in the state vector.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// Each run reaches to the start of the next one. Most clients of a document that many have visited have one run, or two.
    runs: SmallVec<[Run; 2]>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    start: u32,
    standing: Standing,
}

impl Runs {
    /// Adds ids from `start`, the end so far, on.
    pub(super) fn push(&mut self, start: u32, standing: Standing) {
        if self.runs.last().is_none_or(|last| last.standing != standing) {
            self.runs.push(Run { start, standing });
        }
    }

    /// Where the id with this clock stands; the clock must be below the end.
    pub(super) fn standing(&self, clock: u32) -> Standing {
        let run = match self.runs.last() {
            Some(last) if last.start <= clock => Some(last),
            _ => self.runs.partition_point(|run| run.start <= clock).checked_sub(1).and_then(|at| self.runs.get(at)),
        };
        run.map_or(Standing::COLLECTED, |run| run.standing)
    }

    /// Each run of ids with where it stands. `end` is the client's clock.
    pub(super) fn iter(&self, end: u32) -> impl Iterator<Item = (Range<u32>, Standing)> {
        let ends = self.runs.iter().skip(1).map(|run| run.start).chain([end]);
        self.runs.iter().zip(ends).map(|(run, end)| (run.start..end, run.standing))
    }

    /// The number of runs.
    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    /// Takes back all but the first `len` runs.
    pub(super) fn truncate(&mut self, len: usize) {
        self.runs.truncate(len);
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.runs.shrink_to_fit();
    }

    /// The memory that they take beside themselves, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        if self.runs.spilled() { self.runs.capacity() * size_of::<Run>() } else { 0 }
    }
}

const TYPE: u32 = 1 << 30;
const DELETED: u32 = 1 << 31;
