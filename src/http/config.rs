//! The settings of HTTP.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a client may take to send the head of a request. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub head_within: Duration,
    /// How long what was sent may lie unread by its receiver before its connection is given up. Too small ends clients that
    /// sleep for a moment, too large keeps what has vanished. Where the system cannot (only Linux can), it decides. Default 60 s.
    #[serde(with = "humantime_serde")]
    pub read_within: Duration,
    /// How many TCP connections may be open at once; further ones wait to be accepted. WebSockets count too. Default 24 000.
    pub max_open: usize,
    /// Whether the demo page is served. Default true.
    pub demo: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { head_within: Duration::from_secs(10), read_within: Duration::from_mins(1), max_open: 24_000, demo: true }
    }
}
