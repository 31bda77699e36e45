//! The gateways that the program itself serves: a chat, and echoes, rooms and streams to try a client on.
//!
//! They show what gateways can do, and they are written with the public interface alone: `examples/` holds the same files as
//! programs of their own.

mod chat;
mod events;

pub use chat::{chat, has_token};
pub use events::events;
