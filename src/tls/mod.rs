//! TLS: a certificate and its key from files, handshakes, and what replaces a certificate while the server runs.
//!
//! An [`Acceptor`] makes a TLS stream of any stream. It shows the certificate of its [`Pair`]; [`Watch`] looks at the files and
//! replaces the pair when they hold another good one. Connections that are there keep what they began with.

mod acceptor;
mod config;
mod pair;
#[cfg(test)]
mod samples;
mod watch;

pub use acceptor::{Acceptor, HandshakeError, TlsStream};
pub use config::{Config, Files};
pub use pair::{Pair, PairError};
pub use watch::Watch;
