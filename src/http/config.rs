//! The settings of HTTP.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::proxies::{ProxyHeader, TrustedProxy};

/// The limits of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a client may take to send the head of a request. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub head_within: Duration,
    /// How long a request's body may take, from its head to its end; then it is answered with 408. Too short refuses large imports
    /// over slow links, too long keeps what trickles. Default 60 s.
    #[serde(with = "humantime_serde")]
    pub body_within: Duration,
    /// How long what was sent may lie unread by its receiver before its connection is given up. Too small ends clients that
    /// sleep for a moment, too large keeps what has vanished. Where the system cannot (only Linux can), it decides. Default 60 s.
    #[serde(with = "humantime_serde")]
    pub read_within: Duration,
    /// How many TCP connections may be open at once; further ones wait to be accepted. WebSockets count too. Default 24 000.
    pub max_open: usize,
    /// How many TCP connections one address may have, WebSockets included; further ones are answered with 429 and closed before
    /// anything is read from them, over TLS closed alone. Trusted proxies may have any number. An IPv6 address counts with all of its
    /// network of 64 bits. At least `connections.max_per_address`, as browsers have more connections than WebSockets. 0 is any number.
    /// Default 20 000.
    pub max_per_address: usize,
    /// Whose word is taken for where clients come from: addresses, networks, and `unix` for whoever connects to the unix socket. For
    /// a request from one of them, the client is the last in `proxy_header` that is none of them. Naming what is no proxy lets its
    /// clients choose their addresses; leaving one out makes all of its clients one. Default none.
    pub trusted_proxies: Vec<TrustedProxy>,
    /// The header in which they say it; the other one is not read. Default `x-forwarded-for`.
    pub proxy_header: ProxyHeader,
    /// Whether the demo page is served. Default true.
    pub demo: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            head_within: Duration::from_secs(10),
            body_within: Duration::from_mins(1),
            read_within: Duration::from_mins(1),
            max_open: 24_000,
            max_per_address: 20_000,
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::XForwardedFor,
            demo: true,
        }
    }
}
