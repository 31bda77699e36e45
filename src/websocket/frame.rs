//! The header of a frame, RFC 6455, section 5.2.

use bytes::{BufMut, Bytes};
use thiserror::Error;

/// What a frame is, RFC 6455, section 11.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// A later part of a message.
    Continuation,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
    /// The sender will send nothing more.
    Close,
    /// Asks for a pong.
    Ping,
    /// The answer to a ping, or a sign of life.
    Pong,
}

/// What a client did that no client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A frame without a mask, RFC 6455, section 5.1.
    #[error("a frame has no mask")]
    Unmasked,
    /// Reserved bits without an extension that gives them a meaning.
    #[error("a frame has reserved bits")]
    ReservedBits,
    /// An opcode that means nothing.
    #[error("the opcode {0:#x} means nothing")]
    ReservedOpcode(u8),
    /// A control frame in parts.
    #[error("a control frame comes in parts")]
    FragmentedControl,
    /// A control frame of more than 125 bytes.
    #[error("a control frame is longer than 125 bytes")]
    LongControl,
    /// A length in more bytes than it needs, or above 2^63.
    #[error("a length is not written in its shortest form")]
    BadLength,
    /// A continuation of nothing.
    #[error("a frame continues nothing")]
    NothingToContinue,
    /// A new message before the last one has ended.
    #[error("a message begins before the last one has ended")]
    Interrupted,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A close frame whose body is one byte, or whose code no endpoint may send.
    #[error("a close frame has a bad code")]
    BadCloseCode,
    /// A message longer than allowed.
    #[error("a message is longer than {limit} bytes")]
    TooLarge {
        /// The most bytes a message may have.
        limit: usize,
    },
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) is_last: bool,
    pub(super) opcode: Opcode,
    pub(super) len: u64,
    pub(super) mask: [u8; 4],
    /// How many bytes the header itself has.
    pub(super) size: usize,
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    const fn of(bits: u8) -> Result<Self, ProtocolError> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            other => return Err(ProtocolError::ReservedOpcode(other)),
        })
    }

    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

impl Header {
    /// Reads a client's header; `None` when its end is not there yet.
    ///
    /// # Errors
    /// As soon as a byte is there that no client may send, whether or not the rest is.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, ProtocolError> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        if first & RESERVED != 0 {
            return Err(ProtocolError::ReservedBits);
        }
        let (is_last, opcode) = (first & LAST != 0, Opcode::of(first & 0x0f)?);
        if opcode.is_control() && !is_last {
            return Err(ProtocolError::FragmentedControl);
        }
        let Some((&second, rest)) = rest.split_first() else { return Ok(None) };
        if second & MASKED == 0 {
            return Err(ProtocolError::Unmasked);
        }
        let (len, rest) = match second & !MASKED {
            short if short <= SHORT => (u64::from(short), rest),
            _ if opcode.is_control() => return Err(ProtocolError::LongControl),
            LEN_16 => {
                let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*len)), rest)
            }
            _ => {
                let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*len), rest)
            }
        };
        let written = second & !MASKED;
        let is_longer_than_needed = written == LEN_16 && len <= u64::from(SHORT) || written == LEN_64 && len <= 0xffff;
        if is_longer_than_needed || len > i64::MAX.unsigned_abs() {
            return Err(ProtocolError::BadLength);
        }
        let Some((mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some(Self { is_last, opcode, len, mask: *mask, size: bytes.len() - rest.len() }))
    }
}

/// Takes a mask off; `offset` is where in the frame's payload the bytes begin.
pub(super) fn unmask(bytes: &mut [u8], mask: [u8; 4], offset: u64) {
    let mut mask = u32::from_ne_bytes(mask);
    let turn = u32::try_from(offset % 4).unwrap_or(0) * 8;
    mask = if cfg!(target_endian = "little") { mask.rotate_right(turn) } else { mask.rotate_left(turn) };
    let wide = u64::from(mask) << 32 | u64::from(mask);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= key;
    }
}

/// A whole frame as a server sends it: a message in one piece, without a mask.
///
/// The payload is given in parts, so that it need not be copied together first.
#[must_use]
pub fn frame(opcode: Opcode, payload: &[&[u8]]) -> Bytes {
    let len: usize = payload.iter().map(|part| part.len()).sum();
    // To the byte: a buffer with room to spare takes a second allocation when it is frozen.
    let mut out = Vec::with_capacity(header_len(len) + len);
    put_header(&mut out, opcode, len);
    for part in payload {
        out.extend_from_slice(part);
    }
    out.into()
}

/// The beginning of a frame as a server sends it: its header and the first bytes of its payload, after which so many follow.
#[must_use]
pub fn frame_head(opcode: Opcode, payload: &[u8], following: usize) -> Bytes {
    let len = payload.len() + following;
    let mut out = Vec::with_capacity(header_len(len) + payload.len());
    put_header(&mut out, opcode, len);
    out.extend_from_slice(payload);
    out.into()
}

