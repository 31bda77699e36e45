//! Section 7: goodbyes, their codes and their reasons.

use super::case::Case;
use super::framing::{BINARY_FRAME, BROKEN, NOT_UTF_8, binary, close, edit, last_of, part, ping, text};

/// What comes after a goodbye is not heard.
pub(super) fn goodbyes() -> Vec<Case> {
    let bye = || close(&NORMAL);
    let message = binary(&edit("Hello, world!"));
    let large = binary(&edit(&"*".repeat(256 * 1024)));
    vec![
        Case::parted("7.1.1", &[message.clone(), bye()], &NORMAL),
        Case::parted("7.1.2", &[bye(), bye()], &NORMAL),
        Case::parted("7.1.3", &[bye(), ping(b"nobody answers")], &NORMAL),
        Case::parted("7.1.4", &[bye(), text(b"Hello, world!")], &NORMAL),
        Case::parted("7.1.5", &[part(BINARY_FRAME, b"fragment1"), bye(), last_of(b"fragment2")], &NORMAL),
        Case::parted("7.1.6", &[large, message, bye(), ping(b"nobody answers")], &NORMAL),
        Case::parted("7.1.7 broken frames after it", &[bye(), vec![0xff; 20]], &NORMAL),
        Case::parted("7.1.8 a ping before it", &[ping(b"one"), bye()], &NORMAL).pongs(&[b"one"]),
    ]
}

/// Codes that a client may send, which come back, and others.
pub(super) fn codes() -> Vec<Case> {
    let with = |code: u16| close(&code.to_be_bytes());
    let mut cases = Vec::new();
    for (number, code) in (1..).zip([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) {
        cases.push(Case::parted(format!("7.7.{number}"), &[with(code)], &code.to_be_bytes()));
    }
    // Given out after the suite was written.
    for code in [1012, 1013, 1014] {
        cases.push(Case::parted(format!("7.7.14 {code}"), &[with(code)], &code.to_be_bytes()));
    }
    for (number, code) in (1..).zip([0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]) {
        cases.push(Case::refused(format!("7.9.{number}"), &[with(code)], BROKEN));
        let reasoned = [&code.to_be_bytes()[..], b"a reason"].concat();
        cases.push(Case::refused(format!("7.9.{number} with a reason"), &[close(&reasoned)], BROKEN));
    }
    for (number, code) in (1..).zip([5000, 65_535]) {
        cases.push(Case::refused(format!("7.13.{number}"), &[with(code)], BROKEN));
    }
    // Reserved to say that a handshake of TLS failed.
    cases.push(Case::refused("7.13.3", &[with(1015)], BROKEN));
    cases
}

/// What else may be in a goodbye.
pub(super) fn reasons() -> Vec<Case> {
    let with = |reason: &[u8]| close(&[&NORMAL[..], reason].concat());
    vec![
        Case::parted("7.3.1", &[close(b"")], b""),
        Case::refused("7.3.2", &[close(b"a")], BROKEN),
        Case::parted("7.3.3", &[close(&NORMAL)], &NORMAL),
        Case::parted("7.3.4", &[with(b"Hello, world!")], &NORMAL),
        Case::parted("7.3.5", &[with(&[b'*'; 123])], &NORMAL),
        Case::refused("7.3.6", &[with(&[b'*'; 124])], BROKEN),
        Case::refused("7.5.1", &[with(b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited")], NOT_UTF_8),
        Case::refused("7.5.2 half a character", &[with(b"\xce")], NOT_UTF_8),
    ]
}

/// The code of a goodbye that nothing is wrong with.
const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();
