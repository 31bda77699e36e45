//! The way out: what a room has to say, how a front writes it, and the bounded queue in which it waits for a socket.
//!
//! A room speaks in [`Message`]s. A [`Dialect`] turns one into the bytes of a frame, once for all members that share it.
//! An [`Outbox`] holds the frames of one connection; it is capped in bytes, and when it overflows it drops *all* waiting
//! document frames of a session and says so, so that the room can bring the member up to date with one diff. Nothing is
//! ever skipped in between.

mod ending;
mod framed;
mod outbox;
mod queue;
mod run;
mod wire;

use bytes::Bytes;

pub use ending::Ending;
pub use framed::Framed;
pub use outbox::{Batch, Config, Lane, Outbox, Pushed};
pub use run::Run;
pub use wire::{Sent, Wire};

use crate::access::Grant;
use crate::ids::ClientId;

/// Something that a room or a session says to its client.
#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    /// The room's state vector: asks for what the room lacks.
    Step1(&'a [u8]),
    /// The answer to the member's state vector, or what brings a slow member up to date: an update.
    Step2(&'a [u8]),
    /// An update of another member, as that member sent it.
    Update(&'a [u8]),
    /// An awareness update.
    Awareness(&'a [u8]),
    /// Who began or stopped typing.
    Typing(&'a [Typist<'a>]),
    /// The member's own update is durable.
    Saved(&'a [u8]),
    /// A part of the member's own update is durable; the rest waits for something that is missing before it.
    SavedPart(&'a [u8]),
    /// The member's own update is empty.
    Settled,
    /// The member's own update is not taken.
    Dropped,
    /// Everything that the room has accepted is durable, after something was not.
    AllSaved,
    /// A text of the application.
    Stateless(&'a str),
    /// What the session may do.
    Granted(Grant),
    /// What the client sent was dropped; the text says why.
    Denied(&'a str),
    /// The client is not let in; the text says why.
    Refused(&'a str),
    /// The session has ended. A wire with a word for it keeps the connection, on which there may be others.
    Ended(&'a Ending),
}

/// Somebody who began or stopped typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typist<'a> {
    /// The Yjs client id under which presence knows the person.
    pub client: ClientId,
    /// Whether the person is typing now.
    pub typing: bool,
    /// Where, in the words of the client; often empty.
    pub place: &'a str,
}

/// How a front writes.
///
/// Dialects with the same [`key`](Self::key) write the very same bytes for every message, so one may stand for the other: what
/// is for many members is encoded once for each key.
pub trait Dialect: Send + Sync + std::fmt::Debug + 'static {
    /// The frame for a message; `None` when this wire says nothing then.
    fn encode(&self, message: &Message<'_>) -> Option<Bytes>;

    /// What stands before the update in the frame for a message, if the frame is that and the update as it is: then a large
    /// one is sent to many without a copy for each. `None` when the frame has to be encoded.
    fn head(&self, _message: &Message<'_>) -> Option<Bytes> {
        None
    }

    /// A text that tells dialects apart whose frames differ.
    fn key(&self) -> &str;
}
