//! Who is there and what they are doing: presence states and typing, neither of them ever stored.
//!
//! States stay opaque JSON text: checked once, never written anew. The tables own no clock and send nothing; the room
//! gives them the time and takes their changes in batches.

mod presence;
mod table;
mod typing;

pub use presence::PresenceBatch;
pub use table::{AwarenessError, AwarenessTable, Config};
pub use typing::{TypingNote, TypingTable};
