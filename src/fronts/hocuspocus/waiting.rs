//! What waits until a client is let in, bounded for all documents of a socket together.

use std::collections::VecDeque;

use bytes::Bytes;

/// How much waits for all documents of a socket.
#[derive(Debug, Default)]
pub(super) struct Budget {
    messages: usize,
    bytes: usize,
}

/// More waits than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch;

/// What waits for one document, in order.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    messages: VecDeque<Bytes>,
}

impl Waiting {
    /// Lets a message wait.
    pub(super) fn push(&mut self, message: &[u8], budget: &mut Budget) -> Result<(), TooMuch> {
        budget.messages += 1;
        budget.bytes += message.len();
        if budget.messages > MAX_MESSAGES || budget.bytes > MAX_BYTES {
            return Err(TooMuch);
        }
        self.messages.push_back(Bytes::copy_from_slice(message));
        Ok(())
    }

    /// The next message; it waits no longer.
    pub(super) fn pop(&mut self, budget: &mut Budget) -> Option<Bytes> {
        let message = self.messages.pop_front()?;
        budget.messages -= 1;
        budget.bytes -= message.len();
        Some(message)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Forgets what waits.
    pub(super) fn clear(mut self, budget: &mut Budget) {
        while self.pop(budget).is_some() {}
    }
}

// The limits of the reference server (Hocuspocus 4), measured.
/// So many messages may wait …
const MAX_MESSAGES: usize = 1000;
/// … with so many bytes, …
const MAX_BYTES: usize = 5 << 20;
/// … for so many documents.
pub(super) const MAX_DOCUMENTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_in_order_and_their_room_is_free_again() {
        let (mut waiting, mut budget) = (Waiting::default(), Budget::default());
        for _ in 0..3 {
            for text in [&b"a"[..], b"bb"] {
                waiting.push(text, &mut budget).unwrap();
            }
            assert_eq!(waiting.pop(&mut budget).as_deref(), Some(&b"a"[..]));
            assert_eq!(waiting.pop(&mut budget).as_deref(), Some(&b"bb"[..]));
            assert_eq!(waiting.pop(&mut budget), None);
        }
        assert_eq!((budget.messages, budget.bytes), (0, 0));
    }

    #[test]
    fn neither_many_nor_long_messages_wait_without_bound() {
        let (mut one, mut other, mut budget) = (Waiting::default(), Waiting::default(), Budget::default());
        for _ in 0..MAX_MESSAGES / 2 {
            one.push(b"x", &mut budget).unwrap();
            other.push(b"x", &mut budget).unwrap();
        }
        assert_eq!(other.push(b"x", &mut budget), Err(TooMuch));
        let (mut waiting, mut budget) = (Waiting::default(), Budget::default());
        waiting.push(&vec![0; MAX_BYTES], &mut budget).unwrap();
        assert_eq!(waiting.push(b"x", &mut budget), Err(TooMuch));
    }
}
