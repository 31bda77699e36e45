//! A client of a namespace, as handlers and services see it.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::http::Extensions;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::broadcast::Broadcast;
use super::data::{Data, DecodeError, EncodeError};
use super::documents::Visits;
use super::doorman::Leave;
use super::error::EventError;
use super::event::Handshake;
use super::gateways::Gateways;
use super::namespace::Namespace;
use super::packet::{Content, Packet};
use super::topics::Target;
use super::wire::{DisconnectReason, NotSent, Wire};
use crate::access::Pass;
use crate::ids::ClientId;
use crate::telemetry::Limit;

/// A client in a namespace. Cloning gives another handle to the same; handles may outlive the client.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

/// A client's number inside the server. Never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ClientKey(u64);

pub(super) struct Shared {
    key: ClientKey,
    id: String,
    handshake: Handshake,
    wire: Arc<dyn Wire>,
    gateways: Gateways,
    namespace: Namespace,
    extensions: Mutex<Extensions>,
    visits: Visits,
    leave: Leave,
    next_ack: AtomicU64,
    awaited: Mutex<HashMap<u64, oneshot::Sender<Data>>>,
    gone: CancellationToken,
}

/// Why an event did not reach a client.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The value has no JSON form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It cannot be sent.
    #[error(transparent)]
    NotSent(#[from] NotSent),
}

/// Why there is no acknowledgement.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AckError {
    /// The event did not go out.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// The client did not answer in time.
    #[error("the client did not acknowledge in time")]
    Timeout,
    /// The client has gone without an answer.
    #[error("the client has gone")]
    Gone,
    /// The answer is not what was expected.
    #[error("the acknowledgement is not what was expected: {0}")]
    Decode(#[from] DecodeError),
}

impl Client {
    pub(super) fn new(
        gateways: Gateways,
        namespace: Namespace,
        handshake: Handshake,
        wire: Arc<dyn Wire>,
        (visits, leave): (Visits, Leave),
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let shared = Shared {
            key: ClientKey(NEXT.fetch_add(1, Ordering::Relaxed)),
            id: random_id(),
            handshake,
            wire,
            gateways,
            namespace,
            extensions: Mutex::default(),
            visits,
            leave,
            next_ack: AtomicU64::new(0),
            awaited: Mutex::default(),
            gone: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Its id, which it knows itself by (`socket.id`) and others may know: it opens nothing.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// How it connected.
    #[must_use]
    pub fn handshake(&self) -> &Handshake {
        &self.shared.handshake
    }

    /// What its token is good for now; for everybody the same where nobody is asked for one.
    #[must_use]
    pub fn pass(&self) -> Pass {
        self.shared.leave.pass()
    }

    /// The namespace that it is in.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.shared.namespace
    }

    /// All gateways of the server: the way to other namespaces.
    #[must_use]
    pub fn gateways(&self) -> &Gateways {
        &self.shared.gateways
    }

    /// Remembers a value for as long as the client stays, one of each type: the user that a guard found, for example.
    pub fn set<T: Clone + Send + Sync + 'static>(&self, value: T) {
        self.extensions(|extensions| extensions.insert(value));
    }

