//! One client in one document: the grant is checked here, and nowhere after.

use thiserror::Error;

use crate::access::Grant;
use crate::delivery::Ending;
use crate::doc_rooms::{Membership, RoomEnded};
use crate::sync::SyncMessage;

/// A client's place in a document, with what it may do there.
#[derive(Debug)]
pub struct Session {
    membership: Membership,
    grant: Grant,
}

/// Why a session could not do what its client asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The room has ended; the outbox knows why.
    #[error(transparent)]
    RoomEnded(#[from] RoomEnded),
    /// The grant does not allow it.
    #[error("the session may only read")]
    ReadOnly,
}

impl Session {
    /// A session of a member with a grant.
    #[must_use]
    pub fn new(membership: Membership, grant: Grant) -> Self {
        Self { membership, grant }
    }

    /// Passes a sync message on.
    ///
    /// # Errors
    /// When the room has ended, or the session may only read and the message brings something.
    pub async fn sync(&self, message: SyncMessage<'_>) -> Result<(), SessionError> {
        match message {
            SyncMessage::Step1(state_vector) => self.membership.step1(state_vector).await?,
            // What a client sends when it has nothing to bring.
            SyncMessage::Step2(update) | SyncMessage::Update(update) if update == EMPTY_UPDATE => {}
            SyncMessage::Step2(_) | SyncMessage::Update(_) if !self.grant.may_edit() => {
                return Err(SessionError::ReadOnly);
            }
            SyncMessage::Step2(update) | SyncMessage::Update(update) => self.membership.update(update).await?,
        }
        Ok(())
    }

    /// Passes an awareness update on.
    ///
    /// # Errors
    /// When the room has ended.
    pub async fn awareness(&self, update: &[u8]) -> Result<(), SessionError> {
        Ok(self.membership.awareness(update).await?)
    }

    /// Asks for everyone's presence.
    ///
    /// # Errors
    /// When the room has ended.
    pub async fn query_awareness(&self) -> Result<(), SessionError> {
        Ok(self.membership.query_awareness().await?)
    }

    /// Says that the client types, or has stopped; of no effect when the session may not.
    ///
    /// # Errors
    /// When the room has ended.
    pub async fn typing(&self, typing: bool, place: &str) -> Result<(), SessionError> {
        if self.grant.may_type() {
            self.membership.typing(typing, place).await?;
        }
        Ok(())
    }
}

impl From<SessionError> for Ending {
    fn from(error: SessionError) -> Self {
        match error {
            // The room told the outbox before it ended, and the first reason stays.
            SessionError::RoomEnded(_) => Self::RoomFailed,
            SessionError::ReadOnly => Self::Malformed(error.to_string()),
        }
    }
}

/// An update without blocks and without deletions.
const EMPTY_UPDATE: &[u8] = &[0, 0];
