//! About how wide letters are, in parts of the font's size.
//!
//! Who looks at the picture brings the font. These are the widths of Helvetica and its many relatives, an eighth wider, so that
//! lines still fit in a broader one.

use std::ops::RangeInclusive;

/// How wide a letter is at a font size of 1.
fn width(letter: char) -> f64 {
    let code = u32::from(letter);
    if let Some(narrow) = code.checked_sub(0x20).and_then(|index| ASCII.get(usize::try_from(index).ok()?)) {
        return f64::from(*narrow) / 1000.0 * MARGIN;
    }
    match code {
        // Control characters, combining marks, joiners and selectors take no room.
        0..=0x1F | 0x7F..=0x9F | 0x300..=0x36F | 0x200B..=0x200F | 0x20D0..=0x20F0 | 0xFE00..=0xFE0F => 0.0,
        // Pictographs are broader than high.
        0x2600..=0x27BF | 0x1_F300..=0x1_FAFF => 1.35,
        _ if SQUARE.iter().any(|block| block.contains(&code)) => 1.0,
        _ => OTHERS * MARGIN,
    }
}

/// How wide a text is at a font size of 1.
pub(super) fn text_width(text: &str) -> f64 {
    text.chars().map(width).sum()
}

const MARGIN: f64 = 1.12;
const OTHERS: f64 = 0.6;

/// Hangul, kana, Han and full-width forms: each letter fills a square.
const SQUARE: [RangeInclusive<u32>; 8] = [
    0x1100..=0x115F,
    0x2E80..=0xA4CF,
    0xAC00..=0xD7A3,
    0xF900..=0xFAFF,
    0xFE30..=0xFE6F,
    0xFF00..=0xFF60,
    0xFFE0..=0xFFE6,
    0x2_0000..=0x3_FFFD,
];

/// Thousandths of the font's size, from the space to the tilde.
const ASCII: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, // space to slash
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, // digits
    278, 278, 584, 584, 584, 556, 1016, // colon to at
    667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, // A to M
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, // N to Z
    278, 278, 278, 469, 556, 333, // bracket to backquote
    556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, // a to m
    556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, // n to z
    334, 260, 334, 584, // brace to tilde
];
