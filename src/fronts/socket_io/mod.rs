//! The front for Socket.IO clients, protocol 5 over Engine.IO 4: polling, WebSocket, and the way from one to the other.
//!
//! The transport is `engineioxide`'s; the packets are `socketioxide`'s. What lies between is here: which packet belongs to
//! which stay of which namespace. So a client's events are handed on in the order in which they came, and its id in a
//! namespace is not the secret with which it polls (docs/adr/0006).

mod connection;
mod engine;
mod entrance;
mod packets;
mod wire;

pub use entrance::routes;
