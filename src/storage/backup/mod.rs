//! Backups: a whole store in one file that any engine can be restored from.
//!
//! A backup is a magic text and then frames, each with its kind, its length and a checksum that covers its place in the
//! file too. A document is several frames; a trailer counts everything and makes the file complete. Nothing here does IO:
//! [`BackupWriter`] gives bytes to be written, and [`BackupReader`] is given bytes as they come.
//!
//! The promises: what a reader returns is what a writer was given; a file that was cut, changed or glued together is
//! refused with the place where it is wrong; and a reader holds no more than one document and one frame, and of a document
//! no more than the caller allows.
//!
//! The bytes are described in `docs/storage-format.md`.

mod error;
mod format;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use error::{BackupError, BackupPlace};
pub use format::{BackupInfo, BackupTotals};
pub use reader::{BackupItem, BackupReader};
pub use writer::{BackupWriter, Chunks};
