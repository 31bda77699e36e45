//! The composition root: builds the parts once, listens, and drains.

mod accept;
mod builder;
mod certificate;
mod desk;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use thiserror::Error;
use tokio_rustls::rustls;

use crate::auth::{Access, AccessError, Authenticator};
use crate::config::{Config, Contradiction};
use crate::connection::{Connections, Sessions};
use crate::doc_rooms::{Rooms, RoomsParts};
use crate::fronts::hocuspocus::{Hocuspocus, HocuspocusParts};
use crate::fronts::json_ws::{JsonWs, JsonWsParts};
use crate::fronts::y_socket_io::{self, YSocketIoParts};
use crate::fronts::y_websocket::{YWebSocket, YWebSocketParts};
use crate::gateway::{DocumentsParts, Doorman, Gateways, GatewaysBuilder, Origins, built_in};
use crate::hooks::{BoundIdentity, HookChain, Hooks};
use crate::http::control::{Control, ControlSocket, Place, control_routes};
use crate::http::{self, App};
use crate::ids::DocName;
use crate::listen::{Address, ListenError, Listener};
use crate::materialise::{InProcess, Materialiser, WorkerPool};
use crate::shutdown::Tasks;
use crate::storage::{self, DataFormat, Store, StoreError, StoreKind};
use crate::telemetry::Metrics;
use crate::tls::{Acceptor, PairError};
use crate::webhooks::{Webhooks, WebhooksError};

use accept::Door;
use certificate::Renewal;

pub use builder::ServerBuilder;
pub use desk::Desk;

/// A server that listens and has not been started.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ydock::config::Config { listen: "127.0.0.1:0".parse()?, ..Default::default() };
/// let server = ydock::Server::bind(config).await?;
/// println!("listening on {}", server.origin());
/// server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    doors: Vec<Door>,
    control: Option<ControlSocket>,
    routes: Router,
    control_routes: Router,
    address: Address,
    tls: Option<Acceptor>,
    renewal: Option<Renewal>,
    gateways: Gateways,
    config: Config,
    rooms: Rooms,
    store: Arc<dyn Store>,
    materialiser: Arc<dyn Materialiser>,
    metrics: Arc<Metrics>,
    tasks: Tasks,
}

