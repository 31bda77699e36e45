//! The connections of a server: numbered, counted and bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;

use super::Config;
use super::rounds::Rounds;
use crate::ids::ConnId;
use crate::shutdown::Tasks;
use crate::telemetry::Metrics;
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
    next: AtomicU64,
    open: AtomicUsize,
}

/// A place among the connections, taken before the upgrade and free again when dropped.
#[derive(Debug)]
pub struct Slot {
    pub(super) shared: Arc<Shared>,
    pub(super) conn: ConnId,
}

impl Connections {
    /// No connection is open.
    #[must_use]
    pub fn new(config: Config, tasks: Tasks, metrics: Arc<Metrics>) -> Self {
        let rounds = Rounds::new(&config);
        let shared = Shared { config, tasks, metrics, rounds, next: AtomicU64::new(1), open: AtomicUsize::new(0) };
        Self { shared: Arc::new(shared) }
    }

    /// Takes a place for one more connection; `None` when there is none, or the server is stopping.
    #[must_use]
    pub fn admit(&self) -> Option<Slot> {
        let shared = Arc::clone(&self.shared);
        if shared.tasks.is_stopping() {
            return None;
        }
        let conn = ConnId(shared.next.fetch_add(1, Ordering::Relaxed));
        if shared.open.fetch_add(1, Ordering::Relaxed) >= shared.config.max_open {
            shared.open.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        shared.metrics.connections.increment(1);
        shared.metrics.connections_opened.increment(1);
        Some(Slot { shared, conn })
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
