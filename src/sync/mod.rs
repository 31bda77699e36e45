//! The Yjs side of the server, as pure functions over bytes.

mod document;

pub use document::DocumentBytes;