/// Why a server did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}, choose another address with --listen")]
    Listen {
        /// The address.
        address: Address,
        /// What is in the way.
        source: ListenError,
    },
    /// A gateway has a port of its own, and the server no IP address.
    #[error("a gateway has port {port} of its own, and a server on a unix socket has no ports")]
    PortBesideSocket {
        /// The port.
        port: u16,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Certificate(#[from] PairError),
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// The settings do not go together.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// It cannot be found out who somebody is.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Events cannot be sent.
    #[error(transparent)]
    Webhooks(#[from] WebhooksError),
    /// The store cannot be opened.
    #[error("cannot open the store")]
    Store(#[from] StoreError),
}

/// Why a server did not stop in order.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StopError {
    /// Some documents hold updates that were not saved in time. None of them was acknowledged.
    #[error("{} document(s) hold updates that could not be saved: {}", .0.len(), list(.0))]
    Unsaved(Vec<DocName>),
    /// The store could not be closed.
    #[error("the store could not be closed")]
    Store(#[from] StoreError),
}

impl Server {
    /// Opens the store and listens. Connections wait until [`run`](Self::run).
    ///
    /// # Errors
    /// When the settings contradict each other, the certificate cannot be used, the address is taken or the store cannot be
    /// opened.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        Self::builder(config).bind().await
    }

    /// The same with gateways of your own.
    ///
    /// ```no_run
    /// use ydock::gateway::{Gateway, GatewaysBuilder};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut gateways = GatewaysBuilder::default();
    /// gateways.add(Gateway::new("/status").on("ping", async || "pong"));
    /// let server = ydock::Server::bind_with(ydock::config::Config::default(), gateways).await?;
    /// let status = server.gateways().of("/status").expect("it was just added");
    /// status.emit("up", &true)?; // from here, from an HTTP handler, from anywhere
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`bind`](Self::bind), and when a gateway's own port is taken.
    pub async fn bind_with(config: Config, gateways: GatewaysBuilder) -> Result<Self, StartError> {
        Self::builder(config).gateways(gateways).bind().await
    }

    /// A server with parts of your own, of which each may be left out.
    pub fn builder(config: Config) -> ServerBuilder {
        ServerBuilder::new(config)
    }

    async fn bind_parts(config: Config, mut gateways: GatewaysBuilder, given: Given) -> Result<Self, StartError> {
        let Given { hooks, authenticator } = given;
        let asks = authenticator.is_some();
        Config { allow_open: config.allow_open || asks, ..config.clone() }.check()?;
        if config.gateways.built_in {
            gateways.add_default(built_in::chat(built_in::has_token));
            gateways.add_default(built_in::events(EVENT_EVERY));
        }
        let (tls, renewal) = certificate::read(&config.tls)?.unzip();
        let own = listen(&config.listen)?;
        let store = storage::open(&config.store)?;
        let access = access(&config, authenticator)?;
        let core = Core::new(&config, store, (access, hooks))?;
        core.tie(&mut gateways, &config);
        let gateways = gateways.build(config.gateways.clone(), core.tasks.clone()).await;
        let mut doors = Vec::new();
        for port in gateways.ports() {
            // What has begun for the gateways ends with them.
            let listener = listen_beside(&own, port).inspect_err(|_| core.tasks.stop())?;
            let json_ws = core.json_ws(&gateways, Some(port));
            let routes = http::gateway_routes(&gateways, json_ws, Some(port));
            doors.push(Door { listener, routes: http::behind_edge(routes, &config.http, &core.metrics) });
        }
        let mut server = Self::assemble(config, core, gateways)?;
        server.address = own.address().clone();
        doors.push(Door { listener: own, routes: std::mem::take(&mut server.routes) });
        (server.doors, server.tls, server.renewal) = (doors, tls, renewal);
        server.control = control_socket(&server.config.store);
        Ok(server)
    }

    fn assemble(config: Config, core: Core, gateways: Gateways) -> Result<Self, StartError> {
        let json_ws = core.json_ws(&gateways, None);
        let Core { store, rooms, access, sessions, origins, webhooks, metrics, tasks, connections } = core;
        let max_update = config.store.max_update.as_u64();
        let materialiser: Arc<dyn Materialiser> = if config.exports.in_process {
            Arc::new(InProcess::start(&config.exports, tasks.tracker()))
        } else {
            Arc::new(WorkerPool::start(config.exports.clone(), tasks.tracker()))
        };
        let hocuspocus = Hocuspocus::new(HocuspocusParts {
            rooms: rooms.clone(),
            connections: connections.clone(),
            delivery: config.delivery.clone(),
            access: access.clone(),
            sessions: sessions.clone(),
            enter_within: config.connections.enter_within,
            max_documents: config.connections.max_documents,
        });
        let y_websocket = YWebSocket::new(YWebSocketParts {
            rooms: rooms.clone(),
            connections,
            delivery: config.delivery.clone(),
            access: access.clone(),
            sessions: sessions.clone(),
        });
        let app = App {
            rooms: rooms.clone(),
            store: Arc::clone(&store),
            materialiser: Arc::clone(&materialiser),
            y_websocket,
            hocuspocus,
            json_ws,
            access,
            sessions,
            origins,
            metrics: Arc::clone(&metrics),
            tasks: tasks.clone(),
            max_update: usize::try_from(max_update).unwrap_or(usize::MAX),
            demo: config.http.demo,
            run: uuid::Uuid::new_v4(),
            gateways: gateways.clone(),
            webhooks,
        };
        let control_routes = control_routes(Control { app: app.clone(), place: place(&config.store)? });
        let routes = http::behind_edge(http::routes(app), &config.http, &metrics);
        Ok(Self {
            doors: Vec::new(),
            control: None,
            routes,
            control_routes,
            address: config.listen.clone(),
            tls: None,
            renewal: None,
            gateways,
            config,
            rooms,
            store,
            materialiser,
            metrics,
            tasks,
        })
    }

    /// The gateways: a way to send events to their clients from anywhere.
    #[must_use]
    pub const fn gateways(&self) -> &Gateways {
        &self.gateways
    }

    /// The documents: a way to read, change and tell of them from anywhere.
    #[must_use]
    pub const fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// The address that the server listens on, with the port that was free.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Where clients find the server: `http://127.0.0.1:1234`, `https://…` over TLS, or `unix:PATH`.
    #[must_use]
    pub fn origin(&self) -> String {
        match (&self.address, &self.tls) {
            (Address::Tcp(address), None) => format!("http://{address}"),
            (Address::Tcp(address), Some(_)) => format!("https://{address}"),
            (Address::Unix(_), None) => self.address.to_string(),
            (Address::Unix(_), Some(_)) => format!("{} (TLS)", self.address),
        }
    }

    /// Serves until `stop` resolves, then drains: ends sessions, saves what is not saved, closes the store.
    ///
    /// # Errors
    /// When something could not be saved within the configured time.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), StopError> {
        if let Some(renewal) = self.renewal.take() {
            self.tasks.spawn(renewal.run(self.tasks.clone()));
        }
        tokio::select! {
            () = self.accept() => {}
            () = stop => {}
        }
        self.drain().await
    }

    async fn drain(self) -> Result<(), StopError> {
        tracing::info!("stopping: sessions end, rooms save");
        drop((self.doors, self.control));
        self.tasks.stop();
        let materialiser = Arc::clone(&self.materialiser);
        let (drained, ()) = tokio::join!(self.tasks.drain(self.config.stop_within), materialiser.close());
        if !drained {
            let unsaved = self.rooms.unsaved();
            if !unsaved.is_empty() {
                return Err(StopError::Unsaved(unsaved));
            }
            tracing::warn!(tasks = self.tasks.len(), "some tasks did not end in time; nothing of theirs was unsaved");
        }
        Ok(self.store.close().await?)
    }
}

