//! From an upgrade request to a conversation.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;

use super::conversation::Conversation;
use crate::auth::{Access, Credentials};
use crate::connection::{Connections, Driver, Sessions, Slot};
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
    pub fn upgrade(&self, slot: Slot, upgrade: Upgrade, headers: &HeaderMap, brought: Credentials) -> Response {
        let parts = Arc::clone(&self.parts);
        // The upgrade task is only the way to the socket; the conversation runs as a counted one.
        upgrade.agreeing(headers).on_upgrade(move |socket| async move {
            let driver = Driver::new(slot, Outbox::new(&parts.delivery));
            let tasks = driver.tasks().clone();
            tasks.spawn(async move {
                let conversation = Conversation::new(driver.conn(), parts, Arc::clone(driver.outbox()), brought);
                driver.run(socket, conversation).await;
            });
        })
    }
}
