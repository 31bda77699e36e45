//! What a room is asked to do.

use bytes::Bytes;
use tokio::sync::oneshot;

use super::desk::Place;
use super::errors::{DeleteError, JoinError, SubmitError};
use super::membership::Seat;
use crate::ids::{Generation, MemberId};
use crate::sync::DocumentBytes;

/// What members send.
#[derive(Debug)]
pub(super) enum Edit {
    Step1 {
        member: MemberId,
        state_vector: Bytes,
    },
    Update {
        member: MemberId,
        update: Bytes,
    },
    /// An update that is acknowledged if it brings nothing new, and not taken.
    Compare {
        member: MemberId,
        update: Bytes,
    },
    Awareness {
        member: MemberId,
        update: Bytes,
    },
    QueryAwareness {
        member: MemberId,
    },
    Typing {
        member: MemberId,
        typing: bool,
        place: Box<str>,
    },
    /// A text of the application for everybody, whoever says it.
    Stateless {
        text: Box<str>,
    },
}

/// Something that changes the document, or may: waits its turn, and longer while the disk does not keep up.
#[derive(Debug)]
pub(super) enum Request {
    Edit(Edit),
    Submit { update: Bytes, reply: oneshot::Sender<Result<Submitted, SubmitError>> },
}

/// A request and the place that it takes in the room's byte bound until its turn is over.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) request: Request,
    pub(super) place: Place,
}

/// What comes before requests, also when the disk does not keep up.
#[derive(Debug)]
pub(super) enum Control {
    Join {
        seat: Seat,
        reply: oneshot::Sender<Result<MemberId, JoinError>>,
    },
    Leave {
        member: MemberId,
    },
    Read {
        reply: oneshot::Sender<Reading>,
    },
    /// Whether an update brings nothing new.
    Knows {
        update: Bytes,
        reply: oneshot::Sender<bool>,
    },
    /// Save what there is without waiting for more.
    Hurry,
    Delete {
        reply: oneshot::Sender<Result<(), DeleteError>>,
    },
}

/// A document at one moment, with what identifies that moment.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The life of the name.
    pub generation: Generation,
    /// The content.
    pub bytes: DocumentBytes,
    /// The snapshot stands for the updates 1 to this one.
    pub snapshot_upto: u64,
    /// The number of the last update; 0 when the document has none.
    pub head: u64,
    /// How many of the last updates are not durable yet.
    pub unsaved: u64,
    /// How many members the room has; `None` when no room is open.
    pub members: Option<usize>,
}

/// Confirms that an update is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// The number of the last update of the document then.
    pub head: u64,
}
