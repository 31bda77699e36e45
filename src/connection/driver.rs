//! What runs for one WebSocket from its upgrade to its end.
//!
//! Reader and writer are two halves of one task: while the reader waits for a full room, the writer goes on. The writer
//! sleeps as long as whoever has something for the client can write it at once.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, sleep, timeout};

use super::connections::Slot;
use super::halves::first_of;
use super::pace::Pace;
use super::rounds::{Rounds, Watched, count_sent};
use super::unsent::Unsent;
use super::{Close, Protocol};
use crate::delivery::{Batch, Ending, Outbox, Wire};
use crate::ids::ConnId;
use crate::shutdown::Tasks;
use crate::telemetry::Limit;
use crate::websocket::{self, Chunk, Decoder, Message, Opcode, ProtocolError, Reader, Socket, Step, Stream};

/// Drives one WebSocket.
#[derive(Debug)]
pub struct Driver {
    slot: Slot,
    outbox: Arc<Outbox>,
}

/// What ended a conversation.
enum End {
    /// The client has gone, or its connection is broken.
    Gone,
    /// The client has said goodbye and is answered.
    Closed,
    /// The server ends it.
    Ended(Ending),
    /// The client broke the protocol, so nothing that it sends can be read any more.
    Broken(Ending),
}

impl Wire for Stream {
    fn try_write(&self, bytes: &[u8]) -> std::io::Result<usize> {
        Self::try_write(self, bytes)
    }

