//! What of a room's words gateway clients hear: who is there, who types, that all is durable; of edits nothing.
//!
//! A frame is a byte that says what it is, and its content in the encoding of Yjs. It is written once for all clients of a
//! room, and costs nothing for edits.

use bytes::Bytes;

use crate::delivery::{Dialect, Message, Typist};
use crate::ids::ClientId;
use crate::lib0::{DecodeError, Reader, write_text, write_var_uint};

/// How rooms write for gateway clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DocumentsDialect;

/// What a room says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// Presence, as an awareness update.
    Presence(&'a [u8]),
    /// Who began or stopped typing; read by [`typists`].
    Typing(&'a [u8]),
    /// The answer to the question that is asked on joining: everybody who was there has been told of before.
    Complete,
    /// Everything is durable.
    Saved,
    /// What the client may do from now on.
    Granted {
        /// Whether the others see it typing.
        may_type: bool,
    },
}

impl Dialect for DocumentsDialect {
    fn encode(&self, message: &Message<'_>) -> Option<Bytes> {
        match message {
            Message::Awareness(update) => Some([&[PRESENCE][..], update].concat().into()),
            Message::Typing(typists) => Some(typing(typists)),
            Message::Step2(_) => Some(Bytes::from_static(&[COMPLETE])),
            Message::AllSaved => Some(Bytes::from_static(&[SAVED])),
            Message::Granted(grant) => Some(vec![GRANTED, u8::from(grant.may_type())].into()),
            Message::Step1(_)
            | Message::Update(_)
            | Message::Saved(_)
            | Message::SavedPart(_)
            | Message::Settled
            | Message::Dropped
            | Message::Stateless(_)
            | Message::Denied(_)
            | Message::Refused(_)
            | Message::Ended(_) => None,
        }
    }

    fn key(&self) -> &'static str {
        "gateway-documents"
    }
}

impl<'a> Heard<'a> {
    /// Reads what the dialect wrote.
    pub(super) fn read(frame: &'a [u8]) -> Option<Self> {
        let (kind, content) = frame.split_first()?;
        match *kind {
            PRESENCE => Some(Self::Presence(content)),
            TYPING => Some(Self::Typing(content)),
            COMPLETE => Some(Self::Complete),
            SAVED => Some(Self::Saved),
            GRANTED => Some(Self::Granted { may_type: content == [1] }),
            _ => None,
        }
    }
}

/// The content of a typing frame.
pub(super) fn typists(content: &[u8]) -> Result<Vec<Typist<'_>>, DecodeError> {
    let mut reader = Reader::new(content);
    let mut typists = Vec::new();
    while !reader.is_empty() {
        let client = ClientId::new(reader.var_uint()?).ok_or(DecodeError::IntegerTooLarge)?;
        let typing = reader.byte()? == 1;
        typists.push(Typist { client, typing, place: reader.text()? });
    }
    Ok(typists)
}

fn typing(typists: &[Typist<'_>]) -> Bytes {
    let mut out = vec![TYPING];
    for typist in typists {
        write_var_uint(&mut out, typist.client.value());
        out.push(u8::from(typist.typing));
        write_text(&mut out, typist.place);
    }
    out.into()
}

const PRESENCE: u8 = 0;
const TYPING: u8 = 1;
const COMPLETE: u8 = 2;
const SAVED: u8 = 3;
const GRANTED: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, Role};

    #[test]
    fn edits_cost_nothing_and_the_rest_comes_out_as_it_went_in() {
        let silent = [Message::Step1(b"x"), Message::Update(b"x"), Message::Saved(b"x"), Message::Denied("x")];
        assert!(silent.iter().all(|message| DocumentsDialect.encode(message).is_none()));
        let ada = Typist { client: ClientId::new(300).unwrap(), typing: true, place: "p" };
        let ben = Typist { client: ClientId::new(7).unwrap(), typing: false, place: "" };
        let frame = DocumentsDialect.encode(&Message::Typing(&[ada, ben])).unwrap();
        let Some(Heard::Typing(content)) = Heard::read(&frame) else { panic!("typing") };
        assert_eq!(typists(content), Ok(vec![ada, ben]));
        let frame = DocumentsDialect.encode(&Message::Awareness(b"\x00")).unwrap();
        assert_eq!(Heard::read(&frame), Some(Heard::Presence(b"\x00")));
        let frame = |message| DocumentsDialect.encode(&message).unwrap();
        assert_eq!(Heard::read(&frame(Message::Step2(b"much"))), Some(Heard::Complete));
        assert_eq!(Heard::read(&frame(Message::AllSaved)), Some(Heard::Saved));
        for (role, may_type) in [(Role::View, false), (Role::Comment, true)] {
            let granted = frame(Message::Granted(Grant::of(role)));
            assert_eq!(Heard::read(&granted), Some(Heard::Granted { may_type }), "{role:?}");
        }
    }
}
