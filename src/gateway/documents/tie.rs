//! What ties gateways to documents, shared by all their clients.

use std::time::Duration;

use crate::delivery;
use crate::doc_rooms::Rooms;
use crate::shutdown::Tasks;

/// What ties gateways to documents.
#[derive(Debug, Clone)]
pub struct DocumentsParts {
    /// The documents.
    pub rooms: Rooms,
    /// The bounds of what waits for one client in one document.
    pub delivery: delivery::Config,
    /// How long presence lives in a room without being renewed.
    pub expiry: Duration,
}

/// The documents as all clients of all gateways share them.
#[derive(Debug, Clone)]
pub(in crate::gateway) struct Documents {
    pub(super) parts: DocumentsParts,
    pub(super) tasks: Tasks,
}

impl Documents {
    pub(in crate::gateway) fn new(parts: DocumentsParts, tasks: Tasks) -> Self {
        Self { parts, tasks }
    }
}
