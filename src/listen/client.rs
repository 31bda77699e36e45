//! Who a request comes from: an address, and what the connection holds that it came by.

use std::any::Any;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::Extensions;

/// Who a request comes from.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// The address, if it has one: of its `ConnectInfo<SocketAddr>`, with a server the word of trusted proxies for it.
    pub address: Option<IpAddr>,
    /// What its connection holds. Who keeps the connection when it turns into something else keeps this.
    pub held: Option<Held>,
}

/// What a connection holds as long as it is there: places among others. A clone is the same.
#[derive(Clone)]
pub struct Held(
    #[expect(dead_code, reason = "it is there to be dropped with the last clone")] Arc<dyn Any + Send + Sync>,
);

impl Client {
    /// Who the request with these extensions comes from.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use axum::{body::Body, extract::{ConnectInfo, Request}};
    /// use ydock::listen::Client;
    ///
    /// let mut request = Request::new(Body::empty());
    /// assert_eq!(Client::of(request.extensions()).address, None);
    /// request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 80))));
    /// assert_eq!(Client::of(request.extensions()).address, Some([192, 0, 2, 1].into()));
    /// ```
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        let address = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        Self { address, held: extensions.get().cloned() }
    }
}

impl Held {
    /// Holds anything until the last clone is dropped.
    #[must_use]
    pub fn new(what: impl Any + Send + Sync) -> Self {
        Self(Arc::new(what))
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}
