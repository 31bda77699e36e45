//! What waits for one client: a bounded queue of texts, each written once for all clients that it goes to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::message;
use crate::gateway::{DisconnectReason, Form, NotSent, Packet, Wire};

/// The way to one client.
#[derive(Debug)]
pub(super) struct JsonWire {
    queue: mpsc::Sender<Utf8Bytes>,
    most: usize,
    /// Those in the queue, and those that the socket has not taken yet.
    waiting: AtomicUsize,
    fewer: Notify,
    reason: OnceLock<DisconnectReason>,
    ended: CancellationToken,
}

/// The other end of a wire: what is still to be written to the socket.
#[derive(Debug)]
pub(super) struct Outgoing {
    wire: Arc<JsonWire>,
    queue: mpsc::Receiver<Utf8Bytes>,
}

impl JsonWire {
    /// A wire on which so many texts may wait.
    pub(super) fn new(most: usize) -> (Arc<Self>, Outgoing) {
        let most = most.max(1);
        let (sender, queue) = mpsc::channel(most);
        let wire = Arc::new(Self {
            queue: sender,
            most,
            waiting: AtomicUsize::new(0),
            fewer: Notify::new(),
            reason: OnceLock::new(),
            ended: CancellationToken::new(),
        });
        (Arc::clone(&wire), Outgoing { wire, queue })
    }

    /// Waits until the client's stay is ended by the server. Cancel-safe.
    pub(super) async fn ended(&self) -> DisconnectReason {
        self.ended.cancelled().await;
        self.reason.get().copied().unwrap_or(DisconnectReason::ServerDisconnected)
    }
}

#[async_trait]
impl Wire for JsonWire {
    fn send(&self, packet: &Arc<Packet>) -> Result<(), NotSent> {
        if self.ended.is_cancelled() {
            return Err(NotSent::Gone);
        }
        let text = packet.form(Form::Json, message::write);
        if text.is_empty() {
            return Ok(());
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(text).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => NotSent::Full,
                mpsc::error::TrySendError::Closed(_) => NotSent::Gone,
            }
        })
    }

    fn send_volatile(&self, packet: &Arc<Packet>) {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            let _dropped = self.send(packet).is_err();
        }
    }

    /// Half of the queue is left to others: a stream of answers that fills it would end its own client.
    async fn ready(&self) {
        loop {
            let fewer = self.fewer.notified();
            tokio::pin!(fewer);
            fewer.as_mut().enable();
            if self.ended.is_cancelled() || self.waiting.load(Ordering::Relaxed) <= self.most / 2 {
                return;
            }
            tokio::select! {
                () = fewer => {}
                () = self.ended.cancelled() => return,
            }
        }
    }

    fn end(&self, reason: &DisconnectReason) {
        let _first_reason_stays = self.reason.set(*reason).is_err();
        self.ended.cancel();
    }
}

impl Outgoing {
    /// Waits for what is to be written next, and adds what is there already. Cancel-safe.
    pub(super) async fn next(&mut self, batch: &mut Vec<Utf8Bytes>) {
        // There is always a sender: the wire.
        self.queue.recv_many(batch, BATCH).await;
    }

    /// Takes what is there.
    pub(super) fn rest(&mut self, batch: &mut Vec<Utf8Bytes>) {
        self.queue.close();
        while let Ok(text) = self.queue.try_recv() {
            batch.push(text);
        }
    }

    /// The socket has taken so many.
    pub(super) fn taken(&self, count: usize) {
        self.wire.waiting.fetch_sub(count, Ordering::Relaxed);
        self.wire.fewer.notify_waiters();
    }
}

/// At most so many texts are written before the socket is flushed.
const BATCH: usize = 64;
