//! A session's place in a room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::command::{Control, Edit};
use super::registry::RoomHandle;
use crate::delivery::{Dialect, Ending, Lane, Message, Outbox};
use crate::ids::MemberId;

/// What a session brings to a room: where its frames go and how they are written.
#[derive(Debug)]
pub struct Seat {
    /// The outbox of the session's connection.
    pub outbox: Arc<Outbox>,
    /// How the session's front writes.
    pub dialect: Arc<dyn Dialect>,
    /// Whether the session wants to hear when its updates are durable.
    pub wants_acks: bool,
    /// Whether the session wants typing notes.
    pub wants_typing: bool,
    /// Set when the room ends the session and its dialect has a word for that, so that the connection stays; without it, the
    /// connection ends with the session.
    pub parted: Option<Arc<AtomicBool>>,
}

/// A session's place in a room; dropping it leaves the room at once.
///
/// Each call waits while the room's queue is full: that is how a slow disk slows down those who write, and no one else.
#[derive(Debug)]
pub struct Membership {
    handle: RoomHandle,
    member: MemberId,
    more_follow: AtomicBool,
    /// What was brought last was followed by more.
    is_open: AtomicBool,
}

/// The room has ended; the session is told why through its outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the room has ended")]
pub struct RoomEnded;

impl Membership {
    pub(super) fn new(handle: RoomHandle, member: MemberId) -> Self {
        Self { handle, member, more_follow: AtomicBool::new(false), is_open: AtomicBool::new(false) }
    }

    /// Whether what is brought next is followed by more at once: the room takes it together with that. If nothing follows
    /// after all, or not at once, [`finish`](Self::finish) is to be called.
    pub fn expect_more(&self, more: bool) {
        self.more_follow.store(more, Ordering::Relaxed);
    }

    /// Nothing follows at once.
    pub fn finish(&self) {
        if self.is_open.load(Ordering::Relaxed) {
            self.is_open.store(false, Ordering::Relaxed);
            self.handle.finish();
        }
    }

    async fn edit(&self, edit: Edit, bytes: usize) -> Result<(), RoomEnded> {
        let more_follow = self.more_follow.load(Ordering::Relaxed);
        self.is_open.store(more_follow, Ordering::Relaxed);
        self.handle.edit(edit, bytes, more_follow).await
    }

    /// Tells the room what the session knows, as an encoded state vector; the room answers with what it lacks.
    ///
    /// # Errors
    /// When the room has ended, as for all methods here.
    pub async fn step1(&self, state_vector: &[u8]) -> Result<(), RoomEnded> {
        let edit = Edit::Step1 { member: self.member, state_vector: Bytes::copy_from_slice(state_vector) };
        self.edit(edit, state_vector.len()).await
    }

    /// Brings an update.
    pub async fn update(&self, update: &[u8]) -> Result<(), RoomEnded> {
        // Copied, because a slice of the socket's buffer would keep all of the buffer alive as long as the document.
        let edit = Edit::Update { member: self.member, update: Bytes::copy_from_slice(update) };
        self.edit(edit, update.len()).await
    }

    /// Brings an update that is not taken: it is acknowledged when it brings nothing new, and else said to be dropped.
    pub async fn compare(&self, update: &[u8]) -> Result<(), RoomEnded> {
        let edit = Edit::Compare { member: self.member, update: Bytes::copy_from_slice(update) };
        self.edit(edit, update.len()).await
    }

    /// Brings an awareness update.
    pub async fn awareness(&self, update: &[u8]) -> Result<(), RoomEnded> {
        let edit = Edit::Awareness { member: self.member, update: Bytes::copy_from_slice(update) };
        self.edit(edit, update.len()).await
    }

    /// Asks for everyone's presence.
    pub async fn query_awareness(&self) -> Result<(), RoomEnded> {
        self.edit(Edit::QueryAwareness { member: self.member }, 0).await
    }

    /// Says that the session types, or has stopped.
    pub async fn typing(&self, typing: bool, place: &str) -> Result<(), RoomEnded> {
        let edit = Edit::Typing { member: self.member, typing, place: place.into() };
        self.edit(edit, place.len()).await
    }

    /// Sends a text of the application to everybody in the room whose wire knows such texts.
    pub async fn stateless(&self, text: &str) -> Result<(), RoomEnded> {
        self.edit(Edit::Stateless { text: text.into() }, text.len()).await
    }

    /// Whether an update brings nothing that the room does not have by now; what waits for its turn does not count.
    pub async fn knows(&self, update: &[u8]) -> Result<bool, RoomEnded> {
        self.handle.knows(Bytes::copy_from_slice(update)).await
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.handle.control_soon(Control::Leave { member: self.member });
    }
}

/// A member's seat as the room keeps it.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) lane: Lane,
    pub(super) dialect: Arc<dyn Dialect>,
    pub(super) wants_typing: bool,
    parted: Option<Arc<AtomicBool>>,
    left: bool,
}

impl Taken {
    pub(super) fn new(seat: &Seat, attention: Arc<tokio::sync::Notify>) -> Self {
        Self {
            lane: seat.outbox.lane(attention),
            dialect: Arc::clone(&seat.dialect),
            wants_typing: seat.wants_typing,
            parted: seat.parted.clone(),
            left: false,
        }
    }

    /// Ends the session, and the connection with it, unless the wire can tell the two apart. Says whether the connection stays.
    pub(super) fn end(&self, ending: Ending) -> bool {
        if let Some(parted) = &self.parted
            && let Some(frame) = self.dialect.encode(&Message::Ended(&ending))
        {
            if !parted.swap(true, Ordering::Relaxed) {
                self.lane.reply(frame);
            }
            return true;
        }
        self.lane.end(ending);
        false
    }

    /// The session went by itself: its connection may have others.
    pub(super) fn leave(mut self) {
        self.left = true;
    }
}

impl Drop for Taken {
    /// A room that ends in disorder takes its members with it; in an orderly end they were told why before.
    fn drop(&mut self) {
        let has_parted = self.parted.as_ref().is_some_and(|parted| parted.load(Ordering::Relaxed));
        if !self.left && !has_parted {
            self.lane.end(Ending::RoomFailed);
        }
    }
}
