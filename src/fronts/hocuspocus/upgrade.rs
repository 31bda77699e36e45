//! From an upgrade request to a conversation.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;

use super::attempt::Caller;
use super::conversation::Conversation;
use crate::auth::Access;
use crate::connection::{Connections, Driver, RequestParts, Sessions, Slot};
use crate::delivery::{self, Outbox};
use crate::doc_rooms::Rooms;
use crate::websocket::Upgrade;

/// The front for Hocuspocus providers.
#[derive(Debug, Clone)]
pub struct Hocuspocus {
    parts: Arc<HocuspocusParts>,
}

/// What the front is built from.
#[derive(Debug)]
pub struct HocuspocusParts {
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
    /// How long a client may take to be let into its first document.
    pub enter_within: Duration,
    /// How many documents a connection may have.
    pub max_documents: usize,
}

impl Hocuspocus {
    /// A front over these parts.
    #[must_use]
    pub fn new(parts: HocuspocusParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The connections, for taking a [`Slot`] before [`upgrade`](Self::upgrade).
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.parts.connections
    }

    /// Upgrades a request to a conversation about any number of documents. What it has brought counts for those for which the
    /// client sends no token of its own.
    #[must_use]
    pub fn upgrade(&self, slot: Slot, upgrade: Upgrade, request: &RequestParts<'_>) -> Response {
        let (remote, wants_typing) = (request.remote, request.asks_for("typing=1"));
        let brought = request.credentials.clone();
        let parts = Arc::clone(&self.parts);
        // The upgrade task is only the way to the socket; the conversation runs as a counted one.
        upgrade.agreeing(request.headers).on_upgrade(move |socket| async move {
            let driver = Driver::new(slot, Outbox::new(&parts.delivery));
            let tasks = driver.tasks().clone();
            tasks.spawn(async move {
                let caller = Caller { conn: driver.conn(), remote, wants_typing, brought };
                let conversation = Conversation::new(caller, parts, Arc::clone(driver.outbox()));
                driver.run(socket, conversation).await;
            });
        })
    }
}
