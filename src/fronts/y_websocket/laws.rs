//! What holds for any frame of a client, whoever made it: reading it ends, one message after the other.

use super::wire::{self, Incoming};
use crate::awareness::TypingTable;
use crate::lib0::Reader;
use crate::sync::{StateVector, SyncMessage, UpdateRef};

/// Reads a frame as the conversation does.
///
/// # Panics
/// When a law is broken.
pub fn check(frame: &[u8]) {
    let mut reader = Reader::new(frame);
    while !reader.is_empty() {
        let before = reader.rest().len();
        let Ok(message) = wire::read(&mut reader, TypingTable::MAX_PLACE) else { return };
        assert!(reader.rest().len() < before, "a message of no bytes");
        match message {
            Incoming::Sync(SyncMessage::Step1(state)) => {
                let _may_be_one = StateVector::decode(state, 1000).is_ok();
            }
            Incoming::Sync(SyncMessage::Step2(update) | SyncMessage::Update(update)) => {
                let _may_be_one = UpdateRef::parse(update).is_ok();
            }
            Incoming::Typing { place, .. } => assert!(place.len() <= TypingTable::MAX_PLACE),
            Incoming::Token(token) => assert!(!token.is_empty()),
            Incoming::Awareness(_) | Incoming::QueryAwareness | Incoming::Auth => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_laws_hold_for_what_clients_send() {
        for frame in [&b""[..], b"\x00\x00\x01\x00\x03\x01\x01\x00", b"\x65\x01\x05title", b"\x00\x02\x02\x00\x00\x64"]
        {
            check(frame);
        }
    }
}