/// What everything else is built on.
#[derive(Debug)]
struct Core {
    store: Arc<dyn Store>,
    rooms: Rooms,
    access: Access,
    sessions: Sessions,
    origins: Origins,
    webhooks: Option<Webhooks>,
    metrics: Arc<Metrics>,
    tasks: Tasks,
    connections: Connections,
}

/// What a program brings of its own, beside gateways.
#[derive(Default)]
struct Given {
    hooks: Vec<Arc<dyn Hooks>>,
    authenticator: Option<Arc<dyn Authenticator>>,
}

impl Core {
    fn new(
        config: &Config,
        store: Arc<dyn Store>,
        (access, mut hooks): (Access, Vec<Arc<dyn Hooks>>),
    ) -> Result<Self, StartError> {
        let (tasks, metrics) = (Tasks::new(), Arc::new(Metrics::new()));
        access.count_with(Arc::clone(&metrics));
        let webhooks = Webhooks::start(&config.webhooks, directory(config), &tasks, &metrics)?;
        if config.access.bind_presence {
            hooks.push(Arc::new(BoundIdentity));
        }
        // Last, so that it tells of what the others have let in.
        hooks.extend(webhooks.clone().map(|webhooks| Arc::new(webhooks) as Arc<dyn Hooks>));
        let hooks = HookChain::new(hooks, &config.hooks);
        hooks.count_with(Arc::clone(&metrics));
        let rooms = Rooms::new(RoomsParts {
            store: Arc::clone(&store),
            config: config.rooms.clone(),
            max_update: config.store.max_update.as_u64(),
            hooks,
            tasks: tasks.clone(),
            metrics: Arc::clone(&metrics),
        });
        let connections = Connections::new(config.connections.clone(), tasks.clone(), Arc::clone(&metrics));
        let (sessions, origins) = (Sessions::default(), Origins::of(&config.access.origins));
        tasks.spawn(sessions.clone().watch_expiries(tasks.clone()));
        tasks.spawn(access.clone().keep_keys(tasks.clone()));
        Ok(Self { store, rooms, access, sessions, origins, webhooks, metrics, tasks, connections })
    }

