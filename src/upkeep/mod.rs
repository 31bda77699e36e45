//! What an operator does with a store: look at it, check it, copy it, make it smaller.
//!
//! Each task runs over a [`Store`](crate::storage::Store) and does not know whether a server has it open or a command
//! alone: what runs beside it never waits for it and is never refused because of it, but where a task says so. A task
//! tells how far it is while it works, and returns a report that can be written as JSON.

mod backup;
mod census;
mod compact;
mod copy;
mod names;
mod progress;
mod verify;

pub use backup::Backup;
pub use census::{Census, DocumentSize, Finding, census};
pub use compact::{Compacted, compact};
pub use copy::{Aside, Copied, CopyError, Salvaged, first_difference, migrate, salvage};
pub use names::Names;
pub use progress::{Progress, Seen, Step};
pub use verify::{Deep, Verified, verify};
