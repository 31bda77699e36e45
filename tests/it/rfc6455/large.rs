//! Sections 9 and 10: large messages, whole and in parts, and many small ones; and what is beyond the limit.

use super::case::Case;
use super::framing::{BINARY_FRAME, TEXT, TEXT_FRAME, binary, edit_of, in_parts, part, ping, text};

/// What is taken.
pub(super) fn messages() -> Vec<Case> {
    let mut cases = vec![
        Case::refused("9.1.3", &[text(&vec![b'*'; 1 << 20])], TEXT),
        Case::refused("9.3.5", &in_parts(TEXT_FRAME, &vec![b'*'; 1 << 20], 16 << 10), TEXT),
        Case::refused("10.1.1 a text", &in_parts(TEXT_FRAME, &vec![b'*'; 65_536], 1300), TEXT),
    ];
    for (number, len) in (1..).zip([64 << 10, 256 << 10, 1 << 20, 4 << 20]) {
        let (message, typed) = edit_of(len);
        cases.push(Case::edited(format!("9.2.{number}"), &[binary(&message)], typed));
    }
    let (message, typed) = edit_of(1 << 20);
    for (number, len) in (1..).zip([64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10]) {
        cases.push(Case::edited(format!("9.4.{number}"), &in_parts(BINARY_FRAME, &message, len), typed.as_str()));
    }
    let (message, typed) = edit_of(65_536);
    cases.push(Case::edited("10.1.1", &in_parts(BINARY_FRAME, &message, 1300), typed));
    // Presence of nobody: a message that changes nothing.
    for (number, len) in (1..).zip([3, 126, 1024]) {
        let message = binary(&[1, 1, 0].repeat(len / 3));
        cases.push(Case::open(format!("9.8.{number}"), &vec![message; 1000]));
    }
    cases
}

/// What is refused as soon as its length is known: nothing of it comes.
pub(super) fn beyond_the_limit() -> Vec<Case> {
    let head = |first: u8, len: u64| [&[first, 0xff], &len.to_be_bytes()[..], &[1, 2, 3, 4]].concat();
    vec![
        Case::refused("one byte too many", &[head(BINARY_FRAME, LIMIT + 1)], TOO_LARGE),
        Case::refused("a text", &[head(TEXT_FRAME, LIMIT + 1)], TOO_LARGE),
        Case::refused("the largest length", &[head(BINARY_FRAME, i64::MAX.unsigned_abs())], TOO_LARGE),
        Case::refused("with what came before", &[part(BINARY_FRAME, b"one"), head(0x80, LIMIT - 2)], TOO_LARGE),
        Case::refused(
            "after a message that is not",
            &[binary(&[1, 1, 0]), ping(b"one"), head(BINARY_FRAME, LIMIT + 1)],
            TOO_LARGE,
        )
        .pongs(&[b"one"]),
    ]
}

/// The most bytes of a message, by default.
const LIMIT: u64 = 17 << 20;
/// The close code for what is larger than allowed.
const TOO_LARGE: u16 = 4413;
