//! The settings of WebSocket connections.

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// The limits and the clocks of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The largest message, in bytes; known from its header, before anything is buffered. Too small refuses large pastes
    /// and clients that come back with much work; too large lets each connection hold as much. Must exceed the
    /// largest update. Default 17 MiB.
    pub max_message: ByteSize,
    /// How many connections may be open at once; further ones are refused with 503. Default 20 000.
    pub max_open: usize,
    /// How many connections one address may have, those of gateway clients included, by WebSocket and by polling; further ones
    /// are refused with 429. An IPv6 address counts with all of its network of 64 bits. Too small shuts out people who share
    /// an address, as in a school or behind a proxy that `http.trusted_proxies` does not name; too large lets
    /// one address take the places of all. 0 is any number. Default 16 000, so that there are always places for
    /// others.
    pub max_per_address: usize,
    /// How many messages a second one client may send for long, of documents and of gateways. One that sends more is read more slowly, and
    /// loses nothing. Too small holds up whoever comes back with much work. 0 is any number. Default 20 000.
    pub messages_per_second: u32,
    /// How many messages it may send at once after a pause. Default 200 000.
    pub messages_at_once: u32,
    /// How many bytes a second one client may send for long, in the same way. 0 is any number. Default 64 MiB.
    pub bytes_per_second: ByteSize,
    /// How many bytes it may send at once after a pause. Default 256 MiB.
    pub bytes_at_once: ByteSize,
    /// A client that was sent nothing for so long gets an empty awareness update: y-websocket drops connections that are
    /// silent for 30 s. Default 15 s.
    #[serde(with = "humantime_serde")]
    pub keep_alive: Duration,
    /// How often the server pings. Default 30 s.
    #[serde(with = "humantime_serde")]
    pub ping: Duration,
    /// A client from which nothing came for so long, not even a pong, is gone, unless it still takes something long. It is
    /// found at most half a `keep_alive` later. Must be longer than `ping`. Default 60 s.
    #[serde(with = "humantime_serde")]
    pub silent_after: Duration,
    /// A client that takes nothing of what is sent for so long is ended. Default 30 s.
    #[serde(with = "humantime_serde")]
    pub stalled_after: Duration,
    /// How long a client of a wire with many documents a connection may take to be let into its first one. Default 30 s.
    #[serde(with = "humantime_serde")]
    pub enter_within: Duration,
    /// How many documents one connection may have, on such a wire; further ones are refused. Default 1000.
    pub max_documents: usize,
    /// How long a closed connection is kept for the client to read the reason. Default 2 s.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// Over how long the ends of all connections are spread when the server stops, so that clients do not all come back
    /// at once. Default 500 ms.
    #[serde(with = "humantime_serde")]
    pub stop_spread: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_message: ByteSize::mib(17),
            max_open: 20_000,
            max_per_address: 16_000,
            messages_per_second: 20_000,
            messages_at_once: 200_000,
            bytes_per_second: ByteSize::mib(64),
            bytes_at_once: ByteSize::mib(256),
            keep_alive: Duration::from_secs(15),
            ping: Duration::from_secs(30),
            silent_after: Duration::from_mins(1),
            stalled_after: Duration::from_secs(30),
            enter_within: Duration::from_secs(30),
            max_documents: 1000,
            linger: Duration::from_secs(2),
            stop_spread: Duration::from_millis(500),
        }
    }
}
