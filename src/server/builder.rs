//! A server put together from its settings and what a program brings of its own.

use std::sync::Arc;

use super::{Server, StartError};
use crate::config::Config;
use crate::gateway::GatewaysBuilder;
use crate::hooks::{HookChain, Hooks};

/// A server that is being put together.
///
/// ```no_run
/// use async_trait::async_trait;
/// use ydock::DocName;
/// use ydock::gateway::{Gateway, GatewaysBuilder};
/// use ydock::hooks::Hooks;
///
/// struct Closing;
///
/// #[async_trait]
/// impl Hooks for Closing {
///     async fn unload(&self, doc: &DocName) {
///         println!("nobody has {doc} open any more");
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut gateways = GatewaysBuilder::default();
/// gateways.add(Gateway::new("/status").on("ping", async || "pong"));
/// let config = ydock::config::Config::default();
/// let server = ydock::Server::builder(config).gateways(gateways).hook(Closing).bind().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until `bind` is called"]
pub struct ServerBuilder {
    config: Config,
    gateways: GatewaysBuilder,
    hooks: Vec<Arc<dyn Hooks>>,
}

impl ServerBuilder {
    pub(super) fn new(config: Config) -> Self {
        Self { config, gateways: GatewaysBuilder::default(), hooks: Vec::new() }
    }

    /// Serves these gateways too.
    pub fn gateways(mut self, gateways: GatewaysBuilder) -> Self {
        self.gateways = gateways;
        self
    }

    /// Calls this hook too, after those that were given before. A program that keeps a hold of it gives an `Arc`.
    pub fn hook(mut self, hook: impl Hooks) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Opens the store and listens. Connections wait until [`Server::run`].
    ///
    /// # Errors
    /// When the settings contradict each other, the certificate cannot be used, an address is taken or the store cannot be
    /// opened.
    pub async fn bind(self) -> Result<Server, StartError> {
        let hooks = HookChain::new(self.hooks, &self.config.hooks);
        Server::bind_parts(self.config, self.gateways, hooks).await
    }
}
