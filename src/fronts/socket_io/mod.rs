//! The front for Socket.IO clients, protocol 5 over Engine.IO 4: polling, WebSocket, and the way from one to the other.
//!
//! The packets are `socketioxide`'s; the transport below them and the namespaces above are here: which packet belongs to which
//! stay of which namespace. So a client's events are handed on in the order in which they came, its id in a namespace is not
//! the secret with which it polls, and what waits for it is bounded by bytes (docs/adr/0006).

mod connection;
mod engine;
mod entrance;
#[cfg(any(test, fuzzing))]
pub mod laws;
mod packets;
mod wire;

pub use entrance::routes;
