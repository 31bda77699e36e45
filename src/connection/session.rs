//! One client in one document: the grant is checked here, and nowhere after.

use tokio::time::Instant;

use super::admission::Admission;
use super::permission::Permission;
use crate::access::{Grant, Pass};
use crate::auth::Access;
use crate::delivery::{Ending, Message};
use crate::doc_rooms::{Membership, RoomEnded};
use crate::hooks::Answer;
use crate::sync::SyncMessage;

/// A client's place in a document, with what it may do there.
#[derive(Debug)]
pub struct Session {
    // First, so that the room is left before the hooks are told.
    membership: Membership,
    permission: Permission,
    admission: Admission,
}

impl Session {
    /// A session of a member that may do this and was let in.
    #[must_use]
    pub fn new(membership: Membership, permission: Permission, admission: Admission) -> Self {
        Self { membership, permission, admission }
    }

    /// Whether what is passed on next is followed by more at once.
    pub fn expect_more(&self, more: bool) {
        self.membership.expect_more(more);
    }

    /// Nothing follows at once of what was said to.
    pub fn finish(&self) {
        self.membership.finish();
    }

    /// Passes a sync message on. What would change the document is dropped unread when the session may not.
    ///
    /// # Errors
    /// When the room has ended, as for all methods here.
    pub async fn sync(&mut self, message: SyncMessage<'_>) -> Result<(), RoomEnded> {
        // What comes after the end is of no effect.
        let Some(grant) = self.permission.standing() else { return Ok(()) };
        match message {
            SyncMessage::Step1(state_vector) => self.membership.step1(state_vector).await,
            // What a client sends when it has nothing to bring.
            SyncMessage::Step2(update) | SyncMessage::Update(update) if update == EMPTY_UPDATE => {
                self.permission.say(&Message::Settled);
                Ok(())
            }
            SyncMessage::Step2(update) | SyncMessage::Update(update) if grant.may_edit() => {
                if self.admission.judges_updates() {
                    return Box::pin(self.judged(message)).await;
                }
                self.membership.update(update).await
            }
            // Every client answers the room's Step1, whether it has changed anything or not.
            SyncMessage::Step2(update) if self.permission.answers_each() => self.membership.compare(update).await,
            SyncMessage::Step2(_) => Ok(()),
            SyncMessage::Update(_) => {
                self.permission.deny_edit(Instant::now());
                Ok(())
            }
        }
    }

    /// What the session may do now; `None` once it was ended.
    #[must_use]
    pub fn standing(&self) -> Option<Grant> {
        self.permission.standing()
    }

    /// The client has brought a newer token: what that is good for counts from now on.
    pub fn renew(&self, access: &Access, pass: &Pass) {
        self.permission.renew(access, pass);
    }

    /// Passes an awareness update on.
    pub async fn awareness(&self, update: &[u8]) -> Result<(), RoomEnded> {
        if self.permission.standing().is_none() {
            return Ok(());
        }
        if self.admission.judges_awareness() {
            self.finish();
            return match Box::pin(self.admission.awareness(update)).await {
                Ok(update) => self.membership.awareness(&update).await,
                Err(_) => Ok(()),
            };
        }
        self.membership.awareness(update).await
    }

    /// Asks for everyone's presence.
    pub async fn query_awareness(&self) -> Result<(), RoomEnded> {
        if self.permission.standing().is_none() {
            return Ok(());
        }
        self.membership.query_awareness().await
    }

    /// Says that the client types, or has stopped; of no effect when the session may not.
    pub async fn typing(&self, typing: bool, place: &str) -> Result<(), RoomEnded> {
        if self.permission.standing().is_some_and(Grant::may_type) {
            self.membership.typing(typing, place).await?;
        }
        Ok(())
    }

    /// Passes a text of the application to the hooks, and what they answer to whom it is for.
    pub async fn stateless(&self, text: &str) -> Result<(), RoomEnded> {
        if self.permission.standing().is_none() {
            return Ok(());
        }
        self.finish();
        for answer in self.admission.stateless(text).await {
            match answer {
                Answer::Reply(text) => self.permission.say(&Message::Stateless(&text)),
                Answer::Broadcast(text) => self.membership.stateless(&text).await?,
            }
        }
        Ok(())
    }

    /// Passes an edit on if the hooks have nothing against it.
    async fn judged(&mut self, message: SyncMessage<'_>) -> Result<(), RoomEnded> {
        self.finish(); // the hooks may take their time
        let (SyncMessage::Step1(update) | SyncMessage::Step2(update) | SyncMessage::Update(update)) = message;
        // Every client answers the room's Step1; what it brings again was judged before.
        let is_answer = matches!(message, SyncMessage::Step2(_));
        if is_answer && self.membership.knows(update).await? {
            return self.membership.update(update).await;
        }
        match self.admission.update(update).await {
            Ok(()) => self.membership.update(update).await,
            Err(error) => {
                self.permission.refuse_edit(&error.to_string(), Instant::now());
                Ok(())
            }
        }
    }
}

impl From<RoomEnded> for Ending {
    /// The room told the outbox why before it ended, and the first reason stays.
    fn from(_: RoomEnded) -> Self {
        Self::RoomFailed
    }
}

/// An update without blocks and without deletions.
const EMPTY_UPDATE: &[u8] = &[0, 0];
