//! A frame as it waits for a socket: its bytes, or a head and a body that others get too.
//!
//! A document is as large as it is; it is not copied for each of those who are sent it at the same time.

use bytes::Bytes;

/// A frame in one part or two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Framed {
    /// What stands before the body; empty when the body is the whole frame.
    head: Bytes,
    body: Bytes,
}

impl Framed {
    /// A frame whose body is shared with other frames.
    #[must_use]
    pub const fn new(head: Bytes, body: Bytes) -> Self {
        Self { head, body }
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Whether nothing of it is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.is_empty() && self.body.is_empty()
    }

    /// What is to be sent, one after the other.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Bytes> {
        [&self.head, &self.body].into_iter().filter(|part| !part.is_empty())
    }

    /// The same, without the frame around it.
    pub(super) fn into_parts(self) -> impl Iterator<Item = Bytes> {
        [self.head, self.body].into_iter().filter(|part| !part.is_empty())
    }

    /// Takes away its first bytes, or all of it when it has fewer.
    pub(super) fn advance(&mut self, count: usize) {
        let of_head = count.min(self.head.len());
        let of_body = (count - of_head).min(self.body.len());
        let _has_left = (self.head.split_to(of_head), self.body.split_to(of_body));
    }
}

impl From<Bytes> for Framed {
    fn from(body: Bytes) -> Self {
        Self { head: Bytes::new(), body }
    }
}
