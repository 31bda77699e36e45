//! Section 6: what is UTF-8, and how soon it is known that something is not.

use super::case::Case;
use super::framing::{BINARY_FRAME, NOT_UTF_8, TEXT, TEXT_FRAME, in_bytes, last_of, part, text};
use crate::raw::masked;

/// What is UTF-8, in one frame and in frames of one byte.
pub(super) fn valid() -> Vec<Case> {
    let hello = "Hello-µ@ßöäüàá-UTF-8!!".as_bytes();
    let (before, after) = hello.split_at(8);
    let mut cases = vec![
        Case::refused("6.1.1", &[text(b"")], TEXT),
        Case::refused("6.1.2", &[part(TEXT_FRAME, b""), part(0, b""), last_of(b"")], TEXT),
        Case::refused("6.1.3", &[part(TEXT_FRAME, b""), part(0, b"middle frame payload"), last_of(b"")], TEXT),
        Case::refused("6.2.1", &[text(hello)], TEXT),
        Case::refused("6.2.2", &[part(TEXT_FRAME, before), last_of(after)], TEXT),
        Case::refused("6.2.3", &in_bytes(TEXT_FRAME, hello), TEXT),
    ];
    // The last two numbers of each plane are no characters, and may be sent.
    let ends_of_planes = (0..=16_u32).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]);
    for (number, end) in (1..).zip(ends_of_planes.filter_map(char::from_u32)) {
        cases.extend(both(&format!("6.22.{number}"), end.to_string().as_bytes(), TEXT));
    }
    cases.extend(VALID.iter().flat_map(|(number, bytes)| both(number, bytes, TEXT)));
    cases
}

/// What is not, likewise, and how it is cut off before the message has ended.
pub(super) fn invalid() -> Vec<Case> {
    let (first, wrong) = ([KOSME, b"\xf4"].concat(), b"\x90\x80\x80");
    let mut cases = vec![
        // The rest of these messages never comes.
        Case::refused("6.4.1", &[part(TEXT_FRAME, KOSME), part(0, b"\xf4\x90\x80\x80")], NOT_UTF_8),
        Case::refused("6.4.2", &[part(TEXT_FRAME, &first), part(0, wrong)], NOT_UTF_8),
        Case::refused("6.4.3 the first part", &[part(TEXT_FRAME, b"\xff")], NOT_UTF_8),
        Case::refused("6.4.4 the last byte", &[part(TEXT_FRAME, KOSME), last_of(b"\xce")], NOT_UTF_8),
        Case::refused(
            "6.4.5 the first message is well",
            &[masked(BINARY_FRAME, &[1, 1, 0]), part(TEXT_FRAME, b"\xce"), part(0, b"\x20")],
            NOT_UTF_8,
        ),
    ];
    cases.extend(INVALID.iter().flat_map(|(number, bytes)| both(number, bytes, NOT_UTF_8)));
    cases
}

fn both(number: &str, bytes: &[u8], code: u16) -> [Case; 2] {
    [
        Case::refused(number, &[text(bytes)], code),
        Case::refused(format!("{number} in frames of one byte"), &in_bytes(TEXT_FRAME, bytes), code),
    ]
}

/// κόσμε.
const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

