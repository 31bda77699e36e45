//! Fragments: blocks, or parts of blocks, on their way into another update.

use super::block::{Block, Body, Id, Item};
use super::content::Content;
use crate::lib0::Reader;

/// A block or a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'a> {
    /// The part, as if it had been written so.
    pub(super) block: Block<'a>,
    /// Whether it is the unchanged block, so that its bytes can be copied.
    pub(super) whole: bool,
    /// Whether the text begins with the replaced second half of a surrogate pair.
    pub(super) half_before: bool,
    /// Whether the text ends with the replaced first half of a surrogate pair.
    pub(super) half_after: bool,
}

impl<'a> From<Block<'a>> for Fragment<'a> {
    fn from(block: Block<'a>) -> Self {
        Self { block, whole: true, half_before: false, half_after: false }
    }
}

impl<'a> Fragment<'a> {
    /// Splits it after `len` ids, which must be fewer than it has and not 0.
    ///
    /// As in Yjs the right part follows the left one, and a surrogate pair that is split becomes U+FFFD twice. It
    /// takes time in proportion to `len`.
    pub(super) fn split(self, len: u32) -> (Self, Self) {
        let (mut left, mut right) = (self, self);
        (left.whole, right.whole) = (false, false);
        left.block.len = len;
        right.block.len -= len;
        right.block.id.clock += len;
        if let (Body::Item(left_item), Body::Item(right_item)) = (&mut left.block.body, &mut right.block.body) {
            let origin = Some(Id { client: self.block.id.client, clock: right.block.id.clock - 1 });
            *right_item = Item { origin, parent: None, key: None, ..*right_item };
            match left_item.content {
                Content::String(text) => {
                    let cut = cut_text(text, len - u32::from(self.half_before));
                    left_item.content = Content::String(cut.left);
                    right_item.content = Content::String(cut.right);
                    (left.half_after, right.half_before) = (cut.halves, cut.halves);
                }
                Content::Any(values) => {
                    let (first, rest) =
                        cut_values(values, len, |reader| super::any::Trust::Checked.skip_any(reader).is_ok());
                    (left_item.content, right_item.content) = (Content::Any(first), Content::Any(rest));
                }
                Content::Json(values) => {
                    let (first, rest) = cut_values(values, len, |reader| reader.buffer().is_ok());
                    (left_item.content, right_item.content) = (Content::Json(first), Content::Json(rest));
                }
                _ => {}
            }
        }
        (left, right)
    }

    /// Without its content: only the length is left, in the same place.
    pub(super) fn emptied(mut self) -> Self {
        if let Body::Item(item) = &mut self.block.body {
            item.content = Content::Deleted;
            (self.whole, self.half_before, self.half_after) = (false, false, false);
        }
        self
    }

    /// With another text of the same length.
    pub(super) fn with_text(mut self, text: &'a [u8]) -> Self {
        if let Body::Item(item) = &mut self.block.body {
            item.content = Content::String(text);
            (self.whole, self.half_before, self.half_after) = (false, false, false);
        }
        self
    }

    /// Without content and place: only the length is left.
    pub(super) fn collected(mut self) -> Self {
        if !matches!(self.block.body, Body::Collected) {
            self.block.body = Body::Collected;
            (self.whole, self.half_before, self.half_after) = (false, false, false);
        }
        self
    }
}

struct TextCut<'a> {
    left: &'a [u8],
    right: &'a [u8],
    /// Whether the cut lies inside a surrogate pair, whose character then is on neither side.
    halves: bool,
}

/// Cuts a text after `units` UTF-16 units.
fn cut_text(text: &[u8], units: u32) -> TextCut<'_> {
    let mut units_left = units;
    let mut at = 0;
    while let Some(first) = text.get(at) {
        let (bytes, units) = match first {
            0xf0.. => (4, 2),
            0xe0.. => (3, 1),
            0xc0.. => (2, 1),
            _ => (1, 1),
        };
        if units > units_left {
            let (left, rest) = text.split_at_checked(at).unwrap_or_default();
            let halves = units_left > 0;
            let right = if halves { rest.get(bytes..).unwrap_or_default() } else { rest };
            return TextCut { left, right, halves };
        }
        units_left -= units;
        at += bytes;
    }
    // Only the replaced half of a pair lies beyond.
    TextCut { left: text, right: &[], halves: false }
}

fn cut_values<'a>(values: &'a [u8], count: u32, skip_one: impl Fn(&mut Reader<'a>) -> bool) -> (&'a [u8], &'a [u8]) {
    let start = Reader::new(values);
    let mut reader = start;
    // The values were read before without an error.
    let _ = (0..count).all(|_| skip_one(&mut reader));
    (start.until(&reader), reader.rest())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, units: u32) -> (&str, &str, bool) {
        let cut = cut_text(text.as_bytes(), units);
        (std::str::from_utf8(cut.left).unwrap(), std::str::from_utf8(cut.right).unwrap(), cut.halves)
    }

    #[test]
    fn texts_are_cut_between_utf16_units() {
        assert_eq!(cut("aß€😀z", 1), ("a", "ß€😀z", false));
        assert_eq!(cut("aß€😀z", 3), ("aß€", "😀z", false));
        assert_eq!(cut("aß€😀z", 4), ("aß€", "z", true));
        assert_eq!(cut("aß€😀z", 5), ("aß€😀", "z", false));
    }
}
