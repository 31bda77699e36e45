//! How this server writes to Hocuspocus providers.

use bytes::Bytes;

use super::typing;
use super::wire::{AUTH, AUTHENTICATED, AWARENESS, CLOSE, PERMISSION_DENIED, STATELESS, SYNC, SYNC_STATUS};
use crate::delivery::{Dialect, Ending, Message};
use crate::lib0::{write_text, write_var_uint};
use crate::sync::SyncMessage;
use crate::websocket::{self, Opcode};

/// How this server writes to a provider: everything under the address that the client has chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HocuspocusDialect {
    /// For telling dialects apart; after the name of this wire, the address.
    key: String,
    /// The address as it stands in each frame.
    address: Box<[u8]>,
}

impl HocuspocusDialect {
    /// The dialect of an address.
    #[must_use]
    pub fn new(address: &str) -> Self {
        let mut encoded = Vec::with_capacity(address.len() + 2);
        write_text(&mut encoded, address);
        Self { key: format!("hocuspocus, {address}"), address: encoded.into() }
    }

    /// The frame that detaches the client from the document, with a reason.
    #[must_use]
    pub fn close(&self, reason: &str) -> Bytes {
        self.with(|out| {
            write_var_uint(out, CLOSE);
            write_text(out, reason);
        })
    }

    /// Whether an update was stored.
    pub(super) fn status(&self, stored: bool) -> Bytes {
        self.with(|out| {
            write_var_uint(out, SYNC_STATUS);
            write_var_uint(out, u64::from(stored));
        })
    }

    fn stateless(&self, text: &str) -> Bytes {
        self.with(|out| {
            write_var_uint(out, STATELESS);
            write_text(out, text);
        })
    }

    fn with(&self, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        let mut out = Vec::new();
        write(&mut out);
        websocket::frame(Opcode::Binary, &[&self.address, &out])
    }

    fn auth(&self, kind: u64, text: &str) -> Bytes {
        self.with(|out| {
            write_var_uint(out, AUTH);
            write_var_uint(out, kind);
            write_text(out, text);
        })
    }

    fn sync(&self, message: &SyncMessage<'_>) -> Bytes {
        let (SyncMessage::Step1(body) | SyncMessage::Step2(body) | SyncMessage::Update(body)) = message;
        websocket::frame(Opcode::Binary, &[&self.address, &sync_head(message), body])
    }
}

impl Dialect for HocuspocusDialect {
    fn encode(&self, message: &Message<'_>) -> Option<Bytes> {
        match message {
            Message::Step1(state_vector) => Some(self.sync(&SyncMessage::Step1(state_vector))),
            Message::Step2(update) => Some(self.sync(&SyncMessage::Step2(update))),
            Message::Update(update) => Some(self.sync(&SyncMessage::Update(update))),
            Message::Awareness(update) => {
                let mut head = Vec::with_capacity(HEAD);
                write_var_uint(&mut head, AWARENESS);
                write_var_uint(&mut head, update.len() as u64);
                Some(websocket::frame(Opcode::Binary, &[&self.address, &head, update]))
            }
            Message::Saved(_) | Message::Settled => Some(self.status(true)),
            Message::Dropped => Some(self.status(false)),
            Message::Granted(grant) => {
                Some(self.auth(AUTHENTICATED, if grant.may_edit() { READ_WRITE } else { READ_ONLY }))
            }
            Message::Refused(reason) => Some(self.auth(PERMISSION_DENIED, reason)),
            // Who may come back soon is not detached: providers try again when the socket goes, and not before.
            Message::Ended(ending) => is_final(ending).then(|| self.close(&ending.to_string())),
            Message::Stateless(text) => Some(self.stateless(text)),
            Message::Typing(typists) => Some(self.stateless(&typing::write(typists))),
            Message::SavedPart(_) | Message::AllSaved | Message::Denied(_) => None,
        }
    }

    fn head(&self, message: &Message<'_>) -> Option<Bytes> {
        let (message, following) = match message {
            Message::Step2(update) => (SyncMessage::Step2(update), update.len()),
            Message::Update(update) => (SyncMessage::Update(update), update.len()),
            _ => return None,
        };
        let head = [&self.address[..], &sync_head(&message)].concat();
        Some(websocket::frame_head(Opcode::Binary, &head, following))
    }

    fn key(&self) -> &str {
        &self.key
    }
}

/// Whether a session that ended so is not to be begun again.
fn is_final(ending: &Ending) -> bool {
    matches!(
        ending,
        Ending::Malformed(_) | Ending::TooLarge(_) | Ending::Deleted | Ending::Forbidden(_) | Ending::NotFound(_)
    )
}

fn sync_head(message: &SyncMessage<'_>) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD);
    write_var_uint(&mut head, SYNC);
    message.write_head(&mut head);
    head
}

/// What stands between the address and the body: at most three numbers.
const HEAD: usize = 16;
/// The scope of a session that may edit.
const READ_WRITE: &str = "read-write";
/// The scope of one that may not.
const READ_ONLY: &str = "readonly";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, Role};

    /// The payload of a frame, whose header is looked at too.
    fn hex(frame: &[u8]) -> String {
        assert_eq!(frame[..2], [0x82, u8::try_from(frame.len() - 2).unwrap()]);
        frame[2..].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    #[test]
    fn frames_are_those_that_the_reference_server_sends() {
        let dialect = HocuspocusDialect::new("doc");
        let frame = |message: &Message<'_>| dialect.encode(message).map(|frame| hex(&frame));
        assert_eq!(frame(&Message::Step1(&[0])).as_deref(), Some("03646f6300000100"));
        assert_eq!(frame(&Message::Step2(&[0, 0])).as_deref(), Some("03646f630001020000"));
        assert_eq!(frame(&Message::Saved(&[0, 0])).as_deref(), Some("03646f630801"));
        assert_eq!(frame(&Message::Dropped).as_deref(), Some("03646f630800"));
        let granted = |role| frame(&Message::Granted(Grant::of(role)));
        assert_eq!(granted(Role::Edit).as_deref(), Some("03646f6302020a726561642d7772697465"));
        assert_eq!(granted(Role::View).as_deref(), Some("03646f63020208726561646f6e6c79"));
        assert_eq!(frame(&Message::Refused("no-way")).as_deref(), Some("03646f630201066e6f2d776179"));
        assert_eq!(frame(&Message::Stateless("hi")).as_deref(), Some("03646f6305026869"));
        assert_eq!(hex(&dialect.close("provider_initiated"))[..12], *"03646f630712");
    }

    #[test]
    fn a_head_stands_before_an_update_as_in_its_frame() {
        let dialect = HocuspocusDialect::new("doc\0session");
        for len in [0, 1, 200, 70_000] {
            let update = vec![1; len];
            for message in [Message::Step2(&update), Message::Update(&update)] {
                let whole = [&dialect.head(&message).unwrap()[..], &update].concat();
                assert_eq!(dialect.encode(&message).unwrap(), whole);
            }
        }
    }

    #[test]
    fn who_may_come_back_is_not_detached() {
        let dialect = HocuspocusDialect::new("doc");
        let ended = |ending: &Ending| dialect.encode(&Message::Ended(ending)).is_some();
        assert!(ended(&Ending::Deleted) && ended(&Ending::Malformed("x".to_owned())));
        assert!(!ended(&Ending::RoomFailed) && !ended(&Ending::ShuttingDown) && !ended(&Ending::TooSlow));
    }
}
