//! What goes into a store and comes out of it.

use std::time::SystemTime;

use bytes::Bytes;

use super::Damage;
use crate::ids::{DocName, Generation};
use crate::sync::DocumentBytes;

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

/// What [`super::Store::verify`] read and found.
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
}

/// One document that cannot be read.
#[derive(Debug, Clone)]
pub struct DamagedDocument {
    /// Its name.
    pub name: DocName,
    /// The damage found first.
    pub what: Damage,
}
