//! The connections of a server: numbered, counted and bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use thiserror::Error;
use tokio::time::Instant;

use super::Config;
use super::pace::Pace;
use super::rounds::Rounds;
use crate::ids::ConnId;
use crate::listen::{Client, Held, NoPlace, Place, Places};
use crate::shutdown::Tasks;
use crate::telemetry::{Limit, Metrics};
use crate::websocket;

/// The connections of a server: numbered, counted and bounded.
#[derive(Debug, Clone)]
pub struct Connections {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) tasks: Tasks,
    pub(super) metrics: Arc<Metrics>,
    pub(super) rounds: Rounds,
    places: Places,
    next: AtomicU64,
    open: AtomicUsize,
}

/// A place among the connections, taken before the upgrade and free again when dropped.
#[derive(Debug)]
pub struct Slot {
    pub(super) shared: Arc<Shared>,
    pub(super) conn: ConnId,
    /// Of its address.
    _place: Place,
    /// Of its connection, which may be HTTP's no longer.
    _held: Option<Held>,
}

/// Why there is no place for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoSlot {
    /// The server has as many connections as it may, or is stopping.
    #[error("the server takes no more connections now")]
    Full,
    /// The address has as many as it may.
    #[error(transparent)]
    Address(#[from] NoPlace),
}

impl Connections {
    /// No connection is open.
    #[must_use]
    pub fn new(config: Config, tasks: Tasks, metrics: Arc<Metrics>) -> Self {
        let rounds = Rounds::new(&config);
        let places = Places::new(config.max_per_address);
        let (next, open) = (AtomicU64::new(1), AtomicUsize::new(0));
        let shared = Shared { config, tasks, metrics, rounds, places, next, open };
        Self { shared: Arc::new(shared) }
    }

    /// Takes a place for one more connection of a client, and keeps what its connection holds.
    ///
    /// # Errors
    /// When there is none for it.
    pub fn admit(&self, client: Client) -> Result<Slot, NoSlot> {
        let shared = Arc::clone(&self.shared);
        if shared.tasks.is_stopping() {
            return Err(NoSlot::Full);
        }
        let place = self.place(&client)?;
        let conn = ConnId(shared.next.fetch_add(1, Ordering::Relaxed));
        if shared.open.fetch_add(1, Ordering::Relaxed) >= shared.config.max_open {
            shared.open.fetch_sub(1, Ordering::Relaxed);
            shared.metrics.refused.count(Limit::ConnectionsMaxOpen);
            return Err(NoSlot::Full);
        }
        shared.metrics.connections.increment(1);
        shared.metrics.connections_opened.increment(1);
        Ok(Slot { shared, conn, _place: place, _held: client.held })
    }

    /// Takes a place of a client's address alone, for what is no connection in itself.
    ///
    /// # Errors
    /// When the address has as many as it may.
    pub fn place(&self, client: &Client) -> Result<Place, NoPlace> {
        let Shared { places, metrics, .. } = self.shared.as_ref();
        places.take(client.address).inspect_err(|no_place| {
            metrics.refused.count(Limit::ConnectionsMaxPerAddress);
            no_place.tell(Limit::ConnectionsMaxPerAddress.setting());
        })
    }

    /// How fast a connection that is none of the server's own WebSockets may send.
    pub(crate) fn pace(&self) -> Pace {
        Pace::new(&self.shared.config, Instant::now())
    }

    /// Counts what a front refused because of a limit.
    pub fn refused(&self, limit: Limit) {
        self.shared.metrics.refused.count(limit);
    }

    /// Bounds an upgrade, before anything is read from the socket.
    pub fn bound(&self, upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
        let max = usize::try_from(self.shared.config.max_message.as_u64()).unwrap_or(usize::MAX);
        upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(WRITE_BUFFER).max_message_size(max).max_frame_size(max)
    }

    /// The same as [`Upgrade::agreeing`](websocket::Upgrade::agreeing), for the fronts on the library.
    pub fn agreed(upgrade: WebSocketUpgrade, headers: &HeaderMap) -> WebSocketUpgrade {
        match websocket::first_protocol(headers) {
            Some(first) => upgrade.protocols([first.to_owned()]),
            None => upgrade,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
        self.shared.metrics.connections.decrement(1);
    }
}

/// The read buffer of a connection, in bytes: the library's default of 128 KiB is touched for every connection.
const READ_BUFFER: usize = 4096;
/// The library sends what is buffered once it exceeds this, in bytes.
const WRITE_BUFFER: usize = 16 * 1024;