const VALID: &[(&str, &[u8])] = &[
    ("6.2.4", KOSME),
    ("6.5.1 a byte order mark", b"\xef\xbb\xbfHello"),
    // Beginnings of κόσμε, between characters.
    ("6.6.2", b"\xce\xba"),
    ("6.6.5", b"\xce\xba\xe1\xbd\xb9"),
    ("6.6.7", b"\xce\xba\xe1\xbd\xb9\xcf\x83"),
    ("6.6.9", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc"),
    ("6.6.11", KOSME),
    // The first and the last character of each length.
    ("6.7.1", b"\x00"),
    ("6.7.2", b"\xc2\x80"),
    ("6.7.3", b"\xe0\xa0\x80"),
    ("6.7.4", b"\xf0\x90\x80\x80"),
    ("6.9.1", b"\x7f"),
    ("6.9.2", b"\xdf\xbf"),
    ("6.9.3", b"\xef\xbf\xbf"),
    ("6.9.4", b"\xf4\x8f\xbf\xbf"),
    // The neighbours of what is no character.
    ("6.11.1", b"\xed\x9f\xbf"),
    ("6.11.2", b"\xee\x80\x80"),
    ("6.11.3", b"\xef\xbf\xbd"),
    ("6.11.4", b"\xf4\x8f\xbf\xbf"),
    ("6.23.1", b"\xef\xbf\xb9"),
    ("6.23.2", b"\xef\xbf\xba"),
    ("6.23.3", b"\xef\xbf\xbb"),
    ("6.23.4", b"\xef\xbf\xbc"),
    ("6.23.5", b"\xef\xbf\xbd"),
    ("6.23.6", b"\xef\xbf\xbe"),
    ("6.23.7", b"\xef\xbf\xbf"),
];

const INVALID: &[(&str, &[u8])] = &[
    ("6.3.1", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"),
    // Beginnings of κόσμε, within characters.
    ("6.6.1", b"\xce"),
    ("6.6.3", b"\xce\xba\xe1"),
    ("6.6.4", b"\xce\xba\xe1\xbd"),
    ("6.6.6", b"\xce\xba\xe1\xbd\xb9\xcf"),
    ("6.6.8", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce"),
    ("6.6.10", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce"),
    // The first and the last of five and six bytes, and what is above the last character.
    ("6.8.1", b"\xf8\x88\x80\x80\x80"),
    ("6.8.2", b"\xfc\x84\x80\x80\x80\x80"),
    ("6.10.1", b"\xf7\xbf\xbf\xbf"),
    ("6.10.2", b"\xfb\xbf\xbf\xbf\xbf"),
    ("6.10.3", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
    ("6.11.5", b"\xf4\x90\x80\x80"),
    // Later bytes of no character.
    ("6.12.1", b"\x80"),
    ("6.12.2", b"\xbf"),
    ("6.12.3", b"\x80\xbf"),
    ("6.12.4", b"\x80\xbf\x80"),
    ("6.12.5", b"\x80\xbf\x80\xbf"),
    ("6.12.6", b"\x80\xbf\x80\xbf\x80"),
    ("6.12.7", b"\x80\xbf\x80\xbf\x80\xbf"),
    ("6.12.8", b"\x80\x81\x82\x83\xa0\xb0\xbe\xbf"),
    // First bytes with a blank behind each.
    ("6.13.1", b"\xc0 \xc1 \xc2 \xdf "),
    ("6.13.2", b"\xe0 \xe1 \xed \xef "),
    ("6.13.3", b"\xf0 \xf1 \xf4 \xf7 "),
    ("6.13.4", b"\xf8 \xf9 \xfa \xfb "),
    ("6.13.5", b"\xfc \xfd "),
    // The last byte of a character is missing.
    ("6.14.1", b"\xc0"),
    ("6.14.2", b"\xe0\x80"),
    ("6.14.3", b"\xf0\x80\x80"),
    ("6.14.4", b"\xf8\x80\x80\x80"),
    ("6.14.5", b"\xfc\x80\x80\x80\x80"),
    ("6.14.6", b"\xdf"),
    ("6.14.7", b"\xef\xbf"),
    ("6.14.8", b"\xf7\xbf\xbf"),
    ("6.14.9", b"\xfb\xbf\xbf\xbf"),
    ("6.14.10", b"\xfd\xbf\xbf\xbf\xbf"),
    ("6.15.1", b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf\xfb\xbf\xbf\xbf"),
    // Bytes that are in no character.
    ("6.16.1", b"\xfe"),
    ("6.16.2", b"\xff"),
    ("6.16.3", b"\xfe\xfe\xff\xff"),
    // Characters in more bytes than they need.
    ("6.17.1", b"\xc0\xaf"),
    ("6.17.2", b"\xe0\x80\xaf"),
    ("6.17.3", b"\xf0\x80\x80\xaf"),
    ("6.17.4", b"\xf8\x80\x80\x80\xaf"),
    ("6.17.5", b"\xfc\x80\x80\x80\x80\xaf"),
    ("6.18.1", b"\xc1\xbf"),
    ("6.18.2", b"\xe0\x9f\xbf"),
    ("6.18.3", b"\xf0\x8f\xbf\xbf"),
    ("6.18.4", b"\xf8\x87\xbf\xbf\xbf"),
    ("6.18.5", b"\xfc\x83\xbf\xbf\xbf\xbf"),
    ("6.19.1", b"\xc0\x80"),
    ("6.19.2", b"\xe0\x80\x80"),
    ("6.19.3", b"\xf0\x80\x80\x80"),
    ("6.19.4", b"\xf8\x80\x80\x80\x80"),
    ("6.19.5", b"\xfc\x80\x80\x80\x80\x80"),
    // Halves of a character of UTF-16, alone and in pairs.
    ("6.20.1", b"\xed\xa0\x80"),
    ("6.20.2", b"\xed\xad\xbf"),
    ("6.20.3", b"\xed\xae\x80"),
    ("6.20.4", b"\xed\xaf\xbf"),
    ("6.20.5", b"\xed\xb0\x80"),
    ("6.20.6", b"\xed\xbe\x80"),
    ("6.20.7", b"\xed\xbf\xbf"),
    ("6.21.1", b"\xed\xa0\x80\xed\xb0\x80"),
    ("6.21.2", b"\xed\xa0\x80\xed\xbf\xbf"),
    ("6.21.3", b"\xed\xad\xbf\xed\xb0\x80"),
    ("6.21.4", b"\xed\xad\xbf\xed\xbf\xbf"),
    ("6.21.5", b"\xed\xae\x80\xed\xb0\x80"),
    ("6.21.6", b"\xed\xae\x80\xed\xbf\xbf"),
    ("6.21.7", b"\xed\xaf\xbf\xed\xb0\x80"),
    ("6.21.8", b"\xed\xaf\xbf\xed\xbf\xbf"),
];
