//! One client's stay in a namespace, for the front that carries it: its events are handled one after the other, and
//! everything of it goes when it goes.
//!
//! A front reports what it reads; one task a client takes the events from a bounded queue, in the order in which they came,
//! runs the pipeline and sends the answers. Acknowledgements do not queue: a handler may wait for one.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::answers::tell;
use super::client::Client;
use super::data::Data;
use super::error::EventError;
use super::event::Event;
use super::gateways::{Mounted, Place};
use super::packet::AckId;
use super::rate::OwnRate;
use super::stay::{Held, Queued, Stay};
use super::wire::DisconnectReason;
use super::work::Work;

/// A client's stay in a namespace, for the front that carries it. Dropping it reports that the transport failed.
#[derive(Debug)]
pub struct Session {
    client: Client,
    mounted: Mounted,
    queue: mpsc::Sender<Queued>,
    waiting_bytes: Arc<AtomicUsize>,
    rate: OwnRate,
    /// It was told that it sends too much: whatever it sends now is not looked at.
    is_refused: AtomicBool,
    work: Work,
    end: Option<oneshot::Sender<DisconnectReason>>,
}

/// A client that the guards have let in and whose stay has not begun. Dropping it gives its place back.
#[derive(Debug)]
pub struct Admitted {
    client: Client,
    place: Place,
}

impl Admitted {
    pub(super) const fn new(client: Client, place: Place) -> Self {
        Self { client, place }
    }

    /// The id that the client is told.
    #[must_use]
    pub fn id(&self) -> &str {
        self.client.id()
    }

    /// Begins the stay. The front has told the client its id before, so that this comes first on its wire.
    #[must_use]
    pub fn begin(self) -> Session {
        self.begin_after(std::future::ready(()))
    }

    /// The same, with nothing done for the client before this is over. Its events wait.
    pub(crate) fn begin_after(self, told: impl Future<Output = ()> + Send + 'static) -> Session {
        let Self { client, place } = self;
        let mounted = place.mounted().clone();
        let (queue, events) = mpsc::channel(mounted.config().max_waiting_events.max(1));
        let (end, ended) = oneshot::channel();
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let work = Work::default();
        let membership = client.namespace().enter(&client);
        let stay = Stay {
            client: client.clone(),
            mounted: mounted.clone(),
            events,
            waiting_bytes: Arc::clone(&waiting_bytes),
            running: JoinSet::new(),
            held: Held::new(membership, place, work.begin()),
        };
        mounted.tasks().spawn(async move {
            told.await;
            stay.run(ended).await;
        });
        let rate = OwnRate::new(mounted.config());
        let is_refused = AtomicBool::new(false);
        Session { client, mounted, queue, waiting_bytes, rate, is_refused, work, end: Some(end) }
    }
}

impl Session {
    /// The client.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// An event came. A client that sends more than it may is told so and sent away.
    pub fn event(&self, name: &str, data: Data, ack: Option<AckId>) {
        if self.is_refused() {
            return;
        }
        self.mounted.metrics().gateway_events.increment(1);
        let bytes = data.len();
        let event = Event::new(self.client.clone(), name.into(), data).wanting_ack(ack.is_some());
        if !self.may_send() {
            return self.refuse(&event, ack);
        }
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let most = usize::try_from(self.mounted.config().max_waiting_bytes.as_u64()).unwrap_or(usize::MAX);
        if before > 0 && before + bytes > most {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return self.refuse(&event, ack);
        }
        let queued = Queued { event, ack, bytes, work: self.work.begin() };
        if let Err(full) = self.queue.try_send(queued) {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            let (mpsc::error::TrySendError::Full(queued) | mpsc::error::TrySendError::Closed(queued)) = full;
            self.refuse(&queued.event, queued.ack);
        }
    }

    /// Something came that is no event. The client is told by an `exception` and stays; it counts as an event does.
    pub fn malformed(&self, why: &str) {
        if self.is_refused() {
            return;
        }
        let said = Event::new(self.client.clone(), "message".into(), Data::none());
        if self.may_send() {
            let exception = EventError::object(&json!({ "status": "error", "message": why }));
            tell(&self.client, &said, None, &exception);
        } else {
            self.refuse(&said, None);
        }
    }

    /// The client acknowledged an event that it was sent.
    pub fn acknowledged(&self, id: u64, data: Data) {
        self.client.acknowledged(id, data);
    }

    /// The client has gone.
    pub fn end(mut self, reason: DisconnectReason) {
        self.finish(reason);
    }

    /// What is still to be done for the client: one for its stay, and one for each event.
    pub(crate) const fn work(&self) -> &Work {
        &self.work
    }

    fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    fn may_send(&self) -> bool {
        let address = self.client.handshake().address;
        self.rate.allows() && address.is_none_or(|address| self.mounted.address_rates().allows(address.ip()))
    }

    fn refuse(&self, event: &Event, ack: Option<AckId>) {
        self.is_refused.store(true, Ordering::Relaxed);
        tracing::info!(client = self.client.id(), "a client sends more than it may and is disconnected");
        tell(&self.client, event, ack, &EventError::new("Too many messages"));
        self.client.end(DisconnectReason::RateLimited);
    }

    fn finish(&mut self, reason: DisconnectReason) {
        if let Some(end) = self.end.take() {
            self.client.leave_for_good();
            let _stay_has_ended = end.send(reason).is_err();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.finish(DisconnectReason::TransportFailed);
    }
}
