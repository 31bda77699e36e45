//! The settings of TLS.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where the certificate is, and the limits of handshakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A file with the certificate in PEM, first the server's own and then those that lead to a root. With
    /// [`key`](Self::key), everything is served over TLS. No default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// A file with the private key in PEM, not encrypted: RSA, ECDSA (P-256 or P-384) or Ed25519. No default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// How long a handshake may take. Too short refuses clients on slow links; too long lets those that say nothing hold
    /// places of `http.max_open`. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub handshake_within: Duration,
    /// How often the files are read to see whether they have changed. Too long, and an old certificate may be shown after it has
    /// expired. At least 100 ms. Default 5 s.
    #[serde(with = "humantime_serde")]
    pub look_every: Duration,
}

/// The two files of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Config {
    /// The files, if TLS is on.
    #[must_use]
    pub fn files(&self) -> Option<Files> {
        Some(Files { cert: self.cert.clone()?, key: self.key.clone()? })
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { cert: None, key: None, handshake_within: Duration::from_secs(10), look_every: Duration::from_secs(5) }
    }
}
