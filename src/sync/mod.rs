//! The Yjs side of the server, as pure functions over bytes.

mod document;
mod roots;

pub use document::DocumentBytes;
pub use roots::RootKind;
