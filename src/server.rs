//! The composition root: builds the parts once, listens, and drains.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use crate::access::Grant;
use crate::config::{Config, Contradiction};
use crate::connection::Connections;
use crate::doc_rooms::{Rooms, RoomsParts};
use crate::fronts::json_ws::{JsonWs, JsonWsParts};
use crate::fronts::y_websocket::{YWebSocket, YWebSocketParts};
use crate::gateway::{self, GatewaysBuilder};
use crate::http::{self, App};
use crate::ids::DocName;
use crate::materialise::{InProcess, Materialiser, WorkerPool};
use crate::shutdown::Tasks;
use crate::storage::{self, Store, StoreError};
use crate::telemetry::Metrics;

/// A server that listens and has not been started.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ydock::config::Config { listen: "127.0.0.1:0".parse()?, ..Default::default() };
/// let server = ydock::Server::bind(config).await?;
/// println!("listening on http://{}", server.local_addr());
/// server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    routes: Router,
    config: Config,
    rooms: Rooms,
    store: Arc<dyn Store>,
    materialiser: Arc<dyn Materialiser>,
    tasks: Tasks,
}

/// Why a server did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}, choose another address with --listen: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The settings do not go together.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
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
    /// When the settings contradict each other, the address is taken or the store cannot be opened.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let listen = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let store = storage::open(&config.store)?;
        Ok(Self::assemble(config, store, listener, address).await)
    }

    async fn assemble(config: Config, store: Arc<dyn Store>, listener: TcpListener, address: SocketAddr) -> Self {
        let tasks = Tasks::new();
        let metrics = Arc::new(Metrics::new());
        let max_update = config.store.max_update.as_u64();
        let materialiser: Arc<dyn Materialiser> = if config.exports.in_process {
            Arc::new(InProcess::start(&config.exports, tasks.tracker()))
        } else {
            Arc::new(WorkerPool::start(config.exports.clone(), tasks.tracker()))
        };
        let rooms = Rooms::new(RoomsParts {
            store: Arc::clone(&store),
            config: config.rooms.clone(),
            max_update,
            tasks: tasks.clone(),
            metrics: Arc::clone(&metrics),
        });
        let connections = Connections::new(config.connections.clone(), tasks.clone(), Arc::clone(&metrics));
        let gateways = GatewaysBuilder::default().build(gateway::Config::default(), tasks.clone()).await;
        let json_ws = JsonWs::new(JsonWsParts { gateways, connections: connections.clone(), port: None });
        let grant = Grant::of(config.access.everyone);
        let y_websocket = YWebSocket::new(YWebSocketParts {
            rooms: rooms.clone(),
            connections,
            delivery: config.delivery.clone(),
            grant,
        });
        let app = App {
            rooms: rooms.clone(),
            store: Arc::clone(&store),
            materialiser: Arc::clone(&materialiser),
            y_websocket,
            json_ws,
            grant,
            metrics,
            tasks: tasks.clone(),
            max_update: usize::try_from(max_update).unwrap_or(usize::MAX),
            demo: config.http.demo,
            run: uuid::Uuid::new_v4(),
        };
        Self { listener, address, routes: http::routes(app), config, rooms, store, materialiser, tasks }
    }

    /// The address that the server listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` resolves, then drains: ends sessions, saves what is not saved, closes the store.
    ///
    /// # Errors
    /// When something could not be saved within the configured time.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), StopError> {
        tokio::select! {
            () = self.accept() => {}
            () = stop => {}
        }
        self.drain().await
    }

    async fn accept(&self) {
        let open = Arc::new(Semaphore::new(self.config.http.max_open));
        loop {
            let Ok(place) = Arc::clone(&open).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, peer)) => self.serve(stream, peer, place),
                Err(error) => {
                    // Out of file descriptors, or a connection that was gone before it was accepted.
                    tracing::warn!(error = %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        // Small frames must not wait for each other.
        let _peer_is_gone = stream.set_nodelay(true).is_err();
        let routes = self.routes.clone();
        let tasks = self.tasks.clone();
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.config.http.head_within);
        self.tasks.spawn(async move {
            let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(peer));
                routes.clone().oneshot(request)
            });
            let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
            tokio::pin!(connection);
            let outcome = tokio::select! {
                outcome = &mut connection => outcome,
                () = tasks.stopped() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = outcome {
                tracing::debug!(error = %error, "an HTTP connection ended early");
            }
            drop(place);
        });
    }

    async fn drain(self) -> Result<(), StopError> {
        tracing::info!("stopping: sessions end, rooms save");
        drop(self.listener);
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

fn list(names: &[DocName]) -> String {
    let shown: Vec<_> = names.iter().take(SHOWN_NAMES).map(|name| format!("{name:?}")).collect();
    let more = if names.len() > SHOWN_NAMES { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const SHOWN_NAMES: usize = 20;
