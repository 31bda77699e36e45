//! A client of a gateway, in the hands of a test.
#![expect(clippy::panic, reason = "what a test client waits for in vain is a test that fails")]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderName, HeaderValue, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::DEADLINE;
use super::server::{TestServer, Works};
use super::wire::TestWire;
use crate::gateway::{
    AckId, ConnectError, Content, Data, DisconnectReason, Entrance, Entry, Handshake, Packet, Session, Transport, Wire,
    Work,
};
use crate::shutdown::Tasks;

/// A client that is about to connect.
#[derive(Debug)]
#[must_use = "it connects when `connect` is awaited"]
pub struct Connecting<'a> {
    server: &'a TestServer,
    namespace: String,
    handshake: Handshake,
}

/// A client that is connected. Dropping it breaks its connection.
#[derive(Debug)]
pub struct TestClient {
    id: String,
    wire: Arc<TestWire>,
    session: Arc<Mutex<Option<Session>>>,
    work: Work,
    /// What is to be done for all clients of the server.
    works: Works,
    next_ack: AtomicI64,
}

/// An event that the server sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Its name.
    pub event: String,
    /// Its value; several values are an array, none is `null`. A binary value shows as a placeholder: use
    /// [`decode`](Self::decode).
    pub data: Value,
    raw: Data,
    ack: Option<u64>,
}

impl<'a> Connecting<'a> {
    pub(super) fn new(server: &'a TestServer, namespace: &str) -> Self {
        let handshake = Handshake {
            auth: encoded(&Value::Object(serde_json::Map::new())),
            headers: Arc::default(),
            uri: Uri::from_static("/"),
            address: None,
            issued: Instant::now(),
        };
        Self { server, namespace: namespace.to_owned(), handshake }
    }

    /// Sends this as `auth`.
    pub fn auth<T: Serialize + ?Sized>(mut self, auth: &T) -> Self {
        self.handshake.auth = encoded(auth);
        self
    }

