//! All settings of a server: each module's own, under its name.
//!
//! Defaults come first, then the file, then `YDOCK_…` variables, then flags. An unknown key in the file is an error.

mod layers;

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::listen::Address;
use crate::{
    auth, connection, delivery, doc_rooms, gateway, hooks, http, materialise, storage, telemetry, tls, webhooks,
};

pub use layers::{ConfigError, Layers};

/// All settings of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the server listens: an IP address with a port, of which 0 takes a free one, or `unix:PATH`. Default
    /// `127.0.0.1:1234`.
    pub listen: Address,
    /// Whether the server may listen beyond this machine although everybody who reaches it may do with every
    /// document what `access.everyone` says. Default false.
    pub allow_open: bool,
    /// How long stopping may take: updates that are not durable by then are reported, and the exit code says so. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub stop_within: Duration,
    /// What people may do.
    pub access: auth::Config,
    /// The log.
    pub log: telemetry::Config,
    /// Where documents are kept.
    pub store: storage::Config,
    /// Rooms.
    pub rooms: doc_rooms::Config,
    /// WebSocket connections.
    pub connections: connection::Config,
    /// What waits for one connection.
    pub delivery: delivery::Config,
    /// Gateways: events over Socket.IO and JSON.
    pub gateways: gateway::Config,
    /// Hooks.
    pub hooks: hooks::Config,
    /// Exports.
    pub exports: materialise::Config,
    /// HTTP.
    pub http: http::Config,
    /// TLS.
    pub tls: tls::Config,
    /// Webhooks.
    pub webhooks: webhooks::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Address::Tcp(SocketAddr::from(([127, 0, 0, 1], 1234))),
            allow_open: false,
            stop_within: Duration::from_secs(10),
            access: auth::Config::default(),
            log: telemetry::Config::default(),
            store: storage::Config::default(),
            rooms: doc_rooms::Config::default(),
            connections: connection::Config::default(),
            delivery: delivery::Config::default(),
            gateways: gateway::Config::default(),
            hooks: hooks::Config::default(),
            exports: materialise::Config::default(),
            http: http::Config::default(),
            tls: tls::Config::default(),
            webhooks: webhooks::Config::default(),
        }
    }
}

/// Settings that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Contradiction {
    /// Anybody on the network could read, and maybe edit, everything.
    #[error(
        "refusing to listen on {0}: access.auth is \"open\", so everybody who reaches this address could do with every document \
         what access.everyone says; have tokens asked for with --auth jwt, tokens or webhook, listen on 127.0.0.1 or a unix socket behind a \
         proxy that checks access, or accept it with --allow-open"
    )]
    OpenToNetwork(Address),
    /// Every client would be taken for gone.
    #[error("connections.silent_after must be longer than connections.ping")]
    SilentBeforePing,
    /// Updates that the store takes could not be sent.
    #[error("connections.max_message must be larger than store.max_update")]
    MessageBelowUpdate,
    /// The store takes updates that no document could hold.
    #[error("rooms.{0} must be at least store.max_update")]
    RoomBelowUpdate(&'static str),
    /// A certificate without its key, or the other way round.
    #[error("tls.cert and tls.key go together, and only tls.{0} is set")]
    HalfPair(&'static str),
}

impl Config {
    /// Checks what no single setting can see.
    ///
    /// # Errors
    /// On the first contradiction.
    pub fn check(&self) -> Result<(), Contradiction> {
        if !self.listen.is_local() && !self.allow_open && self.access.auth == auth::Mode::Open {
            return Err(Contradiction::OpenToNetwork(self.listen.clone()));
        }
        if self.connections.silent_after <= self.connections.ping {
            return Err(Contradiction::SilentBeforePing);
        }
        if self.connections.max_message <= self.store.max_update {
            return Err(Contradiction::MessageBelowUpdate);
        }
        if self.rooms.max_document < self.store.max_update {
            return Err(Contradiction::RoomBelowUpdate("max_document"));
        }
        match (&self.tls.cert, &self.tls.key) {
            (Some(_), None) => return Err(Contradiction::HalfPair("cert")),
            (None, Some(_)) => return Err(Contradiction::HalfPair("key")),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_do_not_contradict_each_other() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn listening_beyond_this_machine_must_be_asked_for() {
        let mut config = Config { listen: SocketAddr::from(([0, 0, 0, 0], 1)).into(), ..Config::default() };
        assert!(matches!(config.check(), Err(Contradiction::OpenToNetwork(_))));
        config.allow_open = true;
        assert_eq!(config.check(), Ok(()));
        config.allow_open = false;
        config.access.auth = auth::Mode::Tokens;
        assert_eq!(config.check(), Ok(()));
    }

    #[test]
    fn a_unix_socket_needs_no_leave_to_listen() {
        let config = Config { listen: Address::Unix("ydock.sock".into()), ..Config::default() };
        assert_eq!(config.check(), Ok(()));
    }

    #[test]
    fn a_certificate_and_its_key_go_together() {
        let mut config = Config::default();
        config.tls.cert = Some("cert.pem".into());
        assert_eq!(config.check(), Err(Contradiction::HalfPair("cert")));
        (config.tls.cert, config.tls.key) = (None, Some("key.pem".into()));
        assert_eq!(config.check(), Err(Contradiction::HalfPair("key")));
        config.tls.cert = Some("cert.pem".into());
        assert_eq!(config.check(), Ok(()));
    }
}
