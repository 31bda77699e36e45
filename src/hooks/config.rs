//! The settings of hooks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How hooks are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long one call of one hook may take. One that takes longer is dropped and taken for a refusal. Too short, and a hook that
    /// asks another service fails when that is slow; too long, and clients wait as long for it. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10) }
    }
}
