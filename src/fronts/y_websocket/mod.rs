//! The front for y-websocket clients, versions 1 to 4: binary frames of y-protocols messages.
//!
//! A message is a type and a body; clients up to version 3 read only the first message of a frame, so this server sends
//! one a frame and accepts several.

mod dialect;
#[cfg(any(test, fuzzing))]
pub mod laws;
mod upgrade;
mod wire;

pub use dialect::{Acks, YWebSocketDialect};
pub use upgrade::{YWebSocket, YWebSocketParts};
