//! A server put together from its settings and what a program brings of its own.

use std::sync::Arc;

use super::{Given, Server, StartError};
use crate::auth::Authenticator;
use crate::config::Config;
use crate::gateway::GatewaysBuilder;
use crate::hooks::Hooks;

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
    given: Given,
}

impl ServerBuilder {
    pub(super) fn new(config: Config) -> Self {
        Self { config, gateways: GatewaysBuilder::default(), given: Given::default() }
    }

    /// Serves these gateways too.
    pub fn gateways(mut self, gateways: GatewaysBuilder) -> Self {
        self.gateways = gateways;
        self
    }

    /// Calls this hook too, after those that were given before. A program that keeps a hold of it gives an `Arc`.
    pub fn hook(mut self, hook: impl Hooks) -> Self {
        self.given.hooks.push(Arc::new(hook));
        self
    }

    /// Has this found out who somebody is, in the place of `access.auth`.
    ///
    /// ```no_run
    /// use std::sync::Arc;
    ///
    /// use async_trait::async_trait;
    /// use ydock::access::{Pass, Role};
    /// use ydock::auth::{Asked, Authenticator, Refusal};
    ///
    /// #[derive(Debug)]
    /// struct Magic;
    ///
    /// #[async_trait]
    /// impl Authenticator for Magic {
    ///     async fn authenticate(&self, asked: &Asked<'_>) -> Result<Pass, Refusal> {
    ///         match asked.token {
    ///             Some("please") => Ok(Pass { user: Some(Arc::from("guest")), ..Pass::everyone(Role::Edit) }),
    ///             Some(_) => Err(Refusal::Invalid("that is not the magic word")),
    ///             None => Err(Refusal::NoToken),
    ///         }
    ///     }
    /// }
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = ydock::Server::builder(ydock::config::Config::default()).authenticator(Magic).bind().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.given.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Opens the store and listens. Connections wait until [`Server::run`].
    ///
    /// # Errors
    /// When the settings contradict each other, the certificate cannot be used, an address is taken or the store cannot be
    /// opened.
    pub async fn bind(self) -> Result<Server, StartError> {
        Server::bind_parts(self.config, self.gateways, self.given).await
    }
}
