//! The front for Hocuspocus providers, versions 2 to 4: many documents over one socket, each message with an address.
//!
//! An address is a document's name, or the name, a zero and a session id of the client's choice. Everything for an address
//! waits until the client has sent its token there and has been let in.

mod attempt;
mod conversation;
mod dialect;
#[cfg(any(test, fuzzing))]
pub mod laws;
mod typing;
mod upgrade;
mod waiting;
mod wire;

pub use dialect::HocuspocusDialect;
pub use upgrade::{Hocuspocus, HocuspocusParts};
