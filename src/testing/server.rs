//! Gateways that run in a test.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::client::Connecting;
use crate::gateway::{Config, Gateway, Gateways, GatewaysBuilder, Namespace, Work};
use crate::shutdown::Tasks;

/// Gateways that run in a test; see [`testing`](super) for an example.
#[derive(Debug)]
pub struct TestServer {
    gateways: Gateways,
    tasks: Tasks,
    works: Works,
}

/// What is to be done for each client that ever came.
#[derive(Debug, Clone, Default)]
pub(super) struct Works {
    all: Arc<Mutex<Vec<Work>>>,
}

impl TestServer {
    /// A server with one gateway and the settings of [`Config::default`].
    pub async fn of<S: Clone + Send + Sync + 'static>(gateway: Gateway<S>) -> Self {
        Self::with(gateway, Config::default()).await
    }

    /// A server with one gateway and other settings.
    pub async fn with<S: Clone + Send + Sync + 'static>(gateway: Gateway<S>, config: Config) -> Self {
        let mut builder = GatewaysBuilder::default();
        builder.add(gateway);
        Self::start(builder, config).await
    }

    /// A server with any number of gateways.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use ydock::gateway::{Config, Gateway, GatewaysBuilder};
    /// use ydock::testing::TestServer;
    ///
    /// let mut gateways = GatewaysBuilder::default();
    /// gateways.add(Gateway::new("/chat"));
    /// gateways.add(Gateway::new("/news"));
    /// let server = TestServer::start(gateways, Config { max_topics: 2, ..Config::default() }).await;
    /// assert_eq!(server.gateways().namespaces(), 2);
    /// # }
    /// ```
    pub async fn start(gateways: GatewaysBuilder, config: Config) -> Self {
        let tasks = Tasks::new();
        let gateways = gateways.build(config, tasks.clone()).await;
        Self { gateways, tasks, works: Works::default() }
    }

    /// A client that is about to connect to a namespace.
    pub fn client(&self, namespace: &str) -> Connecting<'_> {
        Connecting::new(self, namespace)
    }

    /// The gateways, as services and HTTP handlers have them.
    #[must_use]
    pub const fn gateways(&self) -> &Gateways {
        &self.gateways
    }

    /// A namespace, as services have it; `None` when there is none.
    #[must_use]
    pub fn namespace(&self, path: &str) -> Option<Namespace> {
        self.gateways.of(path)
    }

    /// How many clients are in all namespaces together.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.gateways.clients()
    }

    /// Stops as a server does: every client is sent away and everything ends. Says whether it did within `limit`.
    pub async fn stop(&self, limit: Duration) -> bool {
        self.tasks.stop();
        self.tasks.drain(limit).await
    }

    pub(super) const fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub(super) fn works(&self) -> Works {
        self.works.clone()
    }
}

impl Works {
    pub(super) fn add(&self, work: &Work) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(work.clone());
    }

    pub(super) fn all(&self) -> Vec<Work> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}
