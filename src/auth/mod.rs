//! Who somebody is: from the token in a request to a [`Pass`], and tokens that are good no longer.
//!
//! ```text
//!  request ─► Credentials ─► Access ─► Authenticator: open, JWT or webhook ─► Pass
//!                              └─► Revocations: what was taken back since
//! ```
//!
//! The promise: what cannot be decided is refused, and no token is ever logged.

mod access;
mod authenticator;
mod claims;
mod config;
mod credentials;
mod jwt;
mod keys;
mod revocations;
mod webhook;

#[cfg(test)]
mod samples;

pub use access::{Access, AccessError};
pub use authenticator::{Asked, Authenticator, Refusal};
pub use claims::Claims;
pub use config::{Config, Mode, WebhookConfig};
pub use credentials::{Credentials, LONGEST_TOKEN};
pub use jwt::MintError;
pub use keys::{KeyError, Keys};
pub use revocations::{Revocation, RevocationsError, Whom};
