//! Updates that wait for something missing before them: bounded, and never acknowledged.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::ids::MemberId;

/// Waiting updates, oldest first.
#[derive(Debug, Default)]
pub(super) struct Parked {
    updates: VecDeque<(MemberId, Bytes)>,
    bytes: usize,
}

impl Parked {
    /// Keeps an update and who brought it; the oldest ones make room for it.
    pub(super) fn keep(&mut self, member: MemberId, update: Bytes, max_bytes: usize) {
        if update.len() > max_bytes || self.updates.iter().any(|(_, other)| *other == update) {
            return;
        }
        self.bytes += update.len();
        self.updates.push_back((member, update));
        while self.bytes > max_bytes || self.updates.len() > MAX_COUNT {
            let Some((_, oldest)) = self.updates.pop_front() else { break };
            self.bytes -= oldest.len();
        }
    }

    /// Takes all of them, to be tried again.
    pub(super) fn take(&mut self) -> VecDeque<(MemberId, Bytes)> {
        self.bytes = 0;
        std::mem::take(&mut self.updates)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }
}

/// More than this many are not worth trying again after every update.
const MAX_COUNT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_the_same_is_kept_once() {
        let mut parked = Parked::default();
        for text in ["aaaa", "bbbb", "bbbb", "cccc"] {
            parked.keep(MemberId(1), Bytes::from_static(text.as_bytes()), 8);
        }
        parked.keep(MemberId(1), Bytes::from_static(b"too large"), 8);
        let kept: Vec<_> = parked.take().into_iter().map(|(_, update)| update).collect();
        assert_eq!(kept, ["bbbb", "cccc"]);
        assert!(parked.is_empty());
    }
}
