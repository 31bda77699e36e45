//! Presence changes, encoded once for a whole room.

use std::ops::Range;

use bytes::Bytes;

use crate::ids::MemberId;
use crate::lib0::write_var_uint;

/// A set of awareness entries as one y-protocols awareness update, from which one member's own can be left out.
#[derive(Debug, Clone, Default)]
pub struct PresenceBatch {
    body: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    owner: Option<MemberId>,
    place: Range<usize>,
}

impl PresenceBatch {
    /// Adds an entry, written by `write`, that belongs to `owner`.
    pub(super) fn push(&mut self, owner: Option<MemberId>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.body.len();
        write(&mut self.body);
        self.entries.push(Entry { owner, place: start..self.body.len() });
    }

    /// Whether there is no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether any entry belongs to this member.
    #[must_use]
    pub fn concerns(&self, member: MemberId) -> bool {
        self.entries.iter().any(|entry| entry.owner == Some(member))
    }

    /// The awareness update with every entry.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        self.encode_where(|_| true).unwrap_or_default()
    }

    /// The awareness update without the member's own entries; `None` when nothing is left.
    #[must_use]
    pub fn encode_without(&self, member: MemberId) -> Option<Bytes> {
        self.encode_where(|entry| entry.owner != Some(member))
    }

    fn encode_where(&self, keep: impl Fn(&Entry) -> bool) -> Option<Bytes> {
        let count = self.entries.iter().filter(|entry| keep(entry)).count();
        if count == 0 {
            return None;
        }
        let mut out = Vec::with_capacity(self.body.len() + 5);
        write_var_uint(&mut out, count as u64);
        for entry in self.entries.iter().filter(|entry| keep(entry)) {
            out.extend_from_slice(self.body.get(entry.place.clone()).unwrap_or_default());
        }
        Some(out.into())
    }
}