    /// Sends a header with the request that opens the connection.
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        Arc::make_mut(&mut self.handshake.headers)
            .append(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// Connects to this address of the server, `/?room=1` for example.
    pub fn uri(mut self, uri: &'static str) -> Self {
        self.handshake.uri = Uri::from_static(uri);
        self
    }

    /// Comes from this address.
    pub fn from(mut self, address: SocketAddr) -> Self {
        self.handshake.address = Some(address);
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// When the server does not let the client in, as it says to it.
    pub async fn connect(self) -> Result<TestClient, ConnectError> {
        let Self { server, namespace, handshake } = self;
        let gateways = server.gateways();
        let at = gateways.entrances().into_iter().find_map(|at| gateways.entrance_of(&namespace, at.port));
        let at = at.unwrap_or(Entrance { port: None, path: String::new() });
        let wire = TestWire::new(gateways.config().max_outgoing);
        let entry = Entry { path: &namespace, at: &at, by: Transport::WebSocket, handshake };
        let admitted = gateways.admit(entry, wire.clone()).await?;
        let id = admitted.id().to_owned();
        let session = admitted.begin();
        let work = session.work().clone();
        let works = server.works();
        works.add(&work);
        let session = Arc::new(Mutex::new(Some(session)));
        server.tasks().spawn(carry(Arc::clone(&wire), Arc::clone(&session), server.tasks().clone()));
        Ok(TestClient { id, wire, session, work, works, next_ack: AtomicI64::new(0) })
    }
}

impl TestClient {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sends an event. It may be handled later: see [`ask`](Self::ask) and [`settled`](Self::settled).
    pub async fn emit<T: Serialize + ?Sized>(&self, event: &str, value: &T) {
        self.send(event, value, None);
        // A socket would give way here too.
        tokio::task::yield_now().await;
    }

    /// Sends an event and waits for its acknowledgement. One without a value is `()` or `None`.
    ///
    /// # Panics
    /// When it does not come within [`DEADLINE`], or is not an `R`.
    pub async fn ask<R: DeserializeOwned>(&self, event: &str, value: &(impl Serialize + ?Sized)) -> R {
        let id = self.next_ack.fetch_add(1, Ordering::Relaxed);
        self.send(event, value, Some(AckId::Number(id)));
        let data = in_time(&format!("the acknowledgement of {event:?}"), self.wire.ack(id)).await;
        let Some(data) = data else { panic!("the client was sent away before {event:?} was acknowledged") };
        data.decode().unwrap_or_else(|error| panic!("{event:?} was acknowledged with {}: {error}", data.to_json()))
    }

    /// The next event of the server.
    ///
    /// # Panics
    /// When none comes within [`DEADLINE`], or the client has been sent away and nothing is left.
    pub async fn next(&self) -> Received {
        let packet = in_time("an event", self.wire.next()).await;
        let received = packet.as_deref().and_then(Received::of);
        received.unwrap_or_else(|| panic!("the client was sent away: no event comes any more"))
    }

    /// The next event of the server, which must have this name.
    ///
    /// # Panics
    /// When it has another, or none comes.
    pub async fn expect(&self, event: &str) -> Received {
        let received = self.next().await;
        assert!(received.event == event, "expected {event:?}, and {:?} came with {}", received.event, received.data);
        received
    }

    /// Waits until everything that any client of the server has sent so far was handled, at most for [`DEADLINE`]: a handler
    /// may well wait for this client. What a stream still has to give is not waited for.
    pub async fn settled(&self) {
        let handled = async {
            for work in self.works.all() {
                work.at_most(THE_STAY).await;
            }
        };
        let _something_takes_longer = timeout(DEADLINE, handled).await.is_err();
    }

    /// Makes sure that no event has come, once everything that was sent so far was handled.
    ///
    /// # Panics
    /// When one has come.
    pub async fn nothing(&self) {
        self.settled().await;
        let came: Vec<_> = self.wire.waiting().iter().filter_map(|packet| Received::of(packet)).collect();
        assert!(came.is_empty(), "expected nothing, and this came: {came:?}");
    }

    /// Acknowledges an event, with one value or those of a tuple.
    ///
    /// # Panics
    /// When the server did not ask for it.
    pub fn acks<T: Serialize + ?Sized>(&self, received: &Received, value: &T) {
        let Some(id) = received.ack else { panic!("nobody waits for an acknowledgement of {:?}", received.event) };
        self.with_session(|session| session.acknowledged(id, encoded(value)));
    }

    /// Waits until the server has sent it away, and says why.
    ///
    /// # Panics
    /// When it has not within [`DEADLINE`].
    pub async fn sent_away(&self) -> DisconnectReason {
        in_time("the end", self.wire.ended()).await
    }

    /// Whether it is still connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.wire.has_ended()
    }

    /// Leaves, and waits until the server has done everything that there was to be done for it.
    pub async fn leave(self) {
        self.wire.end(&DisconnectReason::ClientDisconnected);
        self.work.at_most(NOTHING).await;
    }

    /// Waits until the server has done everything that there was to be done for a client that has gone.
    pub async fn freed(&self) {
        self.work.at_most(NOTHING).await;
    }

    fn send<T: Serialize + ?Sized>(&self, event: &str, value: &T, ack: Option<AckId>) {
        self.with_session(|session| session.event(event, encoded(value), ack));
    }

    /// Nothing happens when the client has gone.
    fn with_session(&self, with: impl FnOnce(&Session)) {
        if let Some(session) = self.session.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            with(session);
        }
    }
}

impl Drop for TestClient {
    fn drop(&mut self) {
        self.wire.end(&DisconnectReason::TransportClosed);
    }
}

impl Received {
    /// Its values as a type, binary ones included: a tuple takes all of them, any other type the first.
    ///
    /// # Panics
    /// When they are not what the type expects.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(&self) -> T {
        self.raw.decode().unwrap_or_else(|error| panic!("{:?} came with {}: {error}", self.event, self.data))
    }

    /// Whether the server waits for an acknowledgement.
    #[must_use]
    pub const fn wants_ack(&self) -> bool {
        self.ack.is_some()
    }

    fn of(packet: &Packet) -> Option<Self> {
        let Content::Event { name, data, ack } = packet.content() else { return None };
        let value = serde_json::from_str(&data.to_json()).unwrap_or(Value::Null);
        Some(Self { event: name.as_ref().to_owned(), data: value, raw: data.clone(), ack: *ack })
    }
}

/// Reports the end of a client to its session, as a front does.
async fn carry(wire: Arc<TestWire>, session: Arc<Mutex<Option<Session>>>, tasks: Tasks) {
    let reason = tokio::select! {
        reason = wire.ended() => reason,
        () = tasks.stopped() => {
            wire.end(&DisconnectReason::ShuttingDown);
            wire.ended().await
        }
    };
    let session = session.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(session) = session {
        session.end(reason);
    }
}

async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = timeout(DEADLINE, work).await;
    done.unwrap_or_else(|_late| panic!("waited in vain for {what}"))
}

fn encoded<T: Serialize + ?Sized>(value: &T) -> Data {
    Data::of(value).unwrap_or_else(|error| panic!("{error}"))
}

/// So much is left to be done while a client is there and all its events are handled.
const THE_STAY: usize = 1;
const NOTHING: usize = 0;
