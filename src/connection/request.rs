//! What fronts look at of a request that goes over to WebSocket.

use std::net::SocketAddr;

use axum::http::HeaderMap;

use crate::auth::Credentials;

/// The parts of an upgrade request that fronts look at.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// The query of its address, without `?`.
    pub query: Option<&'a str>,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Where it comes from, if that is known.
    pub remote: Option<SocketAddr>,
    /// The token in it, if there is one.
    pub credentials: &'a Credentials,
}

impl RequestParts<'_> {
    /// Whether the query has this very pair, such as `typing=1`.
    #[must_use]
    pub fn asks_for(&self, pair: &str) -> bool {
        self.query.unwrap_or_default().split('&').any(|other| other == pair)
    }
}
