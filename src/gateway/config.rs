//! The settings of gateways.

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// What bounds the clients of gateways, and which gateways of the program itself there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether the program serves its own gateways, `/chat` and `/events`, which show what gateways can do. Default true.
    pub built_in: bool,
    /// The largest message of a client, in bytes; attachments count each by itself. Too small refuses pictures, too large
    /// lets each client hold as much. Default 1 MB.
    pub max_message: ByteSize,
    /// How many events of one client may wait for their handlers; with more it is disconnected. Default 4096.
    pub max_waiting_events: usize,
    /// How many bytes they may hold. Default 8 MiB.
    pub max_waiting_bytes: ByteSize,
    /// How many packets may wait for one client; with more it is disconnected. Default 1024.
    pub max_outgoing: usize,
    /// How many bytes may wait for one client of Socket.IO; with more before it no further packet is queued, and the client is
    /// disconnected. Too small ends clients of large documents, too large lets each hold as much. Default 4 MiB.
    pub max_outgoing_bytes: ByteSize,
    /// How many streams of answers one client may have open at once. Default 16.
    pub max_streams: usize,
    /// How many topics one client may be in. Default 256.
    pub max_topics: usize,
    /// How many namespaces one connection may be in. Default 16.
    pub max_namespaces: usize,
    /// How many clients all gateways together take. Default 20 000.
    pub max_open: usize,
    /// How many events a second one client may send for long. Default 200.
    pub events_per_second: u32,
    /// How many events one client may send at once after a pause. Default 2000.
    pub events_at_once: u32,
    /// How many events a second all clients of one address may send for long; behind a proxy on this machine it bounds nobody.
    /// Default 2000.
    pub address_events_per_second: u32,
    /// How many events all clients of one address may send at once after a pause. Default 20 000.
    pub address_events_at_once: u32,
    /// How often the server pings. Default 25 s.
    #[serde(with = "humantime_serde")]
    pub ping_interval: Duration,
    /// A client that does not answer a ping for so long is gone. Default 20 s.
    #[serde(with = "humantime_serde")]
    pub ping_timeout: Duration,
    /// A connection that has joined no namespace for so long is closed. Default 45 s.
    #[serde(with = "humantime_serde")]
    pub connect_within: Duration,
    /// A handler that still runs so long after its client has gone is dropped. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            built_in: true,
            max_message: ByteSize::mb(1),
            max_waiting_events: 4096,
            max_waiting_bytes: ByteSize::mib(8),
            max_outgoing: 1024,
            max_outgoing_bytes: ByteSize::mib(4),
            max_streams: 16,
            max_topics: 256,
            max_namespaces: 16,
            max_open: 20_000,
            events_per_second: 200,
            events_at_once: 2000,
            address_events_per_second: 2000,
            address_events_at_once: 20_000,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            connect_within: Duration::from_secs(45),
            linger: Duration::from_secs(10),
        }
    }
}
