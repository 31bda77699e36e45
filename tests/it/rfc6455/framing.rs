//! Sections 1 to 5: lengths, pings, reserved bits and opcodes, messages in parts.

use ydock::lib0::write_buffer;

use super::case::Case;
use crate::raw::masked;
use crate::yjs::typed;

/// Section 1.
pub(super) fn lengths() -> Vec<Case> {
    let mut cases = vec![
        Case::refused("1.1.1", &[text(b"")], TEXT),
        // A message of the endpoint has a type.
        Case::refused("1.2.1", &[binary(b"")], 4400),
    ];
    for (case, len) in (2..).zip([125, 126, 127, 128, 65_535, 65_536]) {
        cases.push(Case::refused(format!("1.1.{case}"), &[text(&vec![b'*'; len])], TEXT));
        let (message, typed) = edit_of(len);
        cases.push(Case::edited(format!("1.2.{case}"), &[binary(&message)], typed));
    }
    cases
}

/// Section 2.
pub(super) fn pings() -> Vec<Case> {
    let (long, too_long) = (vec![0xfe; 125], vec![0xfe; 126]);
    let ten: Vec<_> = (0..10).map(|number| format!("payload-{number}").into_bytes()).collect();
    let ten: Vec<_> = ten.iter().map(Vec::as_slice).collect();
    vec![
        Case::open("2.1", &[ping(b"")]).pongs(&[b""]),
        Case::open("2.2", &[ping(b"Hello, world!")]).pongs(&[b"Hello, world!"]),
        Case::open("2.3", &[ping(b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")]).pongs(&[b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"]),
        Case::open("2.4", &[ping(&long)]).pongs(&[&long]),
        Case::refused("2.5", &[ping(&too_long)], BROKEN),
        Case::open("2.7", &[pong(b"")]),
        Case::open("2.8", &[pong(b"unsolicited")]),
        Case::open("2.9", &[pong(b"unsolicited"), ping(b"ping")]).pongs(&[b"ping"]),
        Case::open("2.10", &ten.iter().map(|payload| ping(payload)).collect::<Vec<_>>()).pongs(&ten),
        Case::refused("2.12 a pong that is too long", &[pong(&too_long)], BROKEN),
    ]
}

/// Section 3.
pub(super) fn reserved_bits() -> Vec<Case> {
    let with = |first: u8, bits: u8| masked(first | bits << 4, b"Hello, world!");
    let before = binary(&edit("before"));
    vec![
        Case::refused("3.1", &[with(TEXT_FRAME, 1)], BROKEN),
        Case::refused("3.2", &[before.clone(), with(TEXT_FRAME, 2), ping(b"")], BROKEN),
        Case::refused("3.3", &[before.clone(), with(TEXT_FRAME, 3), ping(b"")], BROKEN),
        Case::refused("3.4", &[before, with(TEXT_FRAME, 4), ping(b"")], BROKEN),
        Case::refused("3.5", &[with(BINARY_FRAME, 5)], BROKEN),
        Case::refused("3.6", &[with(PING_FRAME, 6)], BROKEN),
        Case::refused("3.7", &[with(CLOSE_FRAME, 7)], BROKEN),
        Case::refused("3.8 in a later part", &[part(BINARY_FRAME, b"one"), with(LAST_PART, 4)], BROKEN),
    ]
}

/// What the suite does not have: headers that are wrong in other ways.
pub(super) fn headers() -> Vec<Case> {
    let mask = [1, 2, 3, 4];
    let head = |bytes: &[u8]| [bytes, &mask].concat();
    vec![
        Case::refused("no mask", &[vec![BINARY_FRAME, 1, 3]], BROKEN),
        Case::refused("no mask on a ping", &[vec![PING_FRAME, 0]], BROKEN),
        Case::refused("no mask on a goodbye", &[vec![CLOSE_FRAME, 0]], BROKEN),
        Case::refused("125 in 2 bytes", &[head(&[BINARY_FRAME, 0xfe, 0, 125])], BROKEN),
        Case::refused("65535 in 8 bytes", &[head(&[BINARY_FRAME, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff])], BROKEN),
        Case::refused("a negative length", &[head(&[BINARY_FRAME, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0])], BROKEN),
        Case::refused("a length of 8 bytes on a ping", &[vec![PING_FRAME, 0xff]], BROKEN),
    ]
}

/// Section 4.
pub(super) fn opcodes() -> Vec<Case> {
    let mut cases = Vec::new();
    for (section, opcodes) in [("4.1", 3..=7_u8), ("4.2", 11..=15)] {
        for (case, opcode) in (1..).zip(opcodes) {
            let first = 0x80 | opcode;
            for (frame, name) in [(masked(first, b""), "empty"), (masked(first, b"reserved opcode"), "full")] {
                let number = format!("{section}.{case} {name}");
                cases.push(Case::refused(number.clone(), std::slice::from_ref(&frame), BROKEN));
                let among = [binary(&edit("before")), frame, ping(b"")];
                cases.push(Case::refused(format!("{number} among others"), &among, BROKEN));
            }
            let in_parts = [part(BINARY_FRAME, b"one"), masked(opcode, b"two")];
            cases.push(Case::refused(format!("{section}.{case} between parts"), &in_parts, BROKEN));
        }
    }
    cases
}

/// Section 5.
pub(super) fn parts() -> Vec<Case> {
    let message = edit("fragment1fragment2");
    let (one, two) = message.split_at(9);
    let (first, last) = (part(BINARY_FRAME, one), masked(LAST_PART, two));
    let mut five = in_parts(BINARY_FRAME, &message, message.len().div_ceil(5));
    five.insert(4, ping(b"pongme 2!"));
    five.insert(2, ping(b"pongme 1!"));
    let (open, more) = (part(LAST_PART, b"fragment1"), part(TEXT_FRAME, b"fragment2"));
    let (taken, end) = ("fragment1fragment2", masked(LAST_PART, b"fragment3"));
    vec![
        Case::refused("5.1", &[part(PING_FRAME, b"one"), masked(LAST_PART, b"two")], BROKEN),
        Case::refused("5.2", &[part(PONG_FRAME, b"one"), masked(LAST_PART, b"two")], BROKEN),
        Case::refused("5.2 a goodbye", &[part(CLOSE_FRAME, &[3, 232])], BROKEN),
        Case::edited("5.3", &[first.clone(), last.clone()], taken),
        Case::refused("5.3 a text", &[part(TEXT_FRAME, b"fragment1"), end.clone()], TEXT),
        Case::edited("5.6", &[first.clone(), ping(b"ping"), last.clone()], taken).pongs(&[b"ping"]),
        Case::edited("5.6 a pong", &[first.clone(), pong(b"pong"), last.clone()], taken),
        Case::refused("5.9", &[end.clone(), text(b"Hello")], BROKEN),
        Case::refused("5.12", &[open.clone(), text(b"Hello")], BROKEN),
        Case::refused("5.15", &[first.clone(), last.clone(), open.clone(), text(b"Hello")], BROKEN),
        Case::refused("5.16", &[[&open[..], &more, &end].concat().repeat(2)], BROKEN),
        Case::refused("5.17", &[[&end[..], &more, &end].concat().repeat(2)], BROKEN),
        Case::refused("5.18", &[more, text(b"fragment2")], BROKEN),
        Case::refused("5.18 of bytes", &[first.clone(), binary(&message)], BROKEN),
        Case::edited("5.19", &five, taken).pongs(&[b"pongme 1!", b"pongme 2!"]),
        Case::edited("5.21 empty parts", &[part(BINARY_FRAME, b""), part(LAST_PART, &message), last_of(b"")], taken),
        Case::edited("5.22 parts of a byte", &in_bytes(BINARY_FRAME, &message), taken),
    ]
}

/// A message that types a text into an empty document.
pub(super) fn edit(text: &str) -> Vec<u8> {
    let mut message = vec![0, 2];
    write_buffer(&mut message, &typed(1, 0, text));
    message
}

/// Such a message of so many bytes, and its text.
pub(super) fn edit_of(len: usize) -> (Vec<u8>, String) {
    let of_each_length = (0..len).rev().map(|letters| "*".repeat(letters));
    let mut messages = of_each_length.map(|text| (edit(&text), text));
    messages.find(|(message, _)| message.len() == len).unwrap_or_else(|| panic!("no message has {len} bytes"))
}

/// A message in frames of one byte each.
pub(super) fn in_bytes(first: u8, message: &[u8]) -> Vec<Vec<u8>> {
    in_parts(first, message, 1)
}

/// A message in frames of so many bytes.
pub(super) fn in_parts(first: u8, message: &[u8], len: usize) -> Vec<Vec<u8>> {
    let count = message.len().div_ceil(len);
    let frames = (1..).zip(message.chunks(len)).map(|(number, payload)| {
        let opcode = if number == 1 { first & !LAST } else { 0 };
        masked(if number == count { opcode | LAST } else { opcode }, payload)
    });
    frames.collect()
}

/// The part of a message that is not the last.
pub(super) fn part(first: u8, payload: &[u8]) -> Vec<u8> {
    masked(first & !LAST, payload)
}

/// The last part of a message.
pub(super) fn last_of(payload: &[u8]) -> Vec<u8> {
    masked(LAST_PART, payload)
}

pub(super) fn text(payload: &[u8]) -> Vec<u8> {
    masked(TEXT_FRAME, payload)
}

pub(super) fn binary(payload: &[u8]) -> Vec<u8> {
    masked(BINARY_FRAME, payload)
}

pub(super) fn ping(payload: &[u8]) -> Vec<u8> {
    masked(PING_FRAME, payload)
}

pub(super) fn pong(payload: &[u8]) -> Vec<u8> {
    masked(PONG_FRAME, payload)
}

pub(super) fn close(payload: &[u8]) -> Vec<u8> {
    masked(CLOSE_FRAME, payload)
}

/// The close code for frames that break the rules.
pub(super) const BROKEN: u16 = 1002;
/// The close code for a text that is none.
pub(super) const NOT_UTF_8: u16 = 1007;
/// The close code with which the front refuses a text: it came, whole and valid.
pub(super) const TEXT: u16 = 4400;

// First bytes of frames. A part that is not the last one lacks the first bit.
pub(super) const LAST: u8 = 0x80;
pub(super) const LAST_PART: u8 = 0x80;
pub(super) const TEXT_FRAME: u8 = 0x81;
pub(super) const BINARY_FRAME: u8 = 0x82;
const CLOSE_FRAME: u8 = 0x88;
const PING_FRAME: u8 = 0x89;
const PONG_FRAME: u8 = 0x8a;
