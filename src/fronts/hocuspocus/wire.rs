//! Messages of the Hocuspocus wire.
//!
//! Source of the numbers: Hocuspocus, `MessageType` in `packages/server/src/types.ts` and `AuthMessageType` in
//! `packages/common/src/auth.ts`, as they were measured with its providers.

use thiserror::Error;

use crate::ids::{DocName, DocNameError};
use crate::lib0::{DecodeError, Reader};
use crate::sync::{SyncMessage, SyncMessageError};

/// A message from a client, without its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// The token that lets the client in; empty when it has none.
    Token(&'a str),
    Sync(SyncMessage<'a>),
    Awareness(&'a [u8]),
    QueryAwareness,
    /// A text of the application.
    Stateless(&'a str),
    /// What only servers say to each other.
    ForServers,
    /// The client detaches from the document and keeps the socket.
    Detach,
    /// Nothing that this server knows.
    Unknown(u64),
}

/// Why a frame has no address or no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum WireError {
    #[error("malformed frame: {0}")]
    Decode(#[from] DecodeError),
    #[error("malformed sync message: {0}")]
    Sync(#[from] SyncMessageError),
    #[error("an authentication message is no token")]
    NoToken,
}

/// Why an address is no place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum AddressError {
    #[error(transparent)]
    Name(#[from] DocNameError),
    #[error("the session id is longer than {MAX_SESSION} bytes")]
    SessionTooLong,
}

/// Reads a frame's address and what follows it.
pub(super) fn address(frame: &[u8]) -> Result<(&str, Reader<'_>), WireError> {
    let mut reader = Reader::new(frame);
    let address = reader.text()?;
    Ok((address, reader))
}

/// Reads the message that follows an address.
pub(super) fn message(mut reader: Reader<'_>) -> Result<Incoming<'_>, WireError> {
    Ok(match reader.var_uint()? {
        SYNC | SYNC_REPLY => Incoming::Sync(SyncMessage::read(&mut reader)?),
        AWARENESS => Incoming::Awareness(reader.buffer()?),
        AUTH if reader.var_uint()? == TOKEN => {
            // Version 4 says its version after it.
            Incoming::Token(reader.text()?)
        }
        AUTH => return Err(WireError::NoToken),
        QUERY_AWARENESS => Incoming::QueryAwareness,
        STATELESS => Incoming::Stateless(reader.text()?),
        BROADCAST_STATELESS => Incoming::ForServers,
        CLOSE => Incoming::Detach,
        other => Incoming::Unknown(other),
    })
}

/// The document of an address, whose session id is within its bound.
pub(super) fn place(address: &str) -> Result<DocName, AddressError> {
    let name = name_in(address);
    // The zero between them counts for none of both.
    if address.len() - name.len() > MAX_SESSION + 1 {
        return Err(AddressError::SessionTooLong);
    }
    Ok(DocName::parse(name)?)
}

/// The document's name in an address: what stands before the session id, if there is one.
pub(super) fn name_in(address: &str) -> &str {
    address.split('\0').next().unwrap_or_default()
}

/// The longest session id, in bytes; providers make some of a dozen. Each frame to the session carries it.
const MAX_SESSION: usize = 256;
/// `Sync`: a message of y-protocols follows.
pub(super) const SYNC: u64 = 0;
/// `Awareness`.
pub(super) const AWARENESS: u64 = 1;
/// `Auth`.
pub(super) const AUTH: u64 = 2;
/// `QueryAwareness`.
const QUERY_AWARENESS: u64 = 3;
/// `SyncReply`: a sync message that asks for no Step1 in return, which this server sends once anyway.
const SYNC_REPLY: u64 = 4;
/// `Stateless`: a text follows.
pub(super) const STATELESS: u64 = 5;
/// `BroadcastStateless`.
const BROADCAST_STATELESS: u64 = 6;
/// `CLOSE`: from the server with a reason.
pub(super) const CLOSE: u64 = 7;
/// `SyncStatus`: whether the client's Step2 or Update is stored.
pub(super) const SYNC_STATUS: u64 = 8;
/// In `Auth`, from the client: its token.
const TOKEN: u64 = 0;
/// In `Auth`: not let in, for a reason.
pub(super) const PERMISSION_DENIED: u64 = 1;
/// In `Auth`: let in, with a scope.
pub(super) const AUTHENTICATED: u64 = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(frame: &[u8]) -> Result<(&str, Incoming<'_>), WireError> {
        let (address, rest) = address(frame)?;
        Ok((address, message(rest)?))
    }

    #[test]
    fn frames_of_the_providers_are_read() {
        let token = b"\x03doc\x02\x00\x01t\x054.8.0";
        assert_eq!(read(token), Ok(("doc", Incoming::Token("t"))));
        assert_eq!(read(b"\x03doc\x02\x00\x01t"), Ok(("doc", Incoming::Token("t"))));
        assert_eq!(read(b"\x03doc\x00\x00\x01\x00"), Ok(("doc", Incoming::Sync(SyncMessage::Step1(&[0])))));
        assert_eq!(read(b"\x03doc\x04\x00\x01\x00"), Ok(("doc", Incoming::Sync(SyncMessage::Step1(&[0])))));
        assert_eq!(read(b"\x03doc\x01\x06\x01\x07\x00\x02{}"), Ok(("doc", Incoming::Awareness(b"\x01\x07\x00\x02{}"))));
        assert_eq!(read(b"\x03doc\x03"), Ok(("doc", Incoming::QueryAwareness)));
        assert_eq!(read(b"\x03doc\x05\x02hi"), Ok(("doc", Incoming::Stateless("hi"))));
        assert_eq!(read(b"\x03doc\x07"), Ok(("doc", Incoming::Detach)));
    }

    #[test]
    fn an_address_may_carry_a_session() {
        let (address, _) = read(b"\x07doc\0abc\x03").unwrap();
        assert_eq!((address, name_in(address)), ("doc\0abc", "doc"));
        assert_eq!(name_in("doc"), "doc");
        let session = |len: usize| place(&format!("doc\0{}", "x".repeat(len)));
        assert_eq!(session(256).map(|name| name.to_string()), Ok("doc".to_owned()));
        assert_eq!(session(257), Err(AddressError::SessionTooLong));
        assert_eq!(place("\0session"), Err(AddressError::Name(DocNameError::Empty)));
    }

    #[test]
    fn what_is_cut_short_is_an_error_and_what_is_unknown_is_not() {
        for frame in [&b""[..], b"\x03do", b"\x03doc", b"\x03doc\x00", b"\x03doc\x02\x01", b"\x03doc\x05\x02h"] {
            assert!(read(frame).is_err(), "{frame:?}");
        }
        assert_eq!(read(b"\x03doc\x63"), Ok(("doc", Incoming::Unknown(99))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
        }
    }
}
