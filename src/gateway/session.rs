//! One client's stay in a namespace: its events are handled one after the other, and everything of it goes when it goes.
//!
//! A front reports what it reads; one task a client takes the events from a bounded queue, in the order in which they came,
//! runs the pipeline and sends the answers. Acknowledgements do not queue: a handler may wait for one.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::client::Client;
use super::data::Data;
use super::definition::Defined;
use super::error::EventError;
use super::event::{Event, EventKind};
use super::gateways::{Mounted, Place};
use super::packet::{AckId, Content, Packet};
use super::rate::OwnRate;
use super::reply::{Replies, Reply};
use super::route::Order;
use super::wire::DisconnectReason;

/// A client's stay in a namespace, for the front that carries it. Dropping it reports that the transport failed.
#[derive(Debug)]
pub struct Session {
    client: Client,
    mounted: Mounted,
    queue: mpsc::Sender<Queued>,
    waiting_bytes: Arc<AtomicUsize>,
    rate: OwnRate,
    end: Option<oneshot::Sender<DisconnectReason>>,
}

/// A client that the guards have let in and whose stay has not begun. Dropping it gives its place back.
#[derive(Debug)]
pub struct Admitted {
    client: Client,
    place: Place,
}

#[derive(Debug)]
struct Queued {
    event: Event,
    ack: Option<AckId>,
    bytes: usize,
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
        let Self { client, place } = self;
        let mounted = place.mounted().clone();
        let (queue, events) = mpsc::channel(mounted.config().max_waiting_events.max(1));
        let (end, ended) = oneshot::channel();
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        client.namespace().enter(&client);
        let stay = Stay {
            client: client.clone(),
            mounted: mounted.clone(),
            events,
            waiting_bytes: Arc::clone(&waiting_bytes),
            running: JoinSet::new(),
            _place: place,
        };
        mounted.tasks().spawn(stay.run(ended));
        let rate = OwnRate::new(mounted.config());
        Session { client, mounted, queue, waiting_bytes, rate, end: Some(end) }
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
        let bytes = data.len();
        let event = Event::new(self.client.clone(), name.into(), data).wanting_ack(ack.is_some());
        if !self.may_send() {
            return self.refuse(&event, ack, "Too many messages");
        }
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let most = usize::try_from(self.mounted.config().max_waiting_bytes.as_u64()).unwrap_or(usize::MAX);
        if before > 0 && before + bytes > most {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return self.refuse(&event, ack, "Too many messages");
        }
        if let Err(full) = self.queue.try_send(Queued { event, ack, bytes }) {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            let (mpsc::error::TrySendError::Full(queued) | mpsc::error::TrySendError::Closed(queued)) = full;
            self.refuse(&queued.event, queued.ack, "Too many messages");
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

    fn may_send(&self) -> bool {
        let address = self.client.handshake().address;
        self.rate.allows() && address.is_none_or(|address| self.mounted.address_rates().allows(address.ip()))
    }

    fn refuse(&self, event: &Event, ack: Option<AckId>, why: &'static str) {
        tracing::info!(client = self.client.id(), "a client sends more than it may and is disconnected");
        tell(&self.client, event, ack, &EventError::new(why));
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

/// The task of one client.
struct Stay {
    client: Client,
    mounted: Mounted,
    events: mpsc::Receiver<Queued>,
    waiting_bytes: Arc<AtomicUsize>,
    /// Streams of answers, and handlers that keep nobody waiting.
    running: JoinSet<()>,
    _place: Place,
}

impl Stay {
    async fn run(mut self, mut ended: oneshot::Receiver<DisconnectReason>) {
        let begin = Event::of_kind(self.client.clone(), EventKind::Connect);
        let connected = self.mounted.definition().connected(&begin);
        if let Err(error) = guarded(connected).await.and_then(|outcome| outcome) {
            tell(&self.client, &begin, None, &error);
            self.client.disconnect();
        }
        let reason = loop {
            tokio::select! {
                biased;
                reason = &mut ended => break reason.unwrap_or(DisconnectReason::TransportFailed),
                Some(queued) = self.events.recv() => {
                    if let Some(reason) = self.handle(queued, &mut ended).await {
                        break reason;
                    }
                }
                Some(_) = self.running.join_next(), if !self.running.is_empty() => {}
            }
        };
        self.finish(reason).await;
    }

    /// Handles an event; when the client goes meanwhile, the handler has some time to end.
    async fn handle(
        &mut self,
        queued: Queued,
        ended: &mut oneshot::Receiver<DisconnectReason>,
    ) -> Option<DisconnectReason> {
        let Queued { event, ack, bytes } = queued;
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        let Defined { service, order } = self.mounted.definition().route(event.name());
        let handled = handle(self.client.clone(), service, event.clone(), ack.clone());
        if order == Order::Free {
            if self.running.len() >= self.mounted.config().max_streams {
                tell(&self.client, &event, ack, &EventError::new("Too many events at once"));
                return None;
            }
            self.running.spawn(self.mounted.tasks().tracker().track_future(async move {
                if let Some(replies) = handled.await {
                    stream(replies).await;
                }
            }));
            return None;
        }
        tokio::pin!(handled);
        let replies = tokio::select! {
            biased;
            replies = &mut handled => replies,
            reason = ended => {
                let _handler_was_dropped = tokio::time::timeout(self.mounted.config().linger, handled).await.is_err();
                return Some(reason.unwrap_or(DisconnectReason::TransportFailed));
            }
        };
        if let Some(replies) = replies {
            if self.running.len() >= self.mounted.config().max_streams {
                tell(&self.client, &replies.event, replies.ack, &EventError::new("Too many streams at once"));
            } else {
                self.running.spawn(self.mounted.tasks().tracker().track_future(stream(replies)));
            }
        }
        None
    }

    async fn finish(mut self, reason: DisconnectReason) {
        self.client.leave_for_good();
        self.running.shutdown().await;
        let mut event = Event::of_kind(self.client.clone(), EventKind::Disconnect);
        event.extensions.insert(reason);
        let disconnected = guarded(self.mounted.definition().disconnected(&event));
        let within = tokio::time::timeout(self.mounted.config().linger, disconnected).await;
        if !matches!(within, Ok(Ok(()))) {
            tracing::warn!(client = self.client.id(), "an on_disconnect handler panicked or did not end");
        }
        self.client.namespace().exit(&self.client);
    }
}

/// Answers over time, with what they answer.
struct Streaming {
    client: Client,
    replies: Replies,
    event: Event,
    ack: Option<AckId>,
}

/// Runs the pipeline and sends the answer; gives back answers that come over time.
async fn handle(
    client: Client,
    service: super::layers::EventService,
    event: Event,
    ack: Option<AckId>,
) -> Option<Streaming> {
    let outcome = guarded(service.oneshot(event.clone())).await.and_then(|outcome| outcome);
    match outcome {
        Ok(Reply::Stream(replies)) => Some(Streaming { client, replies, event, ack }),
        Ok(reply) => {
            let mut ack = ack;
            answer(&client, reply, &mut ack);
            None
        }
        Err(error) => {
            tell(&client, &event, ack, &error);
            None
        }
    }
}

/// Sends answers as they come, no faster than the client reads.
async fn stream(answers: Streaming) {
    let Streaming { client, mut replies, event, mut ack } = answers;
    loop {
        client.ready().await;
        match guarded(replies.next()).await {
            Ok(None) => return,
            Ok(Some(Ok(Reply::Stream(inner)))) => replies = Box::pin(inner.chain(replies)),
            Ok(Some(Ok(reply))) => answer(&client, reply, &mut ack),
            Ok(Some(Err(error))) | Err(error) => return tell(&client, &event, ack, &error),
        }
    }
}

/// Sends one answer. A client's acknowledgement goes out once.
fn answer(client: &Client, reply: Reply, ack: &mut Option<AckId>) {
    let content = match reply {
        Reply::Nothing | Reply::Stream(_) => return,
        Reply::Event { name, data } => {
            let _client_has_gone = client.deliver(&Packet::event_of(&name, &data)).is_err();
            return;
        }
        Reply::Value(data) => match ack.take() {
            Some(id) => Content::Ack { id, data: data.unnamed() },
            None => Content::Value { data: data.unnamed() },
        },
    };
    let _client_has_gone = client.deliver(&Packet::new(content)).is_err();
}

/// Tells the sender of an event what went wrong with it: by `exception`, and as the acknowledgement if it waits for one.
fn tell(client: &Client, event: &Event, ack: Option<AckId>, error: &EventError) {
    if let Some(source) = error.source_text() {
        tracing::error!(client = client.id(), event = event.name(), error = source, "an event could not be handled");
    }
    let exception = error.exception(event.name(), event.data());
    let _client_has_gone = client.deliver(&Packet::event_of("exception", &exception)).is_err();
    if let Some(id) = ack {
        let _client_has_gone = client.deliver(&Packet::new(Content::Ack { id, data: exception })).is_err();
    }
}

/// A panic of a handler is an error like others.
async fn guarded<T>(work: impl Future<Output = T>) -> Result<T, EventError> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| {
        let text =
            panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
        EventError::internal(format!("a handler panicked: {}", text.unwrap_or_default()))
    })
}
