//! From an upgrade request to a client in a namespace.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Query, Request};
use axum::response::Response;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout};

use super::message;
use super::socket::{Around, End, Socket};
use super::wire::JsonWire;
use crate::connection::{Connections, Slot};
use crate::delivery::Ending;
use crate::gateway::{Admitted, ConnectError, Data, Entry, Gateways, Handshake, Transport};
use crate::telemetry::Limit;

/// The front for gateway clients that speak JSON over WebSocket.
#[derive(Debug, Clone)]
pub struct JsonWs {
    parts: Arc<JsonWsParts>,
}

/// What the front is built from.
#[derive(Debug)]
pub struct JsonWsParts {
    /// The gateways.
    pub gateways: Gateways,
    /// The connections.
    pub connections: Connections,
    /// The port that the front serves; `None` for the server's own.
    pub port: Option<u16>,
}

/// What a client wants to be let in to.
struct Wish {
    namespace: String,
    handshake: Handshake,
}

/// Why a client is not let in: what it is told, and how its connection ends.
struct Refusal {
    message: String,
    ending: Ending,
}

impl JsonWs {
    /// A front over these parts.
    #[must_use]
    pub fn new(parts: JsonWsParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The connections, for taking a [`Slot`] before [`upgrade`](Self::upgrade).
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.parts.connections
    }

    /// Upgrades a request to a client's stay in the namespace that its query names, `/` when it names none.
    ///
    /// Where the client comes from is the request's `ConnectInfo<SocketAddr>`, if it has one.
    #[must_use]
    pub fn upgrade(&self, slot: Slot, upgrade: WebSocketUpgrade, request: &Request) -> Response {
        let Wish { namespace, handshake } = Wish::of(request);
        let max = usize::try_from(self.parts.gateways.config().max_message.as_u64()).unwrap_or(usize::MAX);
        let upgrade = self.parts.connections.bound(upgrade).max_message_size(max).max_frame_size(max);
        let upgrade = Connections::agreed(upgrade, request.headers());
        let front = self.clone();
        // The upgrade task is only the way to the socket; the stay runs as a counted one.
        upgrade.on_upgrade(move |socket| async move {
            let tasks = front.parts.gateways.tasks().clone();
            tasks.spawn(async move {
                front.stay(socket, Wish { namespace, handshake }).await;
                drop(slot);
            });
        })
    }

    async fn stay(&self, socket: WebSocket, wish: Wish) {
        let gateways = &self.parts.gateways;
        let (config, tasks) = (gateways.config(), gateways.tasks());
        let (wire, mut outgoing) = JsonWire::new(config.max_outgoing);
        let mut socket = Socket::new(socket);
        let admitted = tokio::select! {
            biased;
            () = tasks.stopped() => Err(Refusal::from(Ending::ShuttingDown)),
            admitted = timeout(config.connect_within, self.admit(wish, &wire)) => admitted.map_or_else(
                |_late| {
                    gateways.refused(Limit::GatewaysConnectWithin);
                    Err(Ending::Unavailable("it took too long to let the client in".to_owned()).into())
                },
                |admitted| admitted.map_err(Refusal::from),
            ),
        };
        let ending = match admitted {
            Ok(admitted) => {
                let session = admitted.begin();
                let around = Around { session: &session, wire: &wire, config, tasks };
                let End { reason, ending } = socket.carry(&mut outgoing, gateways.inflow(), &around).await;
                session.end(reason);
                if matches!(ending, Some(Ending::TooLarge(_))) {
                    gateways.refused(Limit::GatewaysMaxMessage);
                }
                ending
            }
            Err(Refusal { message, ending }) => {
                socket.say(message::connect_error(&message)).await;
                Some(ending)
            }
        };
        if let Some(ending) = ending {
            socket.close(&ending).await;
        }
    }

    async fn admit(&self, wish: Wish, wire: &Arc<JsonWire>) -> Result<Admitted, ConnectError> {
        let Wish { namespace, handshake } = wish;
        let JsonWsParts { gateways, port, .. } = self.parts.as_ref();
        let at = gateways.entrance_of(&namespace, *port).ok_or(ConnectError::UnknownNamespace)?;
        let entry = Entry { path: &namespace, at: &at, by: Transport::WebSocket, handshake };
        gateways.admit(entry, wire.clone()).await
    }
}

impl Wish {
    /// The query says the namespace; everything else in it is the client's `auth`, each a text and the first of its name.
    fn of(request: &Request) -> Self {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map(|Query(pairs)| pairs);
        let mut namespace = None;
        let mut auth = Map::new();
        for (name, value) in pairs.unwrap_or_default() {
            if name == NAMESPACE {
                namespace.get_or_insert(value);
            } else {
                auth.entry(name).or_insert(Value::String(value));
            }
        }
        let namespace = namespace.unwrap_or_default();
        let handshake = Handshake {
            auth: Data::of_json(&Value::Object(auth).to_string()),
            headers: Arc::new(request.headers().clone()),
            uri: request.uri().clone(),
            address: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address),
            issued: Instant::now(),
        };
        Self { namespace: format!("/{}", namespace.trim_start_matches('/')), handshake }
    }
}

impl From<ConnectError> for Refusal {
    fn from(error: ConnectError) -> Self {
        let message = error.to_string();
        let ending = match error {
            ConnectError::UnknownNamespace => Ending::NotFound(message.clone()),
            ConnectError::Unauthorized(refusal) => refusal.into(),
            ConnectError::Refused(error) if error.is_internal() => Ending::Unavailable(message.clone()),
            ConnectError::Origin | ConnectError::Transport | ConnectError::Refused(_) => {
                Ending::Forbidden(message.clone())
            }
            ConnectError::Full => Ending::Full,
        };
        Self { message, ending }
    }
}

impl From<Ending> for Refusal {
    fn from(ending: Ending) -> Self {
        Self { message: ending.to_string(), ending }
    }
}

/// The parameter of the query that names the namespace.
const NAMESPACE: &str = "namespace";

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn wish(uri: &str) -> (String, String) {
        let wish = Wish::of(&Request::builder().uri(uri).body(Body::empty()).unwrap());
        (wish.namespace, wish.handshake.auth.to_json())
    }

    #[test]
    fn the_query_names_the_namespace_and_carries_the_auth() {
        assert_eq!(wish("/ws"), ("/".to_owned(), "{}".to_owned()));
        let (namespace, auth) = wish("/ws?namespace=%2Fchat&token=a+b%26&token=2&empty&namespace=/other");
        assert_eq!((namespace.as_str(), auth.as_str()), ("/chat", r#"{"empty":"","token":"a b&"}"#));
        assert_eq!(wish("/ws?namespace=chat").0, "/chat");
    }

    #[test]
    fn a_client_that_may_not_come_in_is_told_whether_to_try_again() {
        use crate::connection::Close;
        use crate::gateway::EventError;
        let is_permanent = |error| Close::from(&Refusal::from(error).ending).is_permanent();
        assert!(is_permanent(ConnectError::UnknownNamespace));
        assert!(is_permanent(ConnectError::Origin));
        assert!(is_permanent(ConnectError::Refused(EventError::forbidden())));
        assert!(!is_permanent(ConnectError::Refused(EventError::internal("the database is away"))));
        assert!(!is_permanent(ConnectError::Full));
    }
}