    fn touch(&self) -> bool {
        Self::touch(self)
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
    pub async fn refuse(self, mut socket: Socket, ending: Ending) {
        let mut incoming = self.incoming(&mut socket);
        self.outbox.attach(socket.wire());
        self.close(&socket, Unsent::default(), Some(&mut incoming), &ending).await;
    }

    /// Drives the connection until it ends. The protocol is dropped, and its sessions with it, before the goodbye.
    pub async fn run(self, mut socket: Socket, mut protocol: impl Protocol) {
        let mut incoming = self.incoming(&mut socket);
        self.outbox.attach(socket.wire());
        let watched = Arc::new(Watched {
            outbox: Arc::clone(&self.outbox),
            stream: socket.wire(),
            keep_alive: protocol.keep_alive(),
            is_busy: AtomicBool::new(false),
        });
        Rounds::watch(&self.slot.shared, self.slot.conn.0, &watched);
        // Outside of the writer, which may be stopped in the middle of a frame.
        let mut unsent = Unsent::default();
        let end = {
            let reading = pin!(self.read(&mut incoming, &mut protocol, &watched));
            // Apart, because it sleeps nearly always: what the reader needs lies closer together without it.
            let mut writing = Box::pin(self.write(&socket, &mut unsent));
            first_of(reading, writing.as_mut()).await
        };
        watched.count(&self.slot.shared.metrics);
        drop(watched);
        drop(protocol);
        match end {
            End::Gone => {}
            End::Closed => Box::pin(self.part(&socket, unsent)).await,
            End::Ended(ending) => Box::pin(self.close(&socket, unsent, Some(&mut incoming), &ending)).await,
            End::Broken(ending) => Box::pin(self.close(&socket, unsent, None, &ending)).await,
        }
        count_sent(&self.outbox, &self.slot.shared.metrics);
    }

    fn incoming(&self, socket: &mut Socket) -> Incoming {
        let config = &self.slot.shared.config;
        let max = usize::try_from(config.max_message.as_u64()).unwrap_or(usize::MAX);
        Incoming { reader: socket.reader(), decoder: Decoder::new(max), pace: Pace::new(config, Instant::now()) }
    }

    /// Reads until the client goes or is to be ended.
    async fn read(&self, incoming: &mut Incoming, protocol: &mut impl Protocol, watched: &Watched) -> End {
        loop {
            let read = tokio::select! {
                biased;
                read = incoming.reader.read() => Some(read),
                () = protocol.event() => None,
            };
            // What handles it gets its memory from the allocator, who gives what was used last. As a part of this future it
            // would have left the cache since the client's last message, and an idle connection would hold it.
            let end = match read {
                Some(Ok(Some(chunk))) => Box::pin(self.take(chunk, incoming, protocol, watched)).await,
                Some(_) => return End::Gone,
                None => Box::pin(self.act(protocol, watched)).await,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    async fn act(&self, protocol: &mut impl Protocol, watched: &Watched) -> Option<End> {
        let acting = pin!(protocol.act());
        match noting_waits(acting, &watched.is_busy).await {
            Ok(()) => None,
            Err(ending) => Some(self.ended(ending).await),
        }
    }

    /// Takes what was read at once.
    async fn take(
        &self,
        mut chunk: Chunk,
        incoming: &mut Incoming,
        protocol: &mut impl Protocol,
        watched: &Watched,
    ) -> Option<End> {
        let Incoming { decoder, pace, .. } = incoming;
        let metrics = &self.slot.shared.metrics;
        let bytes = chunk.bytes();
        let len = bytes.len();
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..)
            && !rest.is_empty()
        {
            let Step { consumed, message } = match decoder.step(rest) {
                Ok(step) => step,
                Err(error) => return Some(End::Broken(self.broken(error))),
            };
            done += consumed;
            let Some(message) = message else { continue };
            if let Some(end) = self.hear(message, done < len, protocol, watched).await {
                return Some(end);
            }
            if let Some(wait) = pace.message() {
                protocol.pause();
                metrics.slowed_messages.increment(1);
                noting_waits(Box::pin(sleep(wait)).as_mut(), &watched.is_busy).await;
            }
        }
        protocol.pause();
        drop(chunk);
        if let Some(wait) = pace.bytes(len) {
            metrics.slowed_bytes.increment(1);
            noting_waits(Box::pin(sleep(wait)).as_mut(), &watched.is_busy).await;
        }
        None
    }

    async fn hear(
        &self,
        message: Message<'_>,
        more: bool,
        protocol: &mut impl Protocol,
        watched: &Watched,
    ) -> Option<End> {
        match message {
            Message::Binary(frame) => {
                watched.stream.note_received(frame.len());
                let outcome = {
                    let handling = pin!(protocol.frame(frame, more));
                    noting_waits(handling, &watched.is_busy).await
                };
                if let Err(ending) = outcome {
                    protocol.pause();
                    return Some(self.ended(ending).await);
                }
            }
            Message::Text(_) => {
                return Some(End::Ended(Ending::Malformed("text frames are not part of this protocol".to_owned())));
            }
            Message::Ping(payload) => self.outbox.pong(websocket::frame(Opcode::Pong, &[payload])),
            Message::Pong => {}
            Message::Close(code) => {
                let code = code.map(u16::to_be_bytes);
                let payload = code.as_ref().map(<[u8; 2]>::as_slice).unwrap_or_default();
                self.outbox.close(websocket::frame(Opcode::Close, &[payload]));
                return Some(End::Closed);
            }
        }
        None
    }

    fn broken(&self, error: ProtocolError) -> Ending {
        match error {
            ProtocolError::TooLarge { .. } => {
                self.count(Limit::ConnectionsMaxMessage);
                Ending::TooLarge("a message is larger than allowed".to_owned())
            }
            ProtocolError::NotUtf8 => Ending::NotUtf8,
            other => Ending::BrokenFrames(other.to_string()),
        }
    }

    fn count(&self, limit: Limit) {
        self.slot.shared.metrics.refused.count(limit);
    }

    /// Has the writer end the connection: with this reason, or an earlier one of the room.
    async fn ended(&self, ending: Ending) -> End {
        self.outbox.end(ending);
        std::future::pending().await
    }

    /// Writes what does not go at once, until the connection is to be ended or is gone.
    async fn write(&self, socket: &Socket, unsent: &mut Unsent) -> End {
        let mut frames = Vec::new();
        let stopping = self.stopping();
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                biased; // traffic without a pause must not delay the end
                () = &mut stopping => return End::Ended(Ending::ShuttingDown),
                _error = socket.relay() => return End::Gone,
                batch = self.outbox.next(&mut frames, BATCH) => {
                    unsent.add(&mut frames);
                    if self.push(socket, unsent).await.is_none() {
                        return End::Gone;
                    }
                    self.outbox.flushed();
                    if let Batch::End(ending) = batch {
                        return End::Ended(ending);
                    }
                }
            }
        }
    }

    /// Writes all of it; `None` when the client is gone or takes nothing. Others on this thread get a turn in between.
    async fn push(&self, socket: &Socket, unsent: &mut Unsent) -> Option<()> {
        while let Some(next) = unsent.next(AT_ONCE) {
            let Ok(written) = timeout(self.slot.shared.config.stalled_after, socket.write_some(next)).await else {
                self.count(Limit::ConnectionsStalledAfter);
                return None;
            };
            let written = written.ok()?;
            unsent.advance(written);
            if written == AT_ONCE {
                tokio::task::yield_now().await;
            }
        }
        Some(())
    }

    /// Resolves some time after the server began to stop: later for some connections than for others.
    async fn stopping(&self) {
        self.slot.shared.tasks.stopped().await;
        let spread = self.slot.shared.config.stop_spread;
        let share = u32::try_from(self.slot.conn.0 % SPREAD).unwrap_or(0);
        tokio::time::sleep(spread * share / u32::try_from(SPREAD).unwrap_or(1)).await;
    }

    /// Sends the answer to a client's goodbye, as far as it has not left.
    async fn part(&self, socket: &Socket, mut unsent: Unsent) {
        let parting = async {
            self.push_rest(socket, &mut unsent).await?;
            Some(socket.finish().await)
        };
        let _client_has_gone = timeout(self.slot.shared.config.linger, parting).await.is_err();
    }

    /// Says goodbye and waits, within bounds, for the client to have read it.
    async fn close(&self, socket: &Socket, mut unsent: Unsent, incoming: Option<&mut Incoming>, ending: &Ending) {
        match ending {
            Ending::NoToken => self.count(Limit::ConnectionsEnterWithin),
            Ending::Silent => self.count(Limit::ConnectionsSilentAfter),
            Ending::TooSlow => self.count(Limit::DeliveryMaxWaiting),
            _ => {}
        }
        let close = Close::from(ending);
        if close.is_permanent() {
            self.slot.shared.metrics.connections_refused.increment(1);
        }
        let Close { code, reason } = close;
        tracing::debug!(conn = self.slot.conn.0, code, %reason, "closing a connection");
        // Its room may not know yet that the session has ended.
        self.outbox.close(websocket::close_frame(code, &reason));
        let linger = self.slot.shared.config.linger;
        let goodbye = async {
            self.push_rest(socket, &mut unsent).await?;
            match incoming {
                Some(incoming) => incoming.until_closed().await,
                // What is left unread cannot be parsed: closing now would reset the connection, and the client might
                // never read the reason.
                None => tokio::time::sleep(linger).await,
            }
            Some(())
        };
        let _client_did_not_answer = timeout(linger, goodbye).await.is_err();
    }

    /// Writes what the writer had in its hands, and then what is left in the closed outbox.
    async fn push_rest(&self, socket: &Socket, unsent: &mut Unsent) -> Option<()> {
        self.push(socket, unsent).await?;
        let mut rest = Vec::new();
        self.outbox.take_rest(&mut rest);
        unsent.add(&mut rest);
        self.push(socket, unsent).await?;
        socket.flush().await.ok()
    }
}

/// What comes from the client.
struct Incoming {
    reader: Reader,
    decoder: Decoder,
    pace: Pace,
}

impl Incoming {
    /// Reads over everything until the client says goodbye or goes.
    async fn until_closed(&mut self) {
        while let Ok(Some(mut chunk)) = self.reader.read().await {
            let bytes = chunk.bytes();
            let mut done = 0;
            while let Some(rest) = bytes.get_mut(done..)
                && !rest.is_empty()
            {
                match self.decoder.step(rest) {
                    Ok(Step { message: Some(Message::Close(_)), .. }) => return,
                    Ok(step) => done += step.consumed,
                    Err(_) => break,
                }
            }
        }
    }
}

/// Runs a future, and notes while it has to wait.
async fn noting_waits<F: Future>(mut future: Pin<&mut F>, is_waiting: &AtomicBool) -> F::Output {
    let mut has_waited = false;
    let output = poll_fn(|context| {
        let poll = future.as_mut().poll(context);
        if poll.is_pending() && !has_waited {
            has_waited = true;
            is_waiting.store(true, Ordering::Relaxed);
        }
        poll
    })
    .await;
    if has_waited {
        is_waiting.store(false, Ordering::Relaxed);
    }
    output
}

/// One batch holds at most so many bytes, unless a single frame is larger.
const BATCH: usize = 64 * 1024;
/// So many bytes are written at once at most, which takes about 200 µs.
const AT_ONCE: usize = 512 * 1024;
/// Into how many groups connections are spread when the server stops.
const SPREAD: u64 = 32;
