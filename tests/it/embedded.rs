//! A server inside the process of its test, with what the test's program brings of its own.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use ydock::config::Config;
use ydock::doc_rooms::Rooms;
use ydock::storage::{self, StoreKind};
use ydock::{Server, ServerBuilder, StopError};

/// A running server that keeps its documents in memory, and rooms open for a moment only.
pub(crate) struct Embedded {
    pub(crate) rooms: Rooms,
    address: String,
    stop: oneshot::Sender<()>,
    running: JoinSet<Result<(), StopError>>,
}

impl Embedded {
    pub(crate) async fn start(build: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        Self::start_within(Duration::from_millis(200), build).await
    }

    /// The same, with hooks that may take so long.
    pub(crate) async fn start_within(timeout: Duration, build: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let store = storage::Config { kind: StoreKind::Memory, ..storage::Config::default() };
        let mut config = Config { listen: "127.0.0.1:0".parse().unwrap(), store, ..Config::default() };
        config.rooms.idle_after = Duration::from_millis(50);
        config.hooks.timeout = timeout;
        let server = build(Server::builder(config)).bind().await.unwrap();
        let (rooms, address) = (server.rooms().clone(), server.address().to_string());
        let (stop, stopped) = oneshot::channel();
        let mut running = JoinSet::new();
        running.spawn(server.run(async move { stopped.await.unwrap_or_default() }));
        Self { rooms, address, stop, running }
    }

    /// The address of a document for y-websocket clients.
    pub(crate) fn ws(&self, doc: &str) -> String {
        format!("ws://{}/yjs/{doc}", self.address)
    }

    /// The address for Hocuspocus providers.
    pub(crate) fn hocuspocus(&self, query: &str) -> String {
        format!("ws://{}/hocuspocus{query}", self.address)
    }

    pub(crate) fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many updates a document has, over HTTP.
    pub(crate) async fn updates(&self, doc: &str) -> Option<u64> {
        let response = reqwest::get(self.http(&format!("/api/docs/{doc}"))).await.unwrap();
        let found: serde_json::Value = response.json().await.unwrap();
        found.get("updates").and_then(serde_json::Value::as_u64)
    }

    /// Stops it and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.stop.send(()).unwrap();
        self.running.join_next().await.unwrap().unwrap().unwrap();
    }
}
