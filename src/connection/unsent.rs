//! What a connection's writer has in its hands: small frames joined for one write, large ones as they are, shared with
//! whoever else is sent them.
//!
//! The promise: everything leaves in order, and each byte once.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

/// Bytes on their way to the socket, in order.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    parts: VecDeque<Bytes>,
}

impl Unsent {
    /// Takes all of these frames.
    pub(super) fn add(&mut self, frames: &mut Vec<Bytes>) {
        let small = frames.iter().map(Bytes::len).filter(|len| *len < LARGE).sum();
        if let [_] = frames[..] {
            self.parts.extend(frames.pop());
            return;
        }
        let mut joined = BytesMut::with_capacity(small);
        for frame in frames.drain(..) {
            if frame.len() < LARGE {
                joined.extend_from_slice(&frame);
                continue;
            }
            if !joined.is_empty() {
                self.parts.push_back(joined.split().freeze());
            }
            self.parts.push_back(frame);
        }
        if !joined.is_empty() {
            self.parts.push_back(joined.freeze());
        }
    }

    /// What is to be written next: at most so many bytes.
    pub(super) fn next(&self, max: usize) -> Option<&[u8]> {
        let first = self.parts.front()?;
        Some(first.get(..max).unwrap_or(first))
    }

    /// So many bytes of the first part have left.
    pub(super) fn advance(&mut self, count: usize) {
        let Some(first) = self.parts.front_mut() else { return };
        first.advance(count.min(first.len()));
        if first.is_empty() {
            self.parts.pop_front();
        }
    }
}

/// So many bytes are not copied to be written together with others.
const LARGE: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_goes_out_in_order_and_large_frames_are_not_copied() {
        let frame = |len: usize, fill: u8| Bytes::from(vec![fill; len]);
        let large = frame(LARGE, 3);
        let mut frames = vec![frame(10, 1), frame(20, 2), large.clone(), frame(5, 4), large.clone(), frame(7, 5)];
        let expected = frames.concat();
        let mut unsent = Unsent::default();
        unsent.add(&mut frames);
        assert_eq!(unsent.parts.iter().map(Bytes::len).collect::<Vec<_>>(), [30, LARGE, 5, LARGE, 7]);
        assert_eq!(unsent.parts[1].as_ptr(), large.as_ptr());
        let mut sent = Vec::new();
        while let Some(next) = unsent.next(1000) {
            let count = next.len();
            assert!(count <= 1000);
            sent.extend_from_slice(next);
            unsent.advance(count);
        }
        assert_eq!(sent, expected);
        assert!(frames.is_empty());
    }
}
