//! A client in the same process: a wire that keeps packets, and the session behind it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use ydock::gateway::{
    AckId, Config, ConnectError, Content, Data, DisconnectReason, Entrance, Entry, Gateway, Gateways, GatewaysBuilder,
    Handshake, NotSent, Packet, Session, Transport, Wire,
};
use ydock::shutdown::Tasks;

/// One gateway, begun.
pub(crate) async fn serve<S: Clone + Send + Sync + 'static>(gateway: Gateway<S>) -> Gateways {
    let mut gateways = GatewaysBuilder::default();
    gateways.add(gateway);
    gateways.build(Config::default(), Tasks::new()).await
}

/// How a client comes.
pub(crate) struct Visit {
    pub(crate) path: &'static str,
    pub(crate) auth: Value,
    pub(crate) origin: Option<&'static str>,
    pub(crate) by: Transport,
    pub(crate) at: &'static str,
}

impl Default for Visit {
    fn default() -> Self {
        Self { path: "/", auth: json!({}), origin: None, by: Transport::WebSocket, at: "/socket.io" }
    }
}

/// A client.
pub(crate) struct Connected {
    session: Session,
    packets: mpsc::Receiver<Arc<Packet>>,
    next_ack: AtomicI64,
}

impl Connected {
    pub(crate) async fn to(gateways: &Gateways, path: &'static str) -> Self {
        Self::with_auth(gateways, path, json!({})).await.unwrap()
    }

    pub(crate) async fn with_auth(gateways: &Gateways, path: &'static str, auth: Value) -> Result<Self, ConnectError> {
        Self::visit(gateways, Visit { path, auth, ..Visit::default() }).await
    }

    pub(crate) async fn visit(gateways: &Gateways, visit: Visit) -> Result<Self, ConnectError> {
        let host = (HeaderName::from_static("host"), HeaderValue::from_static("docs.example.org"));
        let origin = visit.origin.map(|origin| (HeaderName::from_static("origin"), HeaderValue::from_static(origin)));
        let headers: HeaderMap = [host].into_iter().chain(origin).collect();
        let handshake = Handshake {
            auth: Data::of(&visit.auth).unwrap(),
            headers,
            uri: Uri::from_static("/socket.io/?EIO=4"),
            address: None,
            issued: Instant::now(),
        };
        let at = Entrance { port: None, path: visit.at.to_owned() };
        let (queue, packets) = mpsc::channel(100);
        let entry = Entry { path: visit.path, at: &at, by: visit.by, handshake };
        let session = gateways.admit(entry, Arc::new(Kept(Mutex::new(Some(queue))))).await?.begin();
        Ok(Self { session, packets, next_ack: AtomicI64::new(0) })
    }

    pub(crate) fn id(&self) -> &str {
        self.session.client().id()
    }

    pub(crate) fn emit(&self, event: &str, value: impl Serialize) {
        self.session.event(event, Data::of(&value).unwrap(), None);
    }

    /// Sends an event and waits for its acknowledgement, which has to be what comes next.
    pub(crate) async fn ask<R: DeserializeOwned>(&mut self, event: &str, value: impl Serialize) -> R {
        let id = AckId::Number(self.next_ack.fetch_add(1, Ordering::Relaxed));
        self.session.event(event, Data::of(&value).unwrap(), Some(id.clone()));
        match self.packet().await.content() {
            Content::Ack { id: answered, data } if *answered == id => data.decode().unwrap(),
            other => panic!("no acknowledgement but {other:?}"),
        }
    }

    /// The same for an event that is refused: the `exception` comes first and says the same.
    pub(crate) async fn ask_after_exception(&mut self, event: &str, value: impl Serialize) -> Value {
        let id = AckId::Number(self.next_ack.fetch_add(1, Ordering::Relaxed));
        self.session.event(event, Data::of(&value).unwrap(), Some(id));
        let exception = self.expect("exception").await;
        match self.packet().await.content() {
            Content::Ack { data, .. } => assert_eq!(data.decode::<Value>().unwrap(), exception),
            other => panic!("no acknowledgement but {other:?}"),
        }
        exception
    }

    /// The next event: its name and its value.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        match self.packet().await.content() {
            Content::Event { name, data, .. } => (name.to_string(), serde_json::from_str(&data.to_json()).unwrap()),
            other => panic!("no event but {other:?}"),
        }
    }

    /// The next event has to be of this name; its value.
    pub(crate) async fn expect(&mut self, event: &str) -> Value {
        let (name, value) = self.next().await;
        assert_eq!(name, event, "{value}");
        value
    }

    /// The next event has to be an `exception`; its message.
    pub(crate) async fn exception(&mut self) -> Value {
        let exception = self.expect("exception").await;
        assert_eq!(exception.get("status"), Some(&json!("error")));
        exception.get("message").cloned().unwrap_or_default()
    }

    /// Nothing comes, however long one waits.
    pub(crate) async fn hears_nothing(&mut self) {
        let came = timeout(Duration::from_mins(1), self.packets.recv()).await;
        assert!(came.is_err(), "{came:?}");
    }

    /// Whether the server has ended it.
    pub(crate) async fn is_sent_away(&mut self) -> bool {
        matches!(timeout(Duration::from_mins(1), self.packets.recv()).await, Ok(None))
    }

    pub(crate) fn leave(self) {
        self.session.end(DisconnectReason::ClientDisconnected);
    }

    async fn packet(&mut self) -> Arc<Packet> {
        timeout(Duration::from_mins(1), self.packets.recv()).await.expect("nothing came").expect("it was sent away")
    }
}

/// A wire that ends in a queue; without one when its client was sent away.
#[derive(Debug)]
struct Kept(Mutex<Option<mpsc::Sender<Arc<Packet>>>>);

impl Kept {
    fn queue(&self) -> Option<mpsc::Sender<Arc<Packet>>> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Wire for Kept {
    fn send(&self, packet: &Arc<Packet>) -> Result<(), NotSent> {
        let queue = self.queue().ok_or(NotSent::Gone)?;
        queue.try_send(Arc::clone(packet)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotSent::Full,
            mpsc::error::TrySendError::Closed(_) => NotSent::Gone,
        })
    }

    fn send_volatile(&self, packet: &Arc<Packet>) {
        let _dropped = self.send(packet).is_err();
    }

    async fn ready(&self) {
        if let Some(queue) = self.queue() {
            let _closed = queue.reserve().await.is_err();
        }
    }

    fn end(&self, _: &DisconnectReason) {
        self.0.lock().unwrap().take();
    }
}
