//! The transport: Engine.IO 4 by HTTP long polling, by WebSocket, and the way from the one to the other.
//!
//! A session is known by a secret id, whichever way its client comes. It has one queue of what goes out, bounded by packets and
//! by bytes, which whoever writes to it can wait for; what comes in is handed to its connection in order and from one place at a
//! time. It ends once, whatever ends it: a goodbye of either side, a pong that does not come, packets that are none, the server's
//! own stop. Its connection is told at once, also when nothing can be written to the client any more.

#[cfg(any(test, fuzzing))]
pub(super) mod laws;
mod packet;
mod polling;
mod queue;
mod refusal;
mod request;
mod session;
mod sessions;
mod websocket;

pub(super) use packet::Packet;
pub(super) use refusal::Refusal;
pub(super) use request::answer;
pub(super) use session::EngineSession;
pub(super) use sessions::Sessions;
