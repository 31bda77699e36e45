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
    /// How many TCP connections may be open at once; further ones wait to be accepted. WebSockets count too. Default 24 000.
    pub max_open: usize,
    /// Whether the demo page is served. Default true.
    pub demo: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { head_within: Duration::from_secs(10), max_open: 24_000, demo: true }
    }
}
