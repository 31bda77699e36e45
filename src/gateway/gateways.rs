//! All gateways of a server: which namespace belongs to which, and who is let in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use thiserror::Error;
use tokio::sync::OnceCell;
use tower::ServiceExt;

use super::answers::guarded;
use super::client::Client;
use super::config::Config;
use super::definition::{Definition, Gateway};
use super::documents::{Documents, DocumentsParts, Visits};
use super::doorman::Doorman;
use super::error::EventError;
use super::event::{Event, EventKind, Handshake};
use super::inflow::Inflow;
use super::namespace::Namespace;
use super::options::{Options, Origins, Paths, Transports};
use super::rate::AddressRates;
use super::session::Admitted;
use super::wire::Wire;
use crate::auth::Refusal;
use crate::connection::Connections;
use crate::listen::{self, NoPlace};
use crate::shutdown::Tasks;
use crate::telemetry::{Limit, Metrics};

/// All gateways of a server. Cloning gives another handle to the same: for services, HTTP handlers and fronts.
#[derive(Debug, Clone)]
pub struct Gateways {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    definitions: Vec<Arc<Definition>>,
    fixed: HashMap<Arc<str>, (Arc<Definition>, Namespace)>,
    /// The namespaces of gateways that match many, while somebody is in them.
    open: Mutex<HashMap<Arc<str>, Open>>,
    clients: AtomicUsize,
    rates: AddressRates,
    documents: Option<Documents>,
    doorman: Doorman,
    connections: Option<Connections>,
    config: Config,
    tasks: Tasks,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Open {
    namespace: Namespace,
    clients: usize,
    /// Set once the gateway has begun it.
    begun: Arc<OnceCell<()>>,
}

/// A namespace with the gateway that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Mounted {
    gateways: Gateways,
    definition: Arc<Definition>,
    namespace: Namespace,
}

/// Why a client is not let into a namespace. The text is for the client.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No gateway is for this namespace.
    #[error("Invalid namespace")]
    UnknownNamespace,
    /// The page that it comes from may not.
    #[error("Origin not allowed")]
    Origin,
    /// The way that it comes by is not open here.
    #[error("Transport not allowed")]
    Transport,
    /// Its token is none that counts here.
    #[error("{0}")]
    Unauthorized(Refusal),
    /// A guard said no.
    #[error("{0}")]
    Refused(EventError),
    /// There are too many clients.
    #[error("The server is full, try again later")]
    Full,
}

/// A way in to gateways: those that share a port and an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entrance {
    /// The port; `None` for the server's own.
    pub port: Option<u16>,
    /// The address, `/socket.io` for example.
    pub path: String,
}

/// How a client came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// By WebSocket.
    WebSocket,
    /// By HTTP long polling.
    Polling,
}

/// A client that asks to be let in.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The path of the namespace.
    pub path: &'a str,
    /// Where it came in.
    pub at: &'a Entrance,
    /// By which way.
    pub by: Transport,
    /// How it connected.
    pub handshake: Handshake,
}

/// The gateways of a server in the making.
#[derive(Default)]
pub struct GatewaysBuilder {
    gateways: Vec<Definition>,
    documents: Option<DocumentsParts>,
    doorman: Doorman,
    connections: Option<Connections>,
    metrics: Arc<Metrics>,
}

impl std::fmt::Debug for GatewaysBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.gateways).finish()
    }
}

impl GatewaysBuilder {
    /// Adds a gateway. Of two for the same namespace, the later one stays.
    pub fn add<S: Clone + Send + Sync + 'static>(&mut self, gateway: Gateway<S>) {
        let definition = gateway.define();
        self.gateways.retain(|earlier| match (&earlier.paths, &definition.paths) {
            (Paths::Fixed(earlier), Paths::Fixed(path)) => earlier != path,
            _ => true,
        });
        self.gateways.push(definition);
    }

    /// Adds a gateway before all others, so that any other for the same namespace stays in its place.
    pub(crate) fn add_default<S: Clone + Send + Sync + 'static>(&mut self, gateway: Gateway<S>) {
        self.gateways.insert(0, gateway.define());
    }

    /// Ties the topics `doc:<name>` to documents; without it they are topics like others. A server does it by itself.
    pub fn documents(&mut self, parts: DocumentsParts) {
        self.documents = Some(parts);
    }

    /// Has clients asked for the tokens of a server; without it, everybody is let in as far as guards do. A server does it by
    /// itself.
    pub fn doorman(&mut self, doorman: Doorman) {
        self.doorman = doorman;
    }

    /// Has them counted with the metrics of a server. Without it nobody sees how many
    /// there are. A server does it by itself.
    pub fn count_with(&mut self, metrics: Arc<Metrics>) {
        self.metrics = metrics;
    }

    /// Has each connection of a client take a place of its address beside those of a server, `connections.max_per_address`.
    /// Without it an address may have any number. A server does it by itself.
    pub fn beside(&mut self, connections: Connections) {
        self.connections = Some(connections);
    }

    /// Begins all of them.
    pub async fn build(self, config: Config, tasks: Tasks) -> Gateways {
        let mut fixed = HashMap::new();
        let mut definitions = Vec::new();
        for definition in self.gateways {
            let definition = Arc::new(definition);
            if let Paths::Fixed(path) = &definition.paths {
                let namespace = Namespace::new(path, config.max_topics);
                definition.begin(&namespace).await;
                fixed.insert(Arc::clone(path), (Arc::clone(&definition), namespace));
            }
            definitions.push(definition);
        }
        let rates = AddressRates::new(&config);
        let documents = self.documents.map(|parts| Documents::new(parts, tasks.clone()));
        let (open, clients) = (Mutex::default(), AtomicUsize::new(0));
        let (connections, metrics, doorman) = (self.connections, self.metrics, self.doorman);
        let shared = Shared {
            definitions,
            fixed,
            open,
            clients,
            rates,
            documents,
            doorman,
            connections,
            config,
            tasks,
            metrics,
        };
        let gateways = Gateways { shared: Arc::new(shared) };
        gateways.shared.tasks.spawn(gateways.clone().tidy());
        gateways
    }
}

