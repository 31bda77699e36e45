//! What can go wrong in a store, by what the caller can do about it.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::ids::{DocName, Generation};

/// The error below a [`StoreError`], shared because one failed commit answers many callers.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The document is not what the caller believes: load it again and decide anew. Nothing was written.
    #[error("the document {doc:?} has moved on to generation {}, head {head}, snapshot {snapshot_upto}", .generation.0)]
    Conflict {
        /// The document.
        doc: DocName,
        /// Its generation.
        generation: Generation,
        /// The sequence number of its last update, 0 without any.
        head: u64,
        /// The sequence number up to which its snapshot reaches, 0 without one.
        snapshot_upto: u64,
    },
    /// The disk or a quota is full: keep the updates and retry, while an operator makes room.
    #[error("no space is left for the store")]
    NoSpace(#[source] Cause),
    /// One update or snapshot is above the configured bound: retrying cannot help. Nothing was written.
    #[error("{len} bytes are more than the {max} allowed")]
    TooLarge {
        /// The length given, in bytes.
        len: u64,
        /// The longest allowed, in bytes.
        max: u64,
    },
    /// The document is damaged on disk and in quarantine; others are not concerned.
    #[error("the document {doc:?} is damaged")]
    Corrupt {
        /// The document.
        doc: DocName,
        /// The damage found first.
        #[source]
        what: Damage,
    },
    /// Another process, or another store of this one, uses the data directory: stop it or choose another directory.
    #[error("the data directory {} is in use by another process: stop that one, or use another directory", path.display())]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
    /// A newer version wrote the data: use that version. Nothing was touched.
    #[error("the data directory {} has format {found}, and this version knows formats up to {max}: use the newer version that wrote it", path.display())]
    FormatVersion {
        /// The data directory.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format known.
        max: u32,
    },
    /// The data directory holds something else than this store's data: choose another. Nothing was touched.
    #[error("the data directory {} is not one of this store, use another directory: {what}", path.display())]
    Foreign {
        /// The data directory.
        path: PathBuf,
        /// What was found in it.
        what: String,
    },
    /// The data directory cannot be created, read or written: correct its path or its permissions.
    #[error("the data directory {} cannot be used, check its path and permissions", path.display())]
    Directory {
        /// The data directory, or the file in it.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Cause,
    },
    /// The file is damaged, and even the names of some documents in it are lost, so that it cannot be rebuilt without
    /// losing them unnoticed. It was left as it is.
    #[error("the database {} is damaged and not all of it can be rebuilt, {rebuild}: restore a backup, or bring back what is left with `ydock store salvage`", path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// Why it was not rebuilt.
        rebuild: Cause,
        /// What the engine says.
        #[source]
        source: Cause,
    },
    /// The store failed in a way that may pass: keep the updates and retry. A write may have happened all the same.
    #[error("the store is unavailable for now")]
    Unavailable(#[source] Cause),
    /// The store failed in a way that retrying does not mend.
    #[error("the store failed")]
    Failed(#[source] Cause),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// What is wrong with a document on disk.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum Damage {
    /// The header is missing, does not match its checksum, or contradicts itself or its name.
    #[error("its header is unreadable: {0}")]
    Header(&'static str),
    /// An update of the tail is not there.
    #[error("update {seq} is missing")]
    MissingUpdate {
        /// Its sequence number.
        seq: u64,
    },
    /// An update of the tail does not match its checksum.
    #[error("update {seq} is unreadable: {what}")]
    Update {
        /// Its sequence number.
        seq: u64,
        /// What is wrong with the record.
        what: &'static str,
    },
    /// There are updates above the head.
    #[error("update {seq} lies above the head")]
    BeyondHead {
        /// The first such sequence number.
        seq: u64,
    },
    /// The snapshot is incomplete or does not match its checksums.
    #[error("its snapshot is unreadable: {0}")]
    Snapshot(&'static str),
    /// The ancestors of an earlier deletion are incomplete or do not match their checksums.
    #[error("the ancestors of its earlier generations are unreadable: {0}")]
    Ancestors(&'static str),
    /// The engine below found its own pages damaged.
    #[error("the storage engine cannot read it")]
    Engine(#[source] Cause),
}

impl StoreError {
    /// Whether the same call may succeed later. A write that gave such an error may have happened.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::NoSpace(_))
    }
}
