//! Compaction: the snapshot and the durable updates after it, merged into a new snapshot.
//!
//! The promise: originals go only when the merged bytes were seen to hold the same state, and deleted content only when
//! nothing else was seen to go with it.

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::Semaphore;

use super::config::History;
use super::errors::CondenseError;
use crate::ids::{DocName, Generation};
use crate::shutdown::Tasks;
use crate::storage::{Compaction, Store, StoreError};
use crate::sync::{self, DocumentBytes, DocumentIndex, LoadError, ScanError, StateVector};

/// One compaction, with all that it needs.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) store: Arc<dyn Store>,
    pub(super) tasks: Tasks,
    /// How many may merge at once, of all documents.
    pub(super) places: Arc<Semaphore>,
    pub(super) name: DocName,
    pub(super) generation: Generation,
    pub(super) history: History,
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
    /// Why deleted content is still there although it should not be.
    pub(super) uncollected: Option<CollectionError>,
}

/// Why a compaction changed nothing.
#[derive(Debug, Error)]
pub(super) enum CompactionError {
    #[error(transparent)]
    Condense(#[from] CondenseError),
    #[error("merging panicked")]
    Panicked,
    #[error("the server is stopping")]
    Stopping,
    #[error("the store refused the snapshot")]
    Store(#[from] StoreError),
}

/// Why deleted content was not collected. The snapshot is whole without it.
#[derive(Debug, Error)]
pub(super) enum CollectionError {
    #[error("the merged document cannot be read")]
    Read(#[from] ScanError),
    #[error("the collected document lacks more than what was deleted")]
    Different,
    #[error("the collected document cannot be opened")]
    Load(#[from] LoadError),
}

/// The bytes of a new snapshot, and what they stand for.
struct Condensed {
    snapshot: Bytes,
    state_vector: StateVector,
    uncollected: Option<CollectionError>,
}

impl Job {
    /// Merges, collects, checks and stores.
    pub(super) async fn run(self) -> Result<Compacted, CompactionError> {
        let Self { store, tasks, places, name, generation, history, parts, upto, stored_upto, previous_stored_upto } =
            self;
        let place = tokio::select! {
            biased; // what is not begun yet must not hold up a stop
            () = tasks.stopped() => return Err(CompactionError::Stopping),
            place = places.acquire() => place,
        };
        let condensed = tasks.run_blocking(move || condense(&parts, history)).await;
        drop(place);
        let Condensed { snapshot, state_vector, uncollected } = condensed.ok_or(CompactionError::Panicked)??;
        let compaction = Compaction {
            generation,
            previous_upto: previous_stored_upto,
            upto: stored_upto,
            snapshot: snapshot.clone(),
        };
        store.compact(&name, compaction).await?;
        Ok(Compacted { upto, stored_upto, snapshot, state_vector, uncollected })
    }
}

/// So many compactions may merge at once: half of what the machine can do at once is left to those who type. Each thread that
/// merges also keeps memory for the next time.
pub(super) fn places() -> Arc<Semaphore> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new((threads / 2).max(1)))
}

/// One snapshot of a document's parts, as a compaction would store it.
pub(super) fn snapshot_of(parts: &DocumentBytes, history: History) -> Result<Bytes, CondenseError> {
    Ok(condense(parts, history)?.snapshot)
}

fn condense(parts: &DocumentBytes, history: History) -> Result<Condensed, CondenseError> {
    let (merged, state_vector) = merge_and_check(parts)?;
    let (snapshot, uncollected) = match history {
        History::Keep => (merged.into(), None),
        History::Collect => match collect_and_check(&merged, &state_vector) {
            Ok(Some(collected)) => (collected, None),
            Ok(None) => (merged.into(), None),
            Err(error) => (merged.into(), Some(error)),
        },
    };
    Ok(Condensed { snapshot, state_vector, uncollected })
}

fn merge_and_check(parts: &DocumentBytes) -> Result<(Vec<u8>, StateVector), CondenseError> {
    let bytes = || parts.parts().map(AsRef::as_ref);
    let merged = sync::merge(bytes())?;
    let state_vector = sync::state_vector_of(bytes())?;
    let same_blocks = sync::state_vector_of([merged.as_slice()])? == state_vector;
    let same_deletions = sync::deletions_of([merged.as_slice()])? == sync::deletions_of(bytes())?;
    if same_blocks && same_deletions { Ok((merged, state_vector)) } else { Err(CondenseError::Different) }
}

/// The merged document without deleted content; `None` when there is none. It must open as the merged one does.
fn collect_and_check(merged: &[u8], state_vector: &StateVector) -> Result<Option<Bytes>, CollectionError> {
    let collected = sync::collect_merged(merged)?;
    if collected == merged {
        return Ok(None);
    }
    if !sync::is_collection_of(&collected, merged) {
        return Err(CollectionError::Different);
    }
    let document = DocumentBytes { snapshot: Some(collected.into()), tail: Vec::new() };
    let index = DocumentIndex::load(&document)?;
    if index.state_vector() != state_vector {
        return Err(CollectionError::Different);
    }
    Ok(document.snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Config, MemoryStore};

    /// Client 7 types "secret" into the text `t`, and deletes all but the last letter.
    const TYPED: &[u8] = &[1, 1, 7, 0, 4, 1, 1, b't', 6, b's', b'e', b'c', b'r', b'e', b't', 0];
    const DELETED: &[u8] = &[0, 1, 7, 1, 0, 5];
    /// Client 9 types after something that nobody has.
    const EARLY: &[u8] = &[1, 1, 9, 0, 0x84, 8, 0, 1, b'x', 0];

    fn condensed(parts: &[&'static [u8]], history: History) -> Condensed {
        let tail = parts.iter().map(|part| Bytes::from_static(part)).collect();
        condense(&DocumentBytes { snapshot: None, tail }, history).unwrap()
    }

    #[test]
    fn deleted_content_is_forgotten_or_kept_as_the_setting_says() {
        let collected = condensed(&[TYPED, DELETED], History::Collect);
        let t_after_five = [1, 2, 7, 0, 1, 1, 1, b't', 5, 0x84, 7, 4, 1, b't', 1, 7, 1, 0, 5];
        assert_eq!((collected.snapshot.as_ref(), collected.uncollected.is_none()), (&t_after_five[..], true));
        let kept = condensed(&[TYPED, DELETED], History::Keep);
        assert_eq!(kept.snapshot, sync::merge([TYPED, DELETED]).unwrap());
        assert_eq!(kept.state_vector, collected.state_vector);
        assert_eq!(condensed(&[TYPED], History::Collect).snapshot, TYPED);
    }

    #[test]
    fn what_cannot_be_opened_again_is_merged_and_keeps_everything() {
        let parts = [TYPED, DELETED, EARLY];
        let condensed = condensed(&parts, History::Collect);
        assert!(matches!(condensed.uncollected, Some(CollectionError::Load(LoadError::Incomplete { part: 0 }))));
        assert_eq!(condensed.snapshot, sync::merge(parts).unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_compaction_that_waits_for_others_does_not_hold_up_a_stop() {
        let (tasks, places) = (Tasks::new(), Arc::new(Semaphore::new(0)));
        let job = Job {
            store: Arc::new(MemoryStore::new(&Config::default())),
            tasks: tasks.clone(),
            places,
            name: DocName::parse("busy").unwrap(),
            generation: Generation::FIRST,
            history: History::Keep,
            parts: DocumentBytes { snapshot: None, tail: vec![Bytes::from_static(TYPED)] },
            upto: 1,
            stored_upto: 1,
            previous_stored_upto: 0,
        };
        let run = job.run();
        tokio::pin!(run);
        let long = std::time::Duration::from_mins(1);
        assert!(tokio::time::timeout(long, &mut run).await.is_err(), "it did not wait for its place");
        tasks.stop();
        assert!(matches!(run.await, Err(CompactionError::Stopping)));
    }
}
