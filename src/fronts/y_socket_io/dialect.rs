//! What a room says to y-socket.io clients, on its way to the task that sends it.
//!
//! A frame is a byte that says which event it becomes, and the value of that event.

use bytes::Bytes;

use crate::delivery::{Dialect, Message};

/// How rooms write for y-socket.io clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct YSocketIoDialect;

/// What a frame becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// A question, with the room's state vector.
    Step1(Bytes),
    /// The answer to the client's question, or what brings it up to date.
    Step2(Bytes),
    Update(Bytes),
    Awareness(Bytes),
    /// Why something was dropped, in words.
    Denied(Bytes),
}

impl Dialect for YSocketIoDialect {
    fn encode(&self, message: &Message<'_>) -> Option<Bytes> {
        let (kind, value) = match message {
            Message::Step1(state_vector) => (STEP1, *state_vector),
            Message::Step2(update) => (STEP2, *update),
            Message::Update(update) => (UPDATE, *update),
            Message::Awareness(update) => (AWARENESS, *update),
            Message::Denied(why) => (DENIED, why.as_bytes()),
            // This wire has no words for these.
            Message::Typing(_)
            | Message::Saved(_)
            | Message::SavedPart(_)
            | Message::Settled
            | Message::Dropped
            | Message::Stateless(_)
            | Message::AllSaved
            | Message::Granted(_)
            | Message::Refused(_)
            | Message::Ended(_) => return None,
        };
        let mut frame = Vec::with_capacity(1 + value.len());
        frame.push(kind);
        frame.extend_from_slice(value);
        Some(frame.into())
    }

    fn key(&self) -> &'static str {
        "y-socket.io"
    }
}

impl Frame {
    /// Reads what the dialect wrote.
    pub(super) fn read(frame: &Bytes) -> Option<Self> {
        let value = frame.slice(1.min(frame.len())..);
        Some(match *frame.first()? {
            STEP1 => Self::Step1(value),
            STEP2 => Self::Step2(value),
            UPDATE => Self::Update(value),
            AWARENESS => Self::Awareness(value),
            DENIED => Self::Denied(value),
            _ => return None,
        })
    }
}

const STEP1: u8 = 0;
const STEP2: u8 = 1;
const UPDATE: u8 = 2;
const AWARENESS: u8 = 3;
const DENIED: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, Role};

    fn passed(message: &Message<'_>) -> Option<Frame> {
        YSocketIoDialect.encode(message).and_then(|frame| Frame::read(&frame))
    }

    #[test]
    fn what_the_wire_has_words_for_comes_out_as_it_went_in() {
        let value = Bytes::from_static(b"value");
        assert_eq!(passed(&Message::Step1(b"value")), Some(Frame::Step1(value.clone())));
        assert_eq!(passed(&Message::Step2(b"value")), Some(Frame::Step2(value.clone())));
        assert_eq!(passed(&Message::Update(b"value")), Some(Frame::Update(value.clone())));
        assert_eq!(passed(&Message::Awareness(b"")), Some(Frame::Awareness(Bytes::new())));
        assert_eq!(passed(&Message::Denied("value")), Some(Frame::Denied(value)));
        for silent in [Message::Typing(&[]), Message::Saved(b"value"), Message::AllSaved] {
            assert_eq!(YSocketIoDialect.encode(&silent), None);
        }
        assert_eq!(YSocketIoDialect.encode(&Message::Granted(Grant::of(Role::View))), None);
        assert_eq!((Frame::read(&Bytes::new()), Frame::read(&Bytes::from_static(&[9]))), (None, None));
    }
}
