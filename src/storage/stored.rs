//! What goes into a store and comes out of it.

use std::time::SystemTime;

use bytes::Bytes;
use thiserror::Error;

use super::{Damage, StoreError};
use crate::ids::{DocName, Generation};
use crate::sync::DocumentBytes;

/// Updates for the end of one document, as [`Store::append_all`](super::Store::append_all) takes them.
#[derive(Debug, Clone)]
pub struct Append {
    /// The document.
    pub doc: DocName,
    /// The life of its name that the updates belong to.
    pub generation: Generation,
    /// The updates, of which all become durable or none.
    pub updates: Vec<Bytes>,
}

/// A document as a store gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// The life of the name that this is; writes must carry it.
    pub generation: Generation,
    /// The state vector, encoded, of what was deleted under this name; empty when nothing was.
    pub ancestors: Bytes,
    /// The sequence number of the last update in the snapshot; 0 without a snapshot.
    pub snapshot_upto: u64,
    /// The sequence number of the last update; 0 without any.
    pub head: u64,
    /// The snapshot, and the updates `snapshot_upto + 1 ..= head`.
    pub bytes: DocumentBytes,
}

impl Default for StoredDocument {
    fn default() -> Self {
        Self {
            generation: Generation::FIRST,
            ancestors: Bytes::new(),
            snapshot_upto: 0,
            head: 0,
            bytes: DocumentBytes::default(),
        }
    }
}

/// A snapshot and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compaction {
    /// The generation that the snapshot was made from.
    pub generation: Generation,
    /// The `snapshot_upto` that the snapshot was made from; 0 when there was no snapshot.
    pub previous_upto: u64,
    /// The last sequence number that the snapshot contains.
    pub upto: u64,
    /// Exactly the updates `1 ..= upto`, merged.
    pub snapshot: Bytes,
}

/// What a store knows about a document without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentInfo {
    /// The document's name.
    pub name: DocName,
    /// The life of the name that this is.
    pub generation: Generation,
    /// The sequence number of the last update, at least 1.
    pub head: u64,
    /// The sequence number up to which the snapshot reaches; 0 without one.
    pub snapshot_upto: u64,
    /// The length of the snapshot and of the updates after it, in bytes, without the store's own overhead.
    pub bytes: u64,
    /// When the first update of this generation came, by this machine's clock, in whole milliseconds.
    pub created: SystemTime,
    /// When the last update or compaction came.
    pub updated: SystemTime,
}

/// A name that a store knows, and what is behind it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum StoredName {
    /// A document with at least one update.
    Document(DocumentInfo),
    /// A deleted document, of which only a tombstone is left.
    Tombstone {
        /// The document's name.
        name: DocName,
        /// The life that the name would have next.
        generation: Generation,
    },
    /// A document of which not even the header can be read.
    Damaged(DamagedDocument),
}

impl StoredName {
    /// The document's name.
    #[must_use]
    pub const fn name(&self) -> &DocName {
        match self {
            Self::Document(DocumentInfo { name, .. })
            | Self::Tombstone { name, .. }
            | Self::Damaged(DamagedDocument { name, .. }) => name,
        }
    }
}

/// A whole document that comes from another store or from a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restoration {
    /// The document, or the tombstone, as the other store gave it.
    pub document: StoredDocument,
    /// When its first update came; whole milliseconds count. Ignored for a tombstone.
    pub created: SystemTime,
    /// When its last update or compaction came.
    pub updated: SystemTime,
}

impl Restoration {
    /// Refuses numbers that no stored document has.
    pub(super) fn check(&self, doc: &DocName) -> Result<(), StoreError> {
        let StoredDocument { generation, snapshot_upto, head, ref bytes, .. } = self.document;
        let fits = generation >= Generation::FIRST
            && bytes.snapshot.is_some() == (snapshot_upto > 0)
            && head.checked_sub(snapshot_upto) == Some(bytes.tail.len() as u64);
        let what = Damage::Header("its numbers contradict each other");
        if fits { Ok(()) } else { Err(StoreError::Corrupt { doc: doc.clone(), what }) }
    }
}

/// What can be read of a document, whatever is damaged.
#[derive(Debug, Clone, Default)]
pub struct Remains {
    /// The life of the name that this is; `None` when it cannot be told.
    pub generation: Option<Generation>,
    /// The state vector of what was deleted under this name; empty when there is none or it cannot be read.
    pub ancestors: Bytes,
    /// The sequence number of the last update; `None` when it cannot be told.
    pub head: Option<u64>,
    /// The snapshot and the sequence number of its last update, if every piece of it can be read.
    pub snapshot: Option<(u64, Bytes)>,
    /// The updates after the snapshot that can be read, with their sequence numbers, in order.
    pub updates: Vec<(u64, Bytes)>,
    /// Everything that was found to be wrong; empty for a sound document.
    pub damage: Vec<Damage>,
}

/// Whether a store works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// The last commit worked.
    Ok,
    /// Writes fail; the store keeps trying.
    Degraded {
        /// What failed last.
        reason: String,
    },
    /// The store is closed, or its file cannot be opened any more: an operator has to act.
    Failed {
        /// What failed.
        reason: String,
    },
}

/// What [`super::verify`] read and found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Documents read, damaged ones included.
    pub documents: u64,
    /// Names of which only a tombstone is left.
    pub tombstones: u64,
    /// Updates read from the tails of sound documents.
    pub updates: u64,
    /// Bytes of snapshots and updates read from sound documents.
    pub bytes: u64,
    /// The documents that cannot be read.
    pub damaged: Vec<DamagedDocument>,
    /// What is wrong with the store apart from single documents.
    pub flaws: Vec<Flaw>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.flaws.is_empty()
    }
}

/// Something wrong with a store that no document's name leads to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Flaw {
    /// Records that belong to no document and wait for no removal.
    #[error("{records} records of {table} belong to no document")]
    Orphans {
        /// Which kind of records.
        table: &'static str,
        /// How many.
        records: u64,
    },
}

/// One document that cannot be read.
#[derive(Debug, Clone)]
pub struct DamagedDocument {
    /// Its name.
    pub name: DocName,
    /// The damage found first.
    pub what: Damage,
}
