//! What a room's state wants done.

use bytes::Bytes;

use super::errors::SubmitError;
use crate::awareness::{PresenceBatch, TypingNote};
use crate::delivery::Ending;
use crate::ids::{ClientId, MemberId};
use crate::sync::StateVector;

/// Stands for a caller that waits for an answer; the task knows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ticket(pub(super) u64);

/// What a room's state wants done, to be carried out in order.
#[derive(Debug)]
pub(super) enum Effect {
    /// Make the update durable.
    Save { number: u64, update: Bytes },
    /// Send the update to every member but one.
    Broadcast { number: u64, update: Bytes, except: Option<MemberId> },
    /// Send the member what it lacks.
    Sync { member: MemberId, known: StateVector },
    /// Send the member the room's state vector, to learn what the room lacks.
    Ask { member: MemberId },
    /// Tell the member that its update is durable.
    Acknowledge { member: MemberId, update: Bytes },
    /// Tell the member that a part of its update is durable.
    AcknowledgePart { member: MemberId, update: Bytes },
    /// Tell the member that its update is not taken.
    Drop { member: MemberId },
    /// Tell everyone that everything which was accepted is durable.
    AllSaved,
    /// Send changed presence to everyone but those it comes from.
    Presence { batch: PresenceBatch },
    /// Send all presence to the member.
    PresenceTo { member: MemberId },
    /// Send typing notes to everyone who asked but those they speak of.
    Typing { notes: Vec<(ClientId, TypingNote)> },
    /// Send a text of the application to everyone.
    Stateless { text: Box<str> },
    /// End the member's session.
    End { member: MemberId, ending: Ending },
    /// Answer a caller.
    Answer { ticket: Ticket, answer: Result<u64, SubmitError> },
}