    fn json_ws(&self, gateways: &Gateways, port: Option<u16>) -> JsonWs {
        JsonWs::new(JsonWsParts { gateways: gateways.clone(), connections: self.connections.clone(), port })
    }

    /// Ties gateways to the documents: their topics, and the namespaces of y-socket.io clients.
    fn tie(&self, gateways: &mut GatewaysBuilder, config: &Config) {
        gateways.count_with(Arc::clone(&self.metrics));
        gateways.doorman(Doorman {
            access: self.access.clone(),
            sessions: self.sessions.clone(),
            origins: self.origins.clone(),
        });
        gateways.beside(self.connections.clone());
        gateways.documents(DocumentsParts {
            rooms: self.rooms.clone(),
            delivery: config.delivery.clone(),
            expiry: config.rooms.awareness.expiry,
        });
        gateways.add(y_socket_io::gateway(YSocketIoParts {
            rooms: self.rooms.clone(),
            access: self.access.clone(),
            sessions: self.sessions.clone(),
            delivery: config.delivery.clone(),
            tasks: self.tasks.clone(),
        }));
    }
}

/// Who may do what; what was taken back is kept beside the documents.
fn access(config: &Config, authenticator: Option<Arc<dyn Authenticator>>) -> Result<Access, AccessError> {
    match authenticator {
        Some(authenticator) => Access::by(authenticator, &config.access, directory(config)),
        None => Access::of(&config.access, directory(config)),
    }
}

/// The data directory; a store in memory has none.
fn directory(config: &Config) -> Option<&Path> {
    (config.store.kind != StoreKind::Memory).then_some(config.store.data.as_path())
}

/// Where the store lies. One in memory lies nowhere and has no format.
fn place(config: &storage::Config) -> Result<Place, StoreError> {
    if config.kind == StoreKind::Memory {
        return Ok(Place { kind: config.kind, directory: PathBuf::new(), format: 0 });
    }
    let format = DataFormat::of(&config.data)?.map_or(0, |format| format.format);
    let directory = std::path::absolute(&config.data).unwrap_or_else(|_| config.data.clone());
    Ok(Place { kind: config.kind, directory, format })
}

/// Listens for commands beside a store on disk. A server without such a socket does everything else.
fn control_socket(config: &storage::Config) -> Option<ControlSocket> {
    if config.kind == StoreKind::Memory {
        return None;
    }
    let bound = ControlSocket::bind(&config.data);
    bound
        .inspect_err(|error| tracing::warn!(error = %error, "commands cannot reach this server, there is no socket"))
        .ok()
}

fn listen(address: &Address) -> Result<Listener, StartError> {
    Listener::bind(address).map_err(|source| StartError::Listen { address: address.clone(), source })
}

/// Listens on a gateway's own port, at the IP address of the server.
fn listen_beside(own: &Listener, port: u16) -> Result<Listener, StartError> {
    let address = own.address().tcp().ok_or(StartError::PortBesideSocket { port })?;
    listen(&Address::Tcp(SocketAddr::new(address.ip(), port)))
}

fn list(names: &[DocName]) -> String {
    let shown: Vec<_> = names.iter().take(SHOWN_NAMES).map(|name| format!("{name:?}")).collect();
    let more = if names.len() > SHOWN_NAMES { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// How often the built-in `/events` gives the next answer of its stream.
const EVENT_EVERY: Duration = Duration::from_secs(1);
const SHOWN_NAMES: usize = 20;
