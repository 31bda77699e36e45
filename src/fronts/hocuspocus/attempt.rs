//! One attempt to let a client into one document.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::dialect::HocuspocusDialect;
use super::typing;
use super::upgrade::HocuspocusParts;
use super::wire::{Incoming, WireError};
use crate::access::Role;
use crate::auth::Credentials;
use crate::connection::{Entrance, Session, Visitor};
use crate::delivery::{Ending, Lane, Outbox};
use crate::doc_rooms::Seat;
use crate::hooks::Front;
use crate::ids::{ConnId, DocName};

/// Who converses.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) conn: ConnId,
    pub(super) remote: Option<SocketAddr>,
    /// Whether it says that it types and hears of others, by texts of the application.
    pub(super) wants_typing: bool,
    /// What the request that opened the connection has brought.
    pub(super) brought: Credentials,
}

/// A client in a document.
pub(super) struct Inside {
    pub(super) session: Session,
    dialect: Arc<HocuspocusDialect>,
    /// The room has detached the client.
    parted: Arc<AtomicBool>,
    knows_typing: bool,
    /// How many tokens the client has sent since it is here.
    pub(super) tokens: u64,
}

/// An attempt to enter a room.
pub(super) struct Attempt {
    pub(super) parts: Arc<HocuspocusParts>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) caller: Arc<Caller>,
    pub(super) doc: DocName,
    pub(super) credentials: Credentials,
}

impl Attempt {
    /// Enters the room, as far as the token and the hooks allow.
    pub(super) async fn enter(self, address: &str) -> Result<Inside, Ending> {
        let Self { parts, outbox, caller, doc, credentials } = self;
        let HocuspocusParts { access, sessions, rooms, .. } = parts.as_ref();
        let (pass, _) = access.enter(&credentials, &doc).await?;
        let visitor =
            Visitor { pass, at_most: Role::Admin, doc: None, front: Front::Hocuspocus, remote: caller.remote };
        let dialect = Arc::new(HocuspocusDialect::new(address));
        let entrance = Entrance { access, sessions, rooms };
        let (permission, admission) = entrance.let_in((&doc, visitor), caller.conn.0, &outbox, dialect.clone()).await?;
        let parted = Arc::new(AtomicBool::new(false));
        let seat = || Seat {
            outbox: Arc::clone(&outbox),
            dialect: dialect.clone(),
            wants_acks: true,
            wants_typing: caller.wants_typing,
            parted: Some(Arc::clone(&parted)),
        };
        let membership = rooms.join(&doc, seat).await.map_err(|error| error.ending())?;
        let session = Session::new(membership, permission, admission);
        Ok(Inside { session, dialect, parted, knows_typing: caller.wants_typing, tokens: 0 })
    }
}

impl Inside {
    /// Handles a message of the client; says whether it stays.
    pub(super) async fn hear(&mut self, lane: &Lane, message: Result<Incoming<'_>, WireError>) -> Result<bool, Ending> {
        let session = &mut self.session;
        let outcome = match message {
            Ok(Incoming::Sync(message)) => session.sync(message).await,
            Ok(Incoming::Awareness(update)) => session.awareness(update).await,
            Ok(Incoming::QueryAwareness) => session.query_awareness().await,
            // The conversation has looked at a token before.
            Ok(Incoming::Token(_)) => Ok(()),
            Ok(Incoming::Stateless(text)) => match typing::read(text).filter(|_| self.knows_typing) {
                Some(note) => session.typing(note.typing, &note.place).await,
                None => session.stateless(text).await,
            },
            Ok(Incoming::Unknown(kind)) => {
                tracing::debug!(kind, "a message of an unknown type is ignored");
                Ok(())
            }
            Ok(Incoming::Detach) => return Ok(self.detach(lane, DETACHED)),
            Ok(Incoming::ForServers) => return Ok(self.detach(lane, "this message is for servers only")),
            Err(error) => return Ok(self.detach(lane, &error.to_string())),
        };
        match outcome {
            Ok(()) => Ok(true),
            // The client was told why, and keeps its socket.
            Err(_) if self.has_parted() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn detach(&self, lane: &Lane, reason: &str) -> bool {
        lane.reply(self.dialect.close(reason));
        false
    }

    pub(super) fn has_parted(&self) -> bool {
        self.parted.load(Ordering::Relaxed)
    }
}

/// What the reference server says to a client that detaches by itself.
pub(super) const DETACHED: &str = "provider_initiated";
