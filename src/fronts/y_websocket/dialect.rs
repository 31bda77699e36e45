//! How this server writes to y-websocket clients.

use bytes::Bytes;

use super::wire::{AUTH, AUTHENTICATED, AWARENESS, PERMISSION_DENIED, SYNC, TYPING};
use crate::delivery::{Dialect, Message, Typist};
use crate::lib0::{write_text, write_var_uint};
use crate::sync::SyncMessage;
use crate::websocket::{self, Opcode};

/// How this server writes to y-websocket clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YWebSocketDialect {
    acks: Acks,
}

/// How a client hears that its update is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// Not at all: clients up to version 3 ignore it.
    None,
    /// By its own update coming back, as y-websocket 4 takes it.
    Echo,
}

impl YWebSocketDialect {
    /// The dialect of clients that want these acks.
    #[must_use]
    pub const fn new(acks: Acks) -> Self {
        Self { acks }
    }
}

impl Dialect for YWebSocketDialect {
    fn encode(&self, message: &Message<'_>) -> Option<Bytes> {
        match message {
            Message::Step1(state_vector) => Some(sync(&SyncMessage::Step1(state_vector))),
            Message::Step2(update) => Some(sync(&SyncMessage::Step2(update))),
            Message::Update(update) => Some(sync(&SyncMessage::Update(update))),
            Message::Saved(update) | Message::SavedPart(update) => {
                (self.acks == Acks::Echo).then(|| sync(&SyncMessage::Update(update)))
            }
            Message::AllSaved
            | Message::Settled
            | Message::Dropped
            | Message::Stateless(_)
            | Message::Refused(_)
            | Message::Ended(_) => None,
            Message::Awareness(update) => {
                let mut head = Vec::with_capacity(HEAD);
                write_var_uint(&mut head, AWARENESS);
                write_var_uint(&mut head, update.len() as u64);
                Some(binary(&[&head, update]))
            }
            Message::Typing(typists) => Some(typing(typists)),
            // Who may edit hears nothing: that is what clients of this wire expect anyway.
            Message::Granted(grant) => (!grant.may_edit()).then(|| auth(AUTHENTICATED, READ_ONLY)),
            Message::Denied(reason) => Some(auth(PERMISSION_DENIED, reason)),
        }
    }

    fn head(&self, message: &Message<'_>) -> Option<Bytes> {
        let (message, following) = match message {
            Message::Step2(update) => (SyncMessage::Step2(update), update.len()),
            Message::Update(update) => (SyncMessage::Update(update), update.len()),
            _ => return None,
        };
        Some(with_sync_head(&message, |head| websocket::frame_head(Opcode::Binary, head, following)))
    }

    fn key(&self) -> &'static str {
        match self.acks {
            Acks::None => "y-websocket",
            Acks::Echo => "y-websocket, echo",
        }
    }
}

/// A whole frame of the socket: what is sent to many is encoded to its last byte once.
pub(super) fn binary(payload: &[&[u8]]) -> Bytes {
    websocket::frame(Opcode::Binary, payload)
}

fn sync(message: &SyncMessage<'_>) -> Bytes {
    let (SyncMessage::Step1(body) | SyncMessage::Step2(body) | SyncMessage::Update(body)) = message;
    with_sync_head(message, |head| binary(&[head, body]))
}

fn with_sync_head<T>(message: &SyncMessage<'_>, then: impl FnOnce(&[u8]) -> T) -> T {
    let mut head = [0; HEAD];
    let mut rest = &mut head[..];
    write_var_uint(&mut rest, SYNC);
    message.write_head(&mut rest);
    let len = HEAD - rest.len();
    then(head.get(..len).unwrap_or_default())
}

fn auth(kind: u64, text: &str) -> Bytes {
    let mut out = Vec::new();
    write_var_uint(&mut out, AUTH);
    write_var_uint(&mut out, kind);
    write_text(&mut out, text);
    binary(&[&out])
}

fn typing(typists: &[Typist<'_>]) -> Bytes {
    let mut out = Vec::new();
    write_var_uint(&mut out, TYPING);
    write_var_uint(&mut out, typists.len() as u64);
    for typist in typists {
        write_var_uint(&mut out, typist.client.value());
        write_var_uint(&mut out, u64::from(typist.typing));
        write_text(&mut out, typist.place);
    }
    binary(&[&out])
}

/// What stands before the body of a message: at most three numbers, two of them of one byte.
const HEAD: usize = 16;
/// The scope of Hocuspocus for a session that may not edit.
const READ_ONLY: &str = "readonly";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, Role};
    use crate::ids::ClientId;

    const DIALECT: YWebSocketDialect = YWebSocketDialect::new(Acks::None);

    /// The payload of a frame, whose header is looked at too.
    fn hex(frame: &[u8]) -> String {
        assert_eq!(frame[..2], [0x82, u8::try_from(frame.len() - 2).unwrap()]);
        frame[2..].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    #[test]
    fn frames_are_those_that_the_reference_server_sends() {
        let frame = |message: &Message<'_>| DIALECT.encode(message).map(|frame| hex(&frame));
        assert_eq!(frame(&Message::Step1(&[0])).as_deref(), Some("00000100"));
        assert_eq!(frame(&Message::Step2(&[0, 0])).as_deref(), Some("0001020000"));
        assert_eq!(frame(&Message::Update(&[1, 2, 3])).as_deref(), Some("000203010203"));
        assert_eq!(frame(&Message::Awareness(b"\x01\x07\x00\x02{}")).as_deref(), Some("0106010700027b7d"));
        assert_eq!(frame(&Message::Saved(&[0, 0])), None);
    }

    #[test]
    fn a_head_stands_before_an_update_as_in_its_frame() {
        for len in [0, 1, 200, 70_000] {
            let update = vec![1; len];
            for message in [Message::Step2(&update), Message::Update(&update)] {
                let whole = [&DIALECT.head(&message).unwrap()[..], &update].concat();
                assert_eq!(DIALECT.encode(&message).unwrap(), whole);
            }
        }
        let others = [Message::Step1(&[0]), Message::Saved(&[0, 0]), Message::Awareness(&[0])];
        assert!(others.iter().all(|message| DIALECT.head(message).is_none()));
    }

    #[test]
    fn an_ack_is_the_echo_of_the_update_for_those_who_asked() {
        let echo = YWebSocketDialect::new(Acks::Echo);
        assert_eq!(echo.encode(&Message::Saved(&[1, 2])), echo.encode(&Message::Update(&[1, 2])));
    }

    #[test]
    fn only_who_may_not_edit_is_told_of_its_grant() {
        let granted = |role| DIALECT.encode(&Message::Granted(Grant::of(role))).map(|frame| hex(&frame));
        assert_eq!(granted(Role::View).as_deref(), Some("020208726561646f6e6c79"));
        assert_eq!(granted(Role::Comment), granted(Role::View));
        assert_eq!(granted(Role::Edit), None);
        assert_eq!(DIALECT.encode(&Message::Denied("no")).map(|frame| hex(&frame)).as_deref(), Some("0200026e6f"));
    }

    #[test]
    fn a_typing_note_names_the_client() {
        let client = ClientId::new(300).unwrap();
        let frame = DIALECT.encode(&Message::Typing(&[Typist { client, typing: true, place: "p" }])).unwrap();
        assert_eq!(hex(&frame), "6501ac02010170");
    }
}
