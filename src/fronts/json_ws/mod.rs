//! The front for gateway clients that speak JSON over a plain WebSocket, as the `ws` adapter of NestJS has it.
//!
//! A message is an object `{"event":"message","data":…}` both ways. What that adapter has not is added so that a client
//! which does not know it sees no difference: an `"id"` beside the event asks for an acknowledgement,
//! `{"event":"ack","id":…,"data":…}`; an event of the server that has an `"id"` may be acknowledged in the same way; and the
//! address says the namespace and what other wires call `auth`: `ws://host/ws?namespace=/chat&token=…`.
//!
//! The promise: the same handlers as over Socket.IO, the same bounds, and a close code that says whether to come back.

mod front;
#[cfg(any(test, fuzzing))]
pub mod laws;
mod message;
mod socket;
mod wire;

pub use front::{JsonWs, JsonWsParts};