    /// The value of a type that [`set`](Self::set) remembered.
    #[must_use]
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.extensions(|extensions| extensions.get::<T>().cloned())
    }

    fn extensions<T>(&self, with: impl FnOnce(&mut Extensions) -> T) -> T {
        with(&mut self.shared.extensions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes it one of a user's clients, whom [`Namespace::to_user`] reaches. In documents it is called so too, unless
    /// [`introduce`](Self::introduce) says otherwise.
    pub fn identify(&self, user: &str) {
        self.enter(Target::User(user.into()));
        self.shared.visits.rename_unnamed(user);
    }

    /// Says what it is called in documents from now on, in at most 256 bytes; without a name it is "Someone".
    pub fn introduce(&self, name: &str) {
        self.shared.visits.rename(name);
    }

    /// Says which editor of the same person it stands beside in documents, by the editor's Yjs client id: its presence state
    /// has that as `beside`, so that an application need not show one person twice.
    pub fn stand_beside(&self, editor: ClientId) {
        self.shared.visits.stand_beside(editor);
    }

    /// Joins a topic, which Socket.IO calls a room. A client that is in more than it may be is sent away.
    ///
    /// In a server, the topic `doc:<name>` ties it to a document: it is shown to those who are there, and is sent the events
    /// `presence`, `typing`, `saved`, `deleted` and `unavailable` of the document, each with the topic as `room`.
    pub fn join(&self, topic: &str) {
        if self.enter(Target::Topic(topic.into())) {
            self.shared.visits.begin(self, topic);
        }
    }

    fn enter(&self, topic: Target) -> bool {
        let joined = self.shared.namespace.join(self, topic).is_ok();
        if !joined {
            tracing::info!(client = self.id(), "a client joins more topics than it may and is disconnected");
            self.shared.gateways.refused(Limit::GatewaysMaxTopics);
            self.end(DisconnectReason::RateLimited);
        }
        joined
    }

    /// Leaves a topic.
    pub fn leave(&self, topic: &str) {
        self.shared.namespace.leave(self, &Target::Topic(topic.into()));
        self.shared.visits.end(topic);
    }

    /// Shows to everybody else in a document, editors and clients of any gateway, that it types there or has stopped. What
    /// is not said again within 5 s has stopped by itself.
    ///
    /// ```
    /// use ydock::gateway::{Client, EventError, Payload};
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(rename_all = "camelCase")]
    /// struct Typing { room: String, is_typing: bool }
    ///
    /// async fn typing(client: Client, Payload(typing): Payload<Typing>) -> Result<(), EventError> {
    ///     client.typing(&typing.room, typing.is_typing) // "doc:plan", true
    /// }
    /// ```
    ///
    /// # Errors
    /// When it is not in the document's topic, or may not type; the text is for the client.
    pub fn typing(&self, topic: &str, typing: bool) -> Result<(), EventError> {
        self.typing_at(topic, typing, "")
    }

    /// The same with the place where it types, in words of the application, at most 64 bytes of them.
    ///
    /// # Errors
    /// As for [`typing`](Self::typing).
    pub fn typing_at(&self, topic: &str, typing: bool, place: &str) -> Result<(), EventError> {
        self.shared.visits.typing(topic, typing, place)
    }

    /// Whether it is in a topic.
    #[must_use]
    pub fn is_in(&self, topic: &str) -> bool {
        self.shared.namespace.is_in(self, &Target::Topic(topic.into()))
    }

    /// The topics that it is in.
    #[must_use]
    pub fn topics(&self) -> Vec<Arc<str>> {
        self.shared.namespace.topics_of(self)
    }

    /// Sends it an event.
    ///
    /// # Errors
    /// When the value cannot be encoded or the client cannot be reached. A client that reads too slowly is disconnected, so
    /// that it never misses an event in silence.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, value: &T) -> Result<(), EmitError> {
        let packet = Packet::event(event, value)?;
        Ok(self.deliver(&packet)?)
    }

    /// Sends it an event with values as they came from somebody: all of them, with their attachments.
    ///
    /// # Errors
    /// When the client cannot be reached.
    pub fn emit_data(&self, event: &str, data: &Data) -> Result<(), NotSent> {
        self.deliver(&Packet::event_of(event, data))
    }

    /// Sends it an event if nothing waits before it, else drops it: for cursors and the like.
    ///
    /// # Errors
    /// When the value cannot be encoded.
    pub fn emit_volatile<T: Serialize + ?Sized>(&self, event: &str, value: &T) -> Result<(), EncodeError> {
        self.shared.wire.send_volatile(&Packet::event(event, value)?);
        Ok(())
    }

    /// Sends it an event and waits for its acknowledgement.
    ///
    /// # Errors
    /// When it cannot be sent, is not acknowledged within `timeout`, or with something else than an `R`.
    pub async fn emit_with_ack<R: DeserializeOwned>(
        &self,
        event: &str,
        value: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> Result<R, AckError> {
        let data = Data::of_event(event, value).map_err(EmitError::from)?;
        self.ask(event, data, Instant::now() + timeout).await
    }

    /// Sends it an event at once; the answer comes when it is waited for.
    pub(super) fn ask<R: DeserializeOwned>(
        &self,
        event: &str,
        data: Data,
        until: Instant,
    ) -> impl Future<Output = Result<R, AckError>> + Send + use<R> {
        let id = self.shared.next_ack.fetch_add(1, Ordering::Relaxed);
        let (answered, answer) = oneshot::channel();
        self.awaited(|awaited| awaited.insert(id, answered));
        let awaiting = Awaiting { client: Arc::downgrade(&self.shared), id };
        let packet = Packet::new(Content::Event { name: event.into(), data, ack: Some(id) });
        let sent = self.deliver(&packet);
        let gone = self.shared.gone.clone();
        async move {
            let _forgotten_at_the_end = awaiting;
            sent.map_err(EmitError::from)?;
            tokio::select! {
                biased;
                answer = answer => Ok(answer.map_err(|_closed| AckError::Gone)?.decode()?),
                () = gone.cancelled() => Err(AckError::Gone),
                () = tokio::time::sleep_until(until) => Err(AckError::Timeout),
            }
        }
    }

    /// Everybody in the namespace but this client.
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::new(self.shared.namespace.clone()).except_key(self.shared.key)
    }

    /// Everybody in a topic but this client; or another client, by its id.
    pub fn to(&self, topic: &str) -> Broadcast {
        self.broadcast().to(topic)
    }

    /// Sends it away.
    pub fn disconnect(&self) {
        self.end(DisconnectReason::ServerDisconnected);
    }

    /// Closes its connection, in all namespaces. A Socket.IO client connects again by itself then, which it does not after
    /// [`disconnect`](Self::disconnect).
    pub fn close(&self) {
        self.end(DisconnectReason::TransportClosed);
    }

    /// Whether it is still there.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.shared.gone.is_cancelled()
    }

    /// Resolves when it has gone. Cancel-safe.
    pub async fn gone(&self) {
        self.shared.gone.cancelled().await;
    }

    /// Waits until it can take another event, or has gone. Cancel-safe.
    pub async fn ready(&self) {
        tokio::select! {
            () = self.shared.wire.ready() => {}
            () = self.gone() => {}
        }
    }

    /// Waits until nothing waits for it any more, or it has gone: for whoever sends much and counts bytes. Cancel-safe.
    pub async fn drained(&self) {
        tokio::select! {
            () = self.shared.wire.drained() => {}
            () = self.gone() => {}
        }
    }

    pub(super) fn end(&self, reason: DisconnectReason) {
        self.shared.wire.end(&reason);
    }

    pub(super) fn visits(&self) -> &Visits {
        &self.shared.visits
    }

    pub(super) fn leave_to_stay(&self) -> &Leave {
        &self.shared.leave
    }

    pub(super) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    pub(super) fn upgrade(weak: &Weak<Shared>) -> Option<Self> {
        weak.upgrade().map(|shared| Self { shared })
    }

    pub(super) fn key(&self) -> ClientKey {
        self.shared.key
    }

    pub(super) fn deliver(&self, packet: &Arc<Packet>) -> Result<(), NotSent> {
        let sent = self.shared.wire.send(packet);
        if sent == Err(NotSent::Full) {
            tracing::info!(client = self.id(), "a client reads too slowly and is disconnected");
            self.end(DisconnectReason::TooSlow);
        }
        sent
    }

    pub(super) fn deliver_volatile(&self, packet: &Arc<Packet>) {
        self.shared.wire.send_volatile(packet);
    }

    /// An acknowledgement came; one that nobody waits for is dropped.
    pub(super) fn acknowledged(&self, id: u64, data: Data) {
        if let Some(waiting) = self.awaited(|awaited| awaited.remove(&id)) {
            let _nobody_waits = waiting.send(data).is_err();
        }
    }

    /// It has gone: whoever waits for it is told, and it is out of all documents.
    pub(super) fn leave_for_good(&self) {
        self.shared.gone.cancel();
        self.shared.visits.end_all();
        self.shared.leave.end();
        self.awaited(HashMap::clear);
    }

    fn awaited<T>(&self, with: impl FnOnce(&mut HashMap<u64, oneshot::Sender<Data>>) -> T) -> T {
        with(&mut self.shared.awaited.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Somebody waits for an acknowledgement; however the waiting ends, it is forgotten.
struct Awaiting {
    client: Weak<Shared>,
    id: u64,
}

impl Drop for Awaiting {
    fn drop(&mut self) {
        if let Some(client) = self.client.upgrade() {
            client.awaited.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.shared.id).finish_non_exhaustive()
    }
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.shared.key == other.shared.key
    }
}

impl Eq for Client {}

impl ClientKey {
    /// Nobody's.
    pub(super) const NOBODY: Self = Self(0);

    #[cfg(test)]
    pub(super) const fn for_test(number: u64) -> Self {
        Self(number)
    }
}

/// Whether a text is the id of a client, of one that has gone or of none at all included: never that of a topic, so that
/// nobody can lie in wait for what is sent to a client that has just gone.
pub(super) fn is_client_id(text: &str) -> bool {
    text.strip_prefix(MARK).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// 122 random bits, as text.
fn random_id() -> String {
    format!("{MARK}{}", uuid::Uuid::new_v4().simple())
}

/// How ids of clients begin: topics are often named by hashes and UUIDs, which would look the same without it.
const MARK: char = '~';
