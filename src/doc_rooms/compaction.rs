//! Compaction: the snapshot and the durable updates after it, merged into a new snapshot.
//!
//! The promise: originals go only when the merged bytes were seen to hold the same state.

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use crate::ids::{DocName, Generation};
use crate::shutdown::Tasks;
use crate::storage::{Compaction, Store, StoreError};
use crate::sync::{self, DocumentBytes, ScanError, StateVector};

/// One compaction, with all that it needs.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) store: Arc<dyn Store>,
    pub(super) tasks: Tasks,
    pub(super) name: DocName,
    pub(super) generation: Generation,
    /// Exactly the updates that the snapshot will stand for.
    pub(super) parts: DocumentBytes,
    /// The number of the last of them, in the room and in the store.
    pub(super) upto: u64,
    pub(super) stored_upto: u64,
    /// The store's number of the previous snapshot.
    pub(super) previous_stored_upto: u64,
}

/// A compaction that the store has taken.
#[derive(Debug)]
pub(super) struct Compacted {
    pub(super) upto: u64,
    pub(super) stored_upto: u64,
    pub(super) snapshot: Bytes,
    pub(super) state_vector: StateVector,
}

/// Why a compaction changed nothing.
#[derive(Debug, Error)]
pub(super) enum CompactionError {
    #[error("the document cannot be merged")]
    Merge(#[from] ScanError),
    #[error("the merged document differs from its updates")]
    Different,
    #[error("merging panicked")]
    Panicked,
    #[error("the store refused the snapshot")]
    Store(#[from] StoreError),
}

impl Job {
    /// Merges, checks and stores.
    pub(super) async fn run(self) -> Result<Compacted, CompactionError> {
        let Self { store, tasks, name, generation, parts, upto, stored_upto, previous_stored_upto } = self;
        let merged = tasks.run_blocking(move || merge_and_check(&parts)).await;
        let (snapshot, state_vector) = merged.ok_or(CompactionError::Panicked)??;
        let snapshot = Bytes::from(snapshot);
        let compaction = Compaction {
            generation,
            previous_upto: previous_stored_upto,
            upto: stored_upto,
            snapshot: snapshot.clone(),
        };
        store.compact(&name, compaction).await?;
        Ok(Compacted { upto, stored_upto, snapshot, state_vector })
    }
}

fn merge_and_check(parts: &DocumentBytes) -> Result<(Vec<u8>, StateVector), CompactionError> {
    let bytes = || parts.parts().map(AsRef::as_ref);
    let merged = sync::merge(bytes())?;
    let state_vector = sync::state_vector_of(bytes())?;
    let same_blocks = sync::state_vector_of([merged.as_slice()])? == state_vector;
    let same_deletions = sync::deletions_of([merged.as_slice()])? == sync::deletions_of(bytes())?;
    if same_blocks && same_deletions { Ok((merged, state_vector)) } else { Err(CompactionError::Different) }
}
