//! An event on its way to a handler, and how its sender connected.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{Extensions, HeaderMap, Uri};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::client::Client;
use super::data::{Data, DecodeError};

/// An event on its way through guards and interceptors to its handler; what a [`tower::Service`] of the gateway takes.
#[derive(Debug, Clone)]
pub struct Event {
    name: Arc<str>,
    kind: EventKind,
    data: Data,
    client: Client,
    wants_ack: bool,
    /// For layers, to hand something on to what comes after them.
    pub extensions: Extensions,
}

/// What is being handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A client connects; the values are its `auth`.
    Connect,
    /// A client sent an event.
    Message,
    /// A client has gone.
    Disconnect,
}

impl Event {
    pub(super) fn new(client: Client, name: Arc<str>, data: Data) -> Self {
        Self { name, kind: EventKind::Message, data, client, wants_ack: false, extensions: Extensions::new() }
    }

    pub(super) fn of_kind(client: Client, kind: EventKind) -> Self {
        let name = match kind {
            EventKind::Connect => "connection",
            EventKind::Message => "message",
            EventKind::Disconnect => "disconnect",
        };
        let data = client.handshake().auth.clone();
        Self { name: name.into(), kind, data, client, wants_ack: false, extensions: Extensions::new() }
    }

    pub(super) fn wanting_ack(mut self, wants_ack: bool) -> Self {
        self.wants_ack = wants_ack;
        self
    }

    /// Its name; `connection` and `disconnect` for what is no message.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a message, or that a client connects or has gone.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        self.kind
    }

    /// Its values.
    #[must_use]
    pub const fn data(&self) -> &Data {
        &self.data
    }

    /// Who sent it.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Whether its sender waits for an acknowledgement.
    #[must_use]
    pub const fn wants_ack(&self) -> bool {
        self.wants_ack
    }
}

/// How a client connected.
#[derive(Clone)]
pub struct Handshake {
    /// What the client sent as `auth`: one JSON value, `{}` when it sent nothing.
    pub auth: Data,
    /// The headers of the request that opened its connection.
    pub headers: Arc<HeaderMap>,
    /// The address of that request.
    pub uri: Uri,
    /// Where it came from, as far as the server knows.
    pub address: Option<SocketAddr>,
    /// When.
    pub issued: Instant,
}

impl fmt::Debug for Handshake {
    /// Without what may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("address", &self.address)
            .field("issued", &self.issued)
            .finish_non_exhaustive()
    }
}

impl Handshake {
    /// A field of `auth`.
    ///
    /// # Errors
    /// When it is missing or of another type.
    pub fn auth<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.auth.decode()
    }

    /// A value of the query, percent-decoded; the first of several.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        let pairs = self.uri.query()?.split('&');
        let mut values = pairs.filter_map(|pair| pair.split_once('=').or(Some((pair, ""))));
        let (_, value) = values.find(|(key, _)| decoded(key).as_deref() == Some(name))?;
        decoded(value)
    }
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
