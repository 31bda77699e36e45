//! From an upgrade request to a session, and from frames to what a session does.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;

use super::dialect::{self, Acks, YWebSocketDialect};
use super::wire::{self, Incoming};
use crate::access::Role;
use crate::auth::{Access, Credentials};
use crate::awareness::TypingTable;
use crate::connection::{Connections, Driver, Entrance, Protocol, RequestParts, Session, Sessions, Slot, Visitor};
use crate::delivery::{self, Ending, Outbox};
use crate::doc_rooms::{Rooms, Seat};
use crate::hooks::Front;
use crate::ids::DocName;
use crate::lib0::Reader;
use crate::websocket::{Socket, Upgrade};

/// The front for y-websocket clients.
#[derive(Debug, Clone)]
pub struct YWebSocket {
    parts: Arc<YWebSocketParts>,
}

/// What the front is built from.
#[derive(Debug)]
pub struct YWebSocketParts {
    /// The documents.
    pub rooms: Rooms,
    /// The connections.
    pub connections: Connections,
    /// The bounds of what waits for one connection.
    pub delivery: delivery::Config,
    /// Who may do what.
    pub access: Access,
    /// Everybody who is there.
    pub sessions: Sessions,
}

/// What a client asked for in the query of its address; what is unknown there is left to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wishes {
    acks: Acks,
    typing: bool,
    /// The most that the client wants to be able to do.
    role: Role,
}

impl YWebSocket {
    /// A front over these parts.
    #[must_use]
    pub fn new(parts: YWebSocketParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The connections, for taking a [`Slot`] before [`upgrade`](Self::upgrade).
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.parts.connections
    }

    /// Upgrades a request to a session in a document.
    #[must_use]
    pub fn upgrade(&self, slot: Slot, upgrade: Upgrade, doc: DocName, request: &RequestParts<'_>) -> Response {
        let wishes = Wishes::parse(request.query);
        let (credentials, remote) = (request.credentials.clone(), request.remote);
        let front = self.clone();
        // The upgrade task is only the way to the socket; the session runs as a counted one.
        upgrade.agreeing(request.headers).on_upgrade(move |socket| async move {
            let driver = Driver::new(slot, Outbox::new(&front.parts.delivery));
            let tasks = driver.tasks().clone();
            tasks.spawn(front.session(driver, socket, Arrival { doc, wishes, remote, credentials }));
        })
    }

    // What leads up to a session, and what ends it, is boxed: as a part of this future an open connection would hold it.
    async fn session(self, driver: Driver, socket: Socket, arrival: Arrival) {
        match Box::pin(self.begin(&driver, arrival)).await {
            Ok(conversation) => driver.run(socket, conversation).await,
            Err(ending) => Box::pin(driver.refuse(socket, ending)).await,
        }
    }

    async fn begin(&self, driver: &Driver, arrival: Arrival) -> Result<Conversation, Ending> {
        let YWebSocketParts { rooms, access, sessions, .. } = self.parts.as_ref();
        let Arrival { doc, wishes, remote, credentials } = arrival;
        let (pass, _) = access.enter(&credentials, &doc).await?;
        let dialect = Arc::new(YWebSocketDialect::new(wishes.acks));
        let visitor = Visitor { pass, at_most: wishes.role, doc: None, front: Front::YWebSocket, remote };
        let entrance = Entrance { access, sessions, rooms };
        let let_in = entrance.let_in((&doc, visitor), driver.conn().0, driver.outbox(), dialect.clone());
        let (permission, admission) = let_in.await?;
        let seat = || Seat {
            outbox: Arc::clone(driver.outbox()),
            dialect: dialect.clone(),
            wants_acks: wishes.acks == Acks::Echo,
            wants_typing: wishes.typing,
            parted: None,
        };
        let membership = rooms.join(&doc, seat).await.map_err(|error| error.ending())?;
        tracing::debug!(conn = driver.conn().0, %doc, front = %Front::YWebSocket, "a session began");
        let session = Session::new(membership, permission, admission);
        Ok(Conversation { session, access: access.clone(), credentials: credentials.with_token(None), doc })
    }
}

/// Somebody who wants to come in.
struct Arrival {
    doc: DocName,
    wishes: Wishes,
    remote: Option<SocketAddr>,
    credentials: Credentials,
}

impl Wishes {
    pub(super) fn parse(query: Option<&str>) -> Self {
        let pairs = || query.unwrap_or_default().split('&');
        let has = |wanted: &str| pairs().any(|pair| pair == wanted);
        let roles = pairs().filter_map(|pair| pair.strip_prefix("role=")?.parse().ok());
        Self {
            acks: if has("ack=echo") { Acks::Echo } else { Acks::None },
            typing: has("typing=1"),
            role: roles.min().unwrap_or(Role::Admin),
        }
    }
}

/// One client's side of the conversation.
#[derive(Debug)]
struct Conversation {
    session: Session,
    access: Access,
    /// Without the token that the client came with.
    credentials: Credentials,
    doc: DocName,
}

impl Conversation {
    /// The client has brought another token. One that is not good ends the session.
    async fn renew(&mut self, token: &str) -> Result<(), Ending> {
        self.session.finish(); // to ask what it is good for may take its time
        let credentials = self.credentials.with_token(Some(token));
        let (pass, _) = self.access.enter(&credentials, &self.doc).await?;
        self.session.renew(&self.access, &pass);
        Ok(())
    }
}

impl Protocol for Conversation {
    async fn frame(&mut self, frame: &[u8], more: bool) -> Result<(), Ending> {
        let malformed = |error: wire::WireError| Ending::Malformed(error.to_string());
        let mut reader = Reader::new(frame);
        if reader.is_empty() {
            return Err(malformed(wire::WireError::Empty));
        }
        while !reader.is_empty() {
            let message = wire::read(&mut reader, TypingTable::MAX_PLACE).map_err(malformed)?;
            self.session.expect_more(more || !reader.is_empty());
            match message {
                Incoming::Sync(message) => self.session.sync(message).await?,
                Incoming::Awareness(update) => self.session.awareness(update).await?,
                Incoming::QueryAwareness => self.session.query_awareness().await?,
                Incoming::Typing { typing, place } => self.session.typing(typing, place).await?,
                Incoming::Token(token) => Box::pin(self.renew(token)).await?,
                Incoming::Auth => {}
            }
        }
        Ok(())
    }

    fn pause(&mut self) {
        self.session.finish();
    }

    fn keep_alive(&self) -> Bytes {
        // An awareness update without entries: any message resets the client's silence timer, this one changes nothing.
        dialect::binary(&[&[1, 1, 0]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_from_the_query_and_the_rest_is_ignored() {
        let wishes = |query| Wishes::parse(Some(query));
        let none = Wishes { acks: Acks::None, typing: false, role: Role::Admin };
        assert_eq!(wishes("token=x&ack=echo"), Wishes { acks: Acks::Echo, ..none });
        assert_eq!(wishes("typing=1&ack=none"), Wishes { typing: true, ..none });
        assert_eq!(Wishes::parse(None), none);
    }

    #[test]
    fn of_several_roles_the_least_counts_and_what_is_none_is_ignored() {
        let role = |query| Wishes::parse(Some(query)).role;
        assert_eq!(role("role=view"), Role::View);
        assert_eq!(role("role=edit&role=comment"), Role::Comment);
        assert_eq!(role("role=owner&role=&roles=view&xrole=view"), Role::Admin);
    }
}