impl Gateways {
    /// The namespace of a path, for services: to send events from anywhere. Those of gateways that match many are there while
    /// somebody is in them.
    #[must_use]
    pub fn of(&self, path: &str) -> Option<Namespace> {
        if let Some((_, namespace)) = self.shared.fixed.get(path) {
            return Some(namespace.clone());
        }
        self.open().get(path).map(|open| open.namespace.clone())
    }

    /// How many clients are in all namespaces together.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.shared.clients.load(Ordering::Relaxed)
    }

    /// How many namespaces there are now.
    #[must_use]
    pub fn namespaces(&self) -> usize {
        self.shared.fixed.len() + self.open().len()
    }

    pub(super) fn doorman(&self) -> &Doorman {
        &self.shared.doorman
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Where tasks are started.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.shared.tasks
    }

    /// Takes a place of a client's address for a connection that is none of the server's WebSockets, until it is dropped.
    ///
    /// # Errors
    /// When the address has as many as it may.
    pub(crate) fn place(&self, client: &listen::Client) -> Result<Option<listen::Place>, NoPlace> {
        self.shared.connections.as_ref().map(|connections| connections.place(client)).transpose()
    }

    /// How fast a connection of a client is to be read.
    pub(crate) fn inflow(&self) -> Inflow {
        let pace = self.shared.connections.as_ref().map(Connections::pace);
        Inflow::new(pace, self.shared.config.ping_timeout, Arc::clone(&self.shared.metrics))
    }

    /// Counts that a client was refused or ended because of a limit.
    pub(crate) fn refused(&self, limit: Limit) {
        self.shared.metrics.refused.count(limit);
    }

    /// The ways in, each once.
    #[must_use]
    pub fn entrances(&self) -> Vec<Entrance> {
        let mut entrances: Vec<_> = self.shared.definitions.iter().map(|one| entrance(&one.options)).collect();
        // Where there is no gateway, clients are told so, and do not try for ever.
        entrances.push(entrance(&Options::default()));
        entrances.sort();
        entrances.dedup();
        entrances
    }

    /// The ports of their own that gateways have, each once.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<_> = self.entrances().iter().filter_map(|entrance| entrance.port).collect();
        ports.dedup();
        ports
    }

    /// The way in to a namespace by a port, for wires that have one address for all; `None` when there is none.
    #[must_use]
    pub fn entrance_of(&self, namespace: &str, port: Option<u16>) -> Option<Entrance> {
        let mut by_port = self.entrances().into_iter().filter(|entrance| entrance.port == port);
        by_port.find(|entrance| self.find(namespace, entrance).is_some())
    }

    /// Which transports are open at an entrance: those of any of its gateways.
    #[must_use]
    pub fn transports(&self, at: &Entrance) -> Transports {
        let there = self.shared.definitions.iter().filter(|one| entrance(&one.options) == *at);
        there.fold(Transports { websocket: false, polling: false }, |all, one| Transports {
            websocket: all.websocket || one.options.transports.websocket,
            polling: all.polling || one.options.transports.polling,
        })
    }

    /// From which pages browsers may come to an entrance: those of any of its gateways.
    #[must_use]
    pub fn origins(&self, at: &Entrance) -> Vec<Origins> {
        let there = self.shared.definitions.iter().filter(|one| entrance(&one.options) == *at);
        let of_server = || self.shared.doorman.origins.clone();
        let origins: Vec<_> = there
            .map(|one| if one.options.origins == Origins::Same { of_server() } else { one.options.origins.clone() })
            .collect();
        if origins.is_empty() { vec![of_server()] } else { origins }
    }

    /// Lets a client into a namespace, if its guards do.
    ///
    /// # Errors
    /// When there is no such namespace, or the client may not enter.
    pub async fn admit(&self, entry: Entry<'_>, wire: Arc<dyn Wire>) -> Result<Admitted, ConnectError> {
        let Entry { path, at, by, handshake } = entry;
        let (definition, fixed) = self.find(path, at).ok_or(ConnectError::UnknownNamespace)?;
        let options = &definition.options;
        if !self.allows_origin(options, &handshake.headers) {
            return Err(ConnectError::Origin);
        }
        let is_open = match by {
            Transport::WebSocket => options.transports.websocket,
            Transport::Polling => options.transports.polling,
        };
        if !is_open {
            return Err(ConnectError::Transport);
        }
        let (namespace, begun) = match fixed {
            Some(namespace) => (namespace, None),
            None => self.enter_matched(path),
        };
        let place = Place(Mounted { gateways: self.clone(), definition, namespace });
        self.shared.metrics.gateway_clients.increment(1);
        if self.shared.clients.fetch_add(1, Ordering::Relaxed) >= self.shared.config.max_open {
            self.refused(Limit::GatewaysMaxOpen);
            return Err(ConnectError::Full);
        }
        if let Some(begun) = begun {
            let Mounted { definition, namespace, .. } = &place.0;
            begun.get_or_init(|| definition.begin(namespace)).await;
        }
        let leave = self.shared.doorman.look_at(&handshake).await.map_err(ConnectError::Unauthorized)?;
        let visits = Visits::new(self.shared.documents.clone());
        let client = Client::new(self.clone(), place.0.namespace.clone(), handshake, wire, (visits, leave));
        let event = Event::of_kind(client.clone(), EventKind::Connect);
        let outcome = guarded(place.0.definition.connect().oneshot(event)).await.and_then(|outcome| outcome);
        if let Err(error) = outcome {
            if let Some(source) = error.source_text() {
                tracing::error!(namespace = path, error = source, "a guard failed while a client connected");
            }
            return Err(ConnectError::Refused(error));
        }
        self.shared.doorman.seat(&client, client.leave_to_stay());
        Ok(Admitted::new(client, place))
    }

    /// A gateway that says nothing about origins takes those of the server.
    fn allows_origin(&self, options: &Options, headers: &HeaderMap) -> bool {
        let is_own = options.origins == Origins::Same && self.shared.doorman.origins.allow(headers);
        is_own || options.origins.allow(headers)
    }

    fn find(&self, path: &str, at: &Entrance) -> Option<(Arc<Definition>, Option<Namespace>)> {
        if let Some((definition, namespace)) = self.shared.fixed.get(path) {
            let is_here = entrance(&definition.options) == *at;
            return is_here.then(|| (Arc::clone(definition), Some(namespace.clone())));
        }
        let matching = self.shared.definitions.iter().find(|one| match &one.paths {
            Paths::Fixed(_) => false,
            Paths::Matching(matches) => entrance(&one.options) == *at && matches(path),
        });
        matching.map(|definition| (Arc::clone(definition), None))
    }

    fn enter_matched(&self, path: &str) -> (Namespace, Option<Arc<OnceCell<()>>>) {
        let new =
            || Open { namespace: Namespace::new(path, self.config().max_topics), clients: 0, begun: Arc::default() };
        let mut open = self.open();
        let entry = open.entry(path.into()).or_insert_with(new);
        entry.clients += 1;
        (entry.namespace.clone(), Some(Arc::clone(&entry.begun)))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Arc<str>, Open>> {
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tidy(self) {
        loop {
            tokio::select! {
                () = self.shared.tasks.stopped() => return,
                () = tokio::time::sleep(TIDY_EVERY) => self.shared.rates.tidy(),
            }
        }
    }
}

impl Mounted {
    pub(super) fn definition(&self) -> &Definition {
        &self.definition
    }

    pub(super) fn config(&self) -> &Config {
        self.gateways.config()
    }

    pub(super) fn tasks(&self) -> &Tasks {
        self.gateways.tasks()
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.gateways.shared.metrics
    }

    pub(super) fn address_rates(&self) -> &AddressRates {
        &self.gateways.shared.rates
    }
}

/// A client's place, counted until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Mounted);

impl Place {
    pub(super) const fn mounted(&self) -> &Mounted {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Mounted { gateways, namespace, .. } = &self.0;
        gateways.shared.clients.fetch_sub(1, Ordering::Relaxed);
        gateways.shared.metrics.gateway_clients.decrement(1);
        let mut open = gateways.open();
        if let Some(entry) = open.get_mut(namespace.path()) {
            entry.clients -= 1;
            if entry.clients == 0 {
                open.remove(namespace.path());
            }
        }
    }
}

fn entrance(options: &Options) -> Entrance {
    let path = if options.path.is_empty() { DEFAULT_PATH } else { &options.path };
    Entrance { port: options.port, path: path.to_owned() }
}

/// Where Socket.IO is spoken unless a gateway says otherwise; the default of its clients.
const DEFAULT_PATH: &str = "/socket.io";
const TIDY_EVERY: Duration = Duration::from_mins(1);