/// A close frame with a code and a reason, which is cut to 123 bytes.
#[must_use]
pub fn close_frame(code: u16, reason: &str) -> Bytes {
    let mut end = reason.len().min(LONGEST_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    frame(Opcode::Close, &[&code.to_be_bytes(), reason.as_bytes().get(..end).unwrap_or_default()])
}

/// How long the header of a frame without a mask is.
fn header_len(payload: usize) -> usize {
    match (u8::try_from(payload), u16::try_from(payload)) {
        (Ok(short), _) if short <= SHORT => 2,
        (_, Ok(_)) => 4,
        _ => 10,
    }
}

fn put_header(out: &mut impl BufMut, opcode: Opcode, len: usize) {
    out.put_u8(LAST | opcode.bits());
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short), _) if short <= SHORT => out.put_u8(short),
        (_, Ok(medium)) => {
            out.put_u8(LEN_16);
            out.put_u16(medium);
        }
        _ => {
            out.put_u8(LEN_64);
            out.put_u64(len as u64);
        }
    }
}

/// The first bit of a frame: no other part of the message follows.
const LAST: u8 = 0x80;
/// The bits after it, which belong to extensions.
const RESERVED: u8 = 0x70;
/// The first bit of the second byte.
const MASKED: u8 = 0x80;
/// Up to here a length stands in the second byte itself.
const SHORT: u8 = 125;
/// The length follows in 2 bytes, or …
const LEN_16: u8 = 126;
/// … in 8.
const LEN_64: u8 = 127;
/// What a control frame may hold beside the code.
const LONGEST_REASON: usize = 123;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_cut_anywhere_waits_for_the_rest() {
        for whole in [
            &[0x82, 0x85, 1, 2, 3, 4][..],
            &[0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4],
            &[0x01, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4],
        ] {
            for end in 0..whole.len() {
                assert_eq!(Header::read(&whole[..end]), Ok(None), "{whole:?} cut at {end}");
            }
            let header = Header::read(whole).unwrap().unwrap();
            assert_eq!((header.size, header.mask), (whole.len(), [1, 2, 3, 4]));
        }
    }

    #[test]
    fn what_no_client_may_send_is_refused_at_the_first_byte_that_shows_it() {
        use ProtocolError::*;
        for (bytes, error) in [
            (&[0xc2][..], ReservedBits),
            (&[0xa2], ReservedBits),
            (&[0x92], ReservedBits),
            (&[0x83], ReservedOpcode(3)),
            (&[0x8f], ReservedOpcode(15)),
            (&[0x09], FragmentedControl),
            (&[0x82, 0x05], Unmasked),
            (&[0x89, 0xfe], LongControl),
            (&[0x82, 0xfe, 0, 125], BadLength),
            (&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], BadLength),
            (&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], BadLength),
        ] {
            assert_eq!(Header::read(bytes), Err(error), "{bytes:x?}");
        }
    }

    #[test]
    fn a_mask_comes_off_wherever_the_bytes_begin() {
        let mask = [0x11, 0x22, 0x44, 0x88];
        for len in 0..40 {
            for offset in 0..9 {
                let masked: Vec<u8> = (0..len).map(|at| mask[(at + offset) % 4]).collect();
                let mut bytes = masked;
                unmask(&mut bytes, mask, offset as u64);
                assert!(bytes.iter().all(|byte| *byte == 0), "{len} bytes at {offset}");
            }
        }
    }

    #[test]
    fn lengths_are_written_in_their_shortest_form() {
        let head = |len: usize| frame(Opcode::Binary, &[&vec![7; len]])[..4].to_vec();
        assert_eq!(head(125)[..2], [0x82, 125]);
        assert_eq!(head(126), [0x82, 126, 0, 126]);
        assert_eq!(head(0xffff), [0x82, 126, 0xff, 0xff]);
        assert_eq!(head(0x1_0000)[..2], [0x82, 127]);
        assert_eq!(frame(Opcode::Text, &[b"a", b"", b"bc"]), &b"\x81\x03abc"[..]);
    }

    #[test]
    fn a_head_and_what_follows_it_are_the_frame() {
        for len in [0, 3, 122, 123, 0xfffd, 0x1_0000] {
            let body = vec![7; len];
            let parts = [&frame_head(Opcode::Binary, b"abc", len)[..], &body].concat();
            assert_eq!(parts, frame(Opcode::Binary, &[b"abc", &body]), "{len} bytes after the head");
        }
    }

    #[test]
    fn a_close_frame_is_never_longer_than_a_control_frame_may_be() {
        let bytes = close_frame(4400, &"ü".repeat(100));
        assert_eq!((bytes[0], bytes[1]), (0x88, 2 + 122));
    }
}
