//! Where documents live when no room holds them: an append-only log of updates and one snapshot per document.
//!
//! A document is a numbered sequence of updates. [`Store::append`] adds to its end and returns when the disk has it;
//! [`Store::compact`] puts one merged snapshot in the place of a prefix; [`Store::load`] gives the snapshot and what
//! follows it. The store never reads Yjs: snapshots and updates are opaque bytes, returned as they came.
//!
//! Promises that every backend keeps, and that `conformance` holds them to:
//! - what was acknowledged is there after a crash, and is returned unchanged or as [`StoreError::Corrupt`], never as
//!   something else and never silently as less;
//! - sequence numbers of a document run from 1 without a gap, so a missing record is noticed;
//! - a write is kept whole or not at all;
//! - a write that carries another [`Generation`] than the document's changes nothing;
//! - one damaged document is refused alone, and never overwritten, while the others serve.
//!
//! The bytes on disk are described in `docs/storage-format.md`.

mod backup;
mod config;
#[cfg(test)]
mod conformance;
mod counters;
mod directory;
mod duplicate;
mod durable;
mod error;
mod faulty;
mod memory;
mod open;
mod record;
mod redb;
mod reserve;
mod sled;
mod stored;
mod verify;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;

use crate::ids::{DocName, Generation};

pub use backup::{BackupError, BackupInfo, BackupItem, BackupPlace, BackupReader, BackupTotals, BackupWriter, Chunks};
pub use config::{Config, StoreKind, UnknownStoreKind};
pub use counters::StoreCounters;
pub use directory::DataFormat;
pub use duplicate::duplicate;
pub use error::{Cause, Damage, StoreError};
pub use faulty::{FaultyStore, Mishap};
pub use memory::MemoryStore;
pub use open::{open, rescue};
pub use redb::Rebuilt;
pub use reserve::RESERVE;
pub use stored::{
    Append, Compaction, DamagedDocument, DocumentInfo, Flaw, Health, Remains, Restoration, StoredDocument, StoredName,
    VerifyReport,
};
pub use verify::verify;

/// A place that keeps documents.
///
/// Every method may be called at any time from any task. Dropping a returned future does not undo its write: a write
/// that was handed over happens or not, as if the answer had been lost.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug + 'static {
    /// Adds updates to the end of a document, all or none, and returns the last sequence number once they are durable.
    ///
    /// Appends of one caller that awaits each before the next keep their order. Safe to repeat after an error: at worst
    /// an update is stored twice, which a Yjs document does not notice. Without updates nothing is written, and the
    /// document's head is returned (0 for a document that is not stored).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when `generation` is not the document's, [`StoreError::TooLarge`] when one update is
    /// above the configured bound, [`StoreError::Corrupt`] while the document is quarantined; those that are
    /// [retryable](StoreError::is_retryable) leave the outcome unknown.
    async fn append(&self, doc: &DocName, generation: Generation, updates: Vec<Bytes>) -> Result<u64, StoreError>;

    /// Appends to several documents, each as by [`append`](Self::append), and answers each on its own, in their order.
    /// What can become durable together does.
    async fn append_all(&self, appends: Vec<Append>) -> Vec<Result<u64, StoreError>> {
        let each = appends
            .into_iter()
            .map(|Append { doc, generation, updates }| async move { self.append(&doc, generation, updates).await });
        join_all(each).await
    }

    /// The whole document at one moment. A name that was never stored gives [`StoredDocument::default`].
    ///
    /// Everything is checked on the way. Damage puts the document in quarantine: its appends and compactions are
    /// refused until the store is opened again.
    async fn load(&self, doc: &DocName) -> Result<StoredDocument, StoreError>;

    /// Puts a snapshot in the place of everything up to a sequence number, if nobody else did meanwhile.
    ///
    /// Updates above [`Compaction::upto`] stay, also those appended while the compaction runs.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the generation or the previous snapshot is another one, or when `upto` is 0, above
    /// the head or below the previous snapshot's; [`StoreError::TooLarge`] for a snapshot above the configured bound.
    async fn compact(&self, doc: &DocName, compaction: Compaction) -> Result<(), StoreError>;

    /// Deletes a document and returns the generation that its name has from now on.
    ///
    /// A tombstone stays and keeps `ancestors`, an encoded state vector that the store does not read and that every
    /// later [`Store::load`] of the name returns; it replaces the one of earlier deletions. A name that was never
    /// stored may be deleted too. Repeated after a lost answer, it gives [`StoreError::Conflict`].
    async fn delete(&self, doc: &DocName, generation: Generation, ancestors: Bytes) -> Result<Generation, StoreError>;

    /// Documents with at least one update, in the order of their names' bytes, after `after`, at most `limit`.
    ///
    /// Fewer than `limit` are returned only at the end. A document whose header is damaged is left out;
    /// [`Store::names`] names it.
    async fn list(&self, after: Option<&DocName>, limit: usize) -> Result<Vec<DocumentInfo>, StoreError>;

    /// What is known about a document without reading it; `None` when it was never stored or is deleted.
    async fn stat(&self, doc: &DocName) -> Result<Option<DocumentInfo>, StoreError>;

    /// Whether the store works as far as it knows. Reads memory only.
    fn health(&self) -> Health;

    /// Sums of what the store has done since it was opened.
    fn counters(&self) -> &StoreCounters;

    /// Every name that the store knows, tombstones and damaged documents included, in the order of the names' bytes,
    /// after `after`, at most `limit`. Fewer than `limit` are returned only at the end.
    async fn names(&self, after: Option<&DocName>, limit: usize) -> Result<Vec<StoredName>, StoreError>;

    /// Stores a whole document at once, with its numbers and times, under a name of which nothing is stored.
    ///
    /// The bounds of single updates and snapshots do not apply.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when something is stored under the name, be it a tombstone; [`StoreError::Corrupt`] when
    /// the numbers of `restoration` contradict each other.
    async fn restore(&self, doc: &DocName, restoration: Restoration) -> Result<(), StoreError>;

    /// What can be read of a document, however damaged it is; nothing for a name that was never stored.
    async fn remains(&self, doc: &DocName) -> Result<Remains, StoreError>;

    /// What is wrong with the store apart from single documents; [`verify`] asks.
    async fn flaws(&self) -> Result<Vec<Flaw>, StoreError> {
        Ok(Vec::new())
    }

    /// Gives the space that is not used any more back to the file system. Everything else waits meanwhile.
    async fn shrink(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Commits what waits, refuses everything later with [`StoreError::Closed`], and releases the files.
    ///
    /// A second call does nothing. Dropping the store without it does the same, but blocks the dropping thread.
    async fn close(&self) -> Result<(), StoreError>;
}
