//! Messages of the y-websocket wire.
//!
//! Source of the numbers: y-websocket (`messageSync` and its neighbours in `src/y-websocket.js`); 101 is this server's
//! own, above the range that y-websocket uses.

use thiserror::Error;

use crate::lib0::{DecodeError, Reader};
use crate::sync::{SyncMessage, SyncMessageError};

/// A message from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    Sync(SyncMessage<'a>),
    Awareness(&'a [u8]),
    QueryAwareness,
    Typing {
        typing: bool,
        place: &'a str,
    },
    /// A token in the place of the one that the client came with.
    Token(&'a str),
    /// An answer that clients send on nobody's request; of no meaning to a server.
    Auth,
}

/// Why a frame is no sequence of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum WireError {
    #[error("malformed frame: {0}")]
    Decode(#[from] DecodeError),
    #[error("malformed sync message: {0}")]
    Sync(#[from] SyncMessageError),
    #[error("unknown message type {0}")]
    UnknownType(u64),
    #[error("the frame is empty")]
    Empty,
    #[error("a typing note is neither on nor off, or its place is too long")]
    Typing,
}

/// Reads the next message of a frame.
pub(super) fn read<'a>(reader: &mut Reader<'a>, max_place: usize) -> Result<Incoming<'a>, WireError> {
    match reader.var_uint()? {
        SYNC => Ok(Incoming::Sync(SyncMessage::read(reader)?)),
        AWARENESS => Ok(Incoming::Awareness(reader.buffer()?)),
        AUTH => {
            let kind = reader.var_uint()?;
            let text = reader.text()?;
            Ok(if kind == TOKEN && !text.is_empty() { Incoming::Token(text) } else { Incoming::Auth })
        }
        QUERY_AWARENESS => Ok(Incoming::QueryAwareness),
        TYPING => {
            let typing = match reader.var_uint()? {
                0 => false,
                1 => true,
                _ => return Err(WireError::Typing),
            };
            let place = reader.text()?;
            if place.len() > max_place { Err(WireError::Typing) } else { Ok(Incoming::Typing { typing, place }) }
        }
        other => Err(WireError::UnknownType(other)),
    }
}

/// `messageSync`.
pub(super) const SYNC: u64 = 0;
/// `messageAwareness`.
pub(super) const AWARENESS: u64 = 1;
/// `messageAuth`.
pub(super) const AUTH: u64 = 2;
/// `messagePermissionDenied` of y-protocols, `auth.js`: a reason follows.
pub(super) const PERMISSION_DENIED: u64 = 0;
/// `AuthMessageType.Token` of Hocuspocus, from the client: its token follows. Clients of y-websocket send none by themselves.
const TOKEN: u64 = 0;
/// `AuthMessageType.Authenticated` of Hocuspocus, `packages/common/src/auth.ts`: a scope follows. y-protocols ignores it.
pub(super) const AUTHENTICATED: u64 = 2;
/// `messageQueryAwareness`.
const QUERY_AWARENESS: u64 = 3;
/// Typing, of this server: in with on (1) or off (0) and a place, out with a count and, for each person, the client id,
/// on or off, and the place.
pub(super) const TYPING: u64 = 101;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(frame: &[u8]) -> Result<Vec<Incoming<'_>>, WireError> {
        let mut reader = Reader::new(frame);
        let mut messages = Vec::new();
        while !reader.is_empty() {
            messages.push(read(&mut reader, 64)?);
        }
        Ok(messages)
    }

    #[test]
    fn a_frame_may_hold_several_messages() {
        let frame = [&[0, 0, 1, 0][..], &[1, 1, 0], &[3], &[101, 1, 1, b'x'], &[2, 0, 0], &[2, 0, 1, b't']].concat();
        let expected = vec![
            Incoming::Sync(SyncMessage::Step1(&[0])),
            Incoming::Awareness(&[0]),
            Incoming::QueryAwareness,
            Incoming::Typing { typing: true, place: "x" },
            Incoming::Auth,
            Incoming::Token("t"),
        ];
        assert_eq!(all(&frame), Ok(expected));
    }

    #[test]
    fn unknown_types_and_cut_frames_are_errors() {
        assert_eq!(all(&[100]), Err(WireError::UnknownType(100)));
        assert_eq!(all(&[101, 2, 0]), Err(WireError::Typing));
        assert!(all(&[0, 0, 5, 0]).is_err());
        assert!(all(&[0, 9, 1, 0]).is_err());
        assert!(all(&[0xff; 12]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(frame in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _any_outcome = all(&frame);
        }
    }
}
