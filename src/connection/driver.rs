//! What runs for one WebSocket from its upgrade to its end.
//!
//! Reader and writer are two halves of one task: while the reader waits for a full room, the writer goes on. This is the
//! seam of the transport: everything above it knows outboxes and frames, and nothing of sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::Instant;

use super::{Close, Config, Protocol};
use crate::delivery::{Batch, Ending, Outbox};
use crate::ids::ConnId;
use crate::shutdown::Tasks;
use crate::telemetry::Metrics;

/// The connections of a server: numbered, counted and bounded.
#[derive(Debug, Clone)]
pub struct Connections {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    tasks: Tasks,
    metrics: Arc<Metrics>,
    next: AtomicU64,
    open: AtomicUsize,
}

/// A place among the connections, taken before the upgrade and free again when dropped.
#[derive(Debug)]
pub struct Slot {
    shared: Arc<Shared>,
    conn: ConnId,
}

/// Drives one WebSocket.
#[derive(Debug)]
pub struct Driver {
    slot: Slot,
    outbox: Arc<Outbox>,
}

impl Connections {
    /// No connection is open.
    #[must_use]
    pub fn new(config: Config, tasks: Tasks, metrics: Arc<Metrics>) -> Self {
        let shared = Shared { config, tasks, metrics, next: AtomicU64::new(1), open: AtomicUsize::new(0) };
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

    /// Agrees to the first subprotocol that a client offers, whatever it is: a browser fails the connection unless one of
    /// those that it offers comes back.
    pub fn agreed(upgrade: WebSocketUpgrade, headers: &HeaderMap) -> WebSocketUpgrade {
        let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|offered| offered.to_str().ok());
        let first = offered.and_then(|offered| offered.split(',').map(str::trim).find(|protocol| !protocol.is_empty()));
        match first {
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

impl Driver {
    /// A driver for the connection that holds this place, with the outbox that its sessions write to.
    #[must_use]
    pub fn new(slot: Slot, outbox: Arc<Outbox>) -> Self {
        Self { slot, outbox }
    }

    /// The number of the connection.
    #[must_use]
    pub fn conn(&self) -> ConnId {
        self.slot.conn
    }

    /// Where what goes to the client waits.
    #[must_use]
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Where the connection's tasks are counted.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.slot.shared.tasks
    }

    /// Drives a connection whose session could not begin: tells the client why.
    pub async fn refuse(self, socket: WebSocket, ending: Ending) {
        let (sink, stream) = socket.split();
        self.close(sink, stream, ending).await;
    }

    /// Drives the connection until it ends. The protocol is dropped, and its sessions with it, before the goodbye.
    pub async fn run(self, socket: WebSocket, mut protocol: impl Protocol) {
        let (mut sink, mut stream) = socket.split();
        let heard = Heard::new();
        let keep_alive = protocol.keep_alive();
        let ending = {
            let reading = self.read(&mut stream, &mut protocol, &heard);
            let writing = self.write(&mut sink, keep_alive, &heard);
            tokio::pin!(reading, writing);
            tokio::select! {
                ending = &mut reading => ending,
                ending = &mut writing => ending,
            }
        };
        drop(protocol);
        if let Some(ending) = ending {
            self.close(sink, stream, ending).await;
        } else {
            // The library has the answer to a client's goodbye ready, and sends it with what is written next.
            let linger = self.slot.shared.config.linger;
            let _client_has_gone = tokio::time::timeout(linger, sink.flush()).await.is_err();
        }
    }

    /// Reads until the client goes (`None`) or is to be ended.
    async fn read(
        &self,
        stream: &mut SplitStream<WebSocket>,
        protocol: &mut impl Protocol,
        heard: &Heard,
    ) -> Option<Ending> {
        let metrics = &self.slot.shared.metrics;
        loop {
            let message = match stream.next().await? {
                Ok(message) => message,
                Err(error) => return read_error(&error),
            };
            heard.note();
            match message {
                Message::Binary(frame) => {
                    metrics.frames_received.increment(1);
                    metrics.bytes_received.increment(frame.len() as u64);
                    heard.busy.store(true, Ordering::Relaxed);
                    let outcome = protocol.frame(&frame).await;
                    heard.note();
                    heard.busy.store(false, Ordering::Relaxed);
                    if let Err(ending) = outcome {
                        self.outbox.end(ending);
                        // The writer ends the connection: with this reason, or an earlier one of the room.
                        std::future::pending::<()>().await;
                    }
                }
                Message::Text(_) => return Some(Ending::Malformed("text frames are not part of this protocol".into())),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => return None,
            }
        }
    }

    /// Writes until the connection is to be ended, or is gone (`None`).
    async fn write(
        &self,
        sink: &mut SplitSink<WebSocket, Message>,
        keep_alive: Bytes,
        heard: &Heard,
    ) -> Option<Ending> {
        let config = &self.slot.shared.config;
        let (mut frames, mut pinged, mut sent) = (Vec::new(), Instant::now(), Instant::now());
        let stopping = self.stopping();
        tokio::pin!(stopping);
        loop {
            let silence = sent + config.keep_alive;
            let ping = pinged + config.ping;
            tokio::select! {
                biased; // traffic without a pause must delay neither the end nor the pings
                () = &mut stopping => return Some(Ending::ShuttingDown),
                () = tokio::time::sleep_until(silence.min(ping)) => {
                    let now = Instant::now();
                    if ping <= now {
                        if heard.silent_for(now) >= config.silent_after {
                            return Some(Ending::Silent);
                        }
                        pinged = now;
                        self.flush(sink, std::iter::once(Message::Ping(Bytes::new()))).await?;
                    }
                    if silence <= now {
                        sent = now;
                        self.flush(sink, std::iter::once(Message::Binary(keep_alive.clone()))).await?;
                    }
                }
                batch = self.outbox.next(&mut frames, BATCH) => {
                    if !frames.is_empty() {
                        sent = Instant::now();
                        self.flush(sink, frames.drain(..).map(Message::Binary)).await?;
                        self.outbox.flushed();
                    }
                    if let Batch::End(ending) = batch {
                        return Some(ending);
                    }
                }
            }
        }
    }

    /// Sends a batch in as few writes as it takes; `None` when the client is gone or takes nothing.
    async fn flush(
        &self,
        sink: &mut SplitSink<WebSocket, Message>,
        messages: impl Iterator<Item = Message>,
    ) -> Option<()> {
        let metrics = &self.slot.shared.metrics;
        let send = async {
            for message in messages {
                if let Message::Binary(frame) = &message {
                    metrics.frames_sent.increment(1);
                    metrics.bytes_sent.increment(frame.len() as u64);
                }
                sink.feed(message).await.ok()?;
            }
            sink.flush().await.ok()
        };
        tokio::time::timeout(self.slot.shared.config.stalled_after, send).await.ok()?
    }

    /// Resolves some time after the server began to stop: later for some connections than for others.
    async fn stopping(&self) {
        self.slot.shared.tasks.stopped().await;
        let spread = self.slot.shared.config.stop_spread;
        let share = u32::try_from(self.slot.conn.0 % SPREAD).unwrap_or(0);
        tokio::time::sleep(spread * share / u32::try_from(SPREAD).unwrap_or(1)).await;
    }

    /// Says goodbye and waits, within bounds, for the client to have read it.
    async fn close(&self, mut sink: SplitSink<WebSocket, Message>, mut stream: SplitStream<WebSocket>, ending: Ending) {
        let close = Close::from(&ending);
        if close.is_permanent() {
            self.slot.shared.metrics.connections_refused.increment(1);
        }
        let Close { code, reason } = close;
        tracing::debug!(conn = self.slot.conn.0, code, %reason, "closing a connection");
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let goodbye = async {
            if sink.send(frame).await.is_err() {
                return;
            }
            loop {
                match stream.next().await {
                    Some(Ok(_)) => {}
                    // What is left unread cannot be parsed any more: closing now would reset the connection, and the
                    // client might never read the reason.
                    Some(Err(_)) => break tokio::time::sleep(self.slot.shared.config.linger).await,
                    None => break,
                }
            }
        };
        let _client_did_not_answer = tokio::time::timeout(self.slot.shared.config.linger, goodbye).await.is_err();
    }
}

/// When the client was last heard.
#[derive(Debug)]
struct Heard {
    start: Instant,
    millis: AtomicU64,
    /// The room keeps the reader waiting: what the client says meanwhile is not read, so its silence means nothing.
    busy: AtomicBool,
}

impl Heard {
    fn new() -> Self {
        Self { start: Instant::now(), millis: AtomicU64::new(0), busy: AtomicBool::new(false) }
    }

    fn note(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.millis.store(millis, Ordering::Relaxed);
    }

    fn silent_for(&self, now: Instant) -> Duration {
        if self.busy.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let heard = self.start + Duration::from_millis(self.millis.load(Ordering::Relaxed));
        now.saturating_duration_since(heard)
    }
}

/// Tells a client that sent too much or nonsense from one that is just gone.
pub(crate) fn read_error(error: &axum::Error) -> Option<Ending> {
    use std::error::Error;
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    if source.contains("Space limit exceeded") {
        return Some(Ending::TooLarge("a message is larger than allowed".to_owned()));
    }
    if source.contains("WebSocket protocol error") && !source.contains("without closing handshake") {
        return Some(Ending::Malformed("the frames break the WebSocket protocol".to_owned()));
    }
    None
}

/// The read buffer of a connection, in bytes: the library's default of 128 KiB is touched for every connection.
const READ_BUFFER: usize = 4096;
/// The library sends what is buffered once it exceeds this, in bytes.
const WRITE_BUFFER: usize = 16 * 1024;
/// One batch holds at most so many bytes, unless a single frame is larger.
const BATCH: usize = 64 * 1024;
/// Into how many groups connections are spread when the server stops.
const SPREAD: u64 = 32;
