//! The task of one client: takes its events in the order in which they came, and leaves nothing behind when it has gone.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::answers::{self, Streaming, guarded, tell};
use super::client::Client;
use super::definition::Defined;
use super::error::EventError;
use super::event::{Event, EventKind};
use super::gateways::{Mounted, Place};
use super::namespace::Membership;
use super::packet::AckId;
use super::route::Order;
use super::wire::DisconnectReason;
use super::work::Piece;

/// An event that waits for its handler.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) event: Event,
    pub(super) ack: Option<AckId>,
    pub(super) bytes: usize,
    /// Done when the handler has ended.
    pub(super) work: Piece,
}

/// How a stay learns that its client has gone.
pub(super) type Ended = oneshot::Receiver<DisconnectReason>;

/// One client's stay.
pub(super) struct Stay {
    pub(super) client: Client,
    pub(super) mounted: Mounted,
    pub(super) events: mpsc::Receiver<Queued>,
    pub(super) waiting_bytes: Arc<AtomicUsize>,
    /// Streams of answers, and handlers that keep nobody waiting.
    pub(super) running: JoinSet<()>,
    pub(super) held: Held,
}

/// What a stay holds until it is over, given back in this order: what others see of the client, its place, and in the end
/// that there is nothing left to be done.
pub(super) struct Held {
    _membership: Membership,
    _place: Place,
    _work: Piece,
}

/// The client has gone; what still runs for it may do so for a while.
struct Gone {
    reason: DisconnectReason,
    until: Instant,
}

impl Held {
    pub(super) const fn new(membership: Membership, place: Place, work: Piece) -> Self {
        Self { _membership: membership, _place: place, _work: work }
    }
}

impl Stay {
    /// Runs until the client has gone and everything of it is freed.
    pub(super) async fn run(mut self, mut ended: Ended) {
        let gone = match self.connected(&mut ended).await {
            Some(gone) => gone,
            None => self.serve(&mut ended).await,
        };
        self.finish(gone).await;
    }

    /// What the gateway does when a client has connected. A client that it refuses is not served: it goes.
    async fn connected(&self, ended: &mut Ended) -> Option<Gone> {
        let begin = Event::of_kind(self.client.clone(), EventKind::Connect);
        let connected = guarded(self.mounted.definition().connected(&begin));
        match lasting(connected, ended, self.linger()).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error)) | Err(error)) => {
                tell(&self.client, &begin, None, &error);
                self.client.disconnect();
                Some(Gone::now(ended.await, Duration::ZERO).refused())
            }
            Err(gone) => Some(gone),
        }
    }

    async fn serve(&mut self, ended: &mut Ended) -> Gone {
        loop {
            tokio::select! {
                biased;
                reason = &mut *ended => return Gone::now(reason, self.linger()),
                Some(queued) = self.events.recv() => {
                    let Some(handled) = self.begin(queued) else { continue };
                    match lasting(handled, ended, self.linger()).await {
                        Ok(Some(streaming)) => self.stream(streaming),
                        Ok(None) => {}
                        Err(gone) => return gone,
                    }
                }
                Some(_) = self.running.join_next(), if !self.running.is_empty() => {}
            }
        }
    }

    /// Begins to handle an event; gives the handling back when the next event has to wait for it.
    fn begin(&mut self, queued: Queued) -> Option<impl Future<Output = Option<Streaming>> + Send + 'static> {
        let Queued { event, ack, bytes, work } = queued;
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        let Defined { service, order } = self.mounted.definition().route(event.name());
        if order == Order::Free && !self.has_room() {
            tell(&self.client, &event, ack, &EventError::new("Too many events at once"));
            return None;
        }
        let handled = async move {
            let _until_it_has_ended = work;
            answers::handle(service, event, ack).await
        };
        if order == Order::Kept {
            return Some(handled);
        }
        self.running.spawn(self.mounted.tasks().tracker().track_future(async move {
            if let Some(streaming) = handled.await {
                streaming.run().await;
            }
        }));
        None
    }

    fn stream(&mut self, streaming: Streaming) {
        if self.has_room() {
            self.running.spawn(self.mounted.tasks().tracker().track_future(streaming.run()));
        } else {
            streaming.refuse();
        }
    }

    /// Whether one more may run beside the client's events.
    fn has_room(&mut self) -> bool {
        while self.running.try_join_next().is_some() {}
        self.running.len() < self.mounted.config().max_streams
    }

    fn linger(&self) -> Duration {
        self.mounted.config().linger
    }

    /// Handles what a client sent before it left by itself, and waits for what runs beside.
    async fn handle_rest(&mut self, reason: DisconnectReason) {
        self.events.close();
        while let Some(queued) = self.events.recv().await {
            let handled = if was_its_own(reason) { self.begin(queued) } else { None };
            if let Some(handled) = handled {
                drop(handled.await);
            }
        }
        while self.running.join_next().await.is_some() {}
    }

    /// Gives what is left to be done some time, and frees everything of the client.
    async fn finish(mut self, Gone { reason, until }: Gone) {
        self.client.leave_for_good();
        if tokio::time::timeout_at(until, self.handle_rest(reason)).await.is_err() {
            tracing::debug!(client = self.client.id(), "a handler was dropped: its client had gone long ago");
        }
        self.running.shutdown().await;
        match reason {
            DisconnectReason::TooSlow => self.mounted.metrics().gateway_too_slow.increment(1),
            DisconnectReason::RateLimited => self.mounted.metrics().gateway_rate_limited.increment(1),
            _ => {}
        }
        let mut event = Event::of_kind(self.client.clone(), EventKind::Disconnect);
        event.extensions.insert(reason);
        let disconnected = self.mounted.definition().disconnected(&event);
        if tokio::time::timeout(self.linger(), disconnected).await.is_err() {
            tracing::warn!(client = self.client.id(), "an on_disconnect handler did not end");
        }
        drop(self.held);
    }
}

impl Gone {
    fn now(reason: Result<DisconnectReason, oneshot::error::RecvError>, linger: Duration) -> Self {
        Self { reason: reason.unwrap_or(DisconnectReason::TransportFailed), until: Instant::now() + linger }
    }

    /// Whoever was refused has none of its events handled, however it went.
    fn refused(self) -> Self {
        Self { reason: DisconnectReason::ServerDisconnected, ..self }
    }
}

/// Finishes some work; when the client goes meanwhile, the work has some time to end.
async fn lasting<T>(work: impl Future<Output = T>, ended: &mut Ended, linger: Duration) -> Result<T, Gone> {
    tokio::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => Ok(done),
        reason = ended => {
            let gone = Gone::now(reason, linger);
            let _work_was_dropped = tokio::time::timeout_at(gone.until, work).await.is_err();
            Err(gone)
        }
    }
}

/// Whether the client went by itself: what it had sent before is worth handling.
const fn was_its_own(reason: DisconnectReason) -> bool {
    use DisconnectReason::{ClientDisconnected, PingTimeout, TransportClosed, TransportFailed};
    matches!(reason, ClientDisconnected | TransportClosed | TransportFailed | PingTimeout)
}
