//! The server's side of the WebSocket protocol, RFC 6455, without extensions.
//!
//! - `handshake`: from an HTTP request to a socket;
//! - `frame`: the header of a frame, read and written;
//! - `decoder`: from bytes as they come to messages;
//! - `socket`: the upgraded connection, readable by one task and writable by any without waiting.
//!
//! It exists because every layer between a room and the kernel costs: a frame is encoded once for all who get it, header
//! and all, and many frames leave in one write.

mod decoder;
#[cfg(test)]
mod differential;
mod frame;
mod handshake;
mod socket;

pub use decoder::{Decoder, Message, Step};
pub use frame::{Opcode, ProtocolError, close_frame, frame, frame_head};
pub(crate) use handshake::{TOKEN_PROTOCOL, first_protocol};
pub use handshake::{Upgrade, UpgradeRejection};
pub use socket::{Chunk, Reader, Received, Socket, Stream};
