//! A server behind closed doors: it has a store open and listens nowhere.

use axum::body::Body;
use axum::http::{Request, Response};
use tower::ServiceExt;

use super::{Core, Server, StartError, StopError};
use crate::access::Role;
use crate::auth::Access;
use crate::config::Config;
use crate::gateway::GatewaysBuilder;
use crate::{storage, webhooks};

/// What answers the commands of an operator when no server has the store open: the same parts, asked directly.
#[derive(Debug)]
pub struct Desk(Server);

impl Desk {
    /// Opens the store that the settings describe.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        let store = storage::open(&config.store)?;
        // A command speaks for the operator.
        let webhooks = webhooks::Config::default();
        let quiet = Config { webhooks, ..config.clone() };
        let core = Core::new(&quiet, store, (Access::everyone(Role::Admin), Vec::new()))?;
        let gateways = GatewaysBuilder::default().build(config.gateways.clone(), core.tasks.clone()).await;
        Ok(Self(Server::assemble(config, core, gateways)?))
    }

    /// Answers a request as the control socket of a running server would.
    pub async fn ask(&self, request: Request<Body>) -> Response<Body> {
        match self.0.control_routes.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Saves what is not saved and closes the store.
    ///
    /// # Errors
    /// When something could not be saved.
    pub async fn close(self) -> Result<(), StopError> {
        self.0.drain().await
    }
}
