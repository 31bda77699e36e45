//! Making a store smaller: updates that were merged, and space that nothing uses.

use serde::{Deserialize, Serialize};

use super::{Census, Finding, Names, Progress, Seen, Step, census};
use crate::doc_rooms::Rooms;
use crate::shutdown::Tasks;
use crate::storage::{Compaction, Store, StoreError, StoredName};
use crate::sync::{self, DocumentBytes, ScanError};

/// What became smaller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compacted {
    /// Documents of which updates were merged into the snapshot.
    pub documents: u64,
    /// Updates that were merged.
    pub updates: u64,
    /// Bytes of content before.
    pub bytes_before: u64,
    /// Bytes of content after.
    pub bytes_after: u64,
    /// Documents that could not be merged, and stay as they are.
    pub left: Vec<Finding>,
}

/// Merges the updates of every document that no room has open, then gives unused space back to the file system; for that
/// time everything else waits. Rooms merge their documents themselves.
///
/// # Errors
/// When the store fails as a whole.
pub async fn compact(store: &dyn Store, rooms: &Rooms, tasks: &Tasks, seen: Seen<'_>) -> Result<Compacted, StoreError> {
    let before = census(store).await?;
    let mut progress = Progress::start(Step::Merge, &before);
    let mut compacted = Compacted { bytes_before: before.bytes, ..Compacted::default() };
    let mut names = Names::of(store);
    while let Some(entry) = names.next().await? {
        let mut bytes = 0;
        if let StoredName::Document(info) = &entry {
            bytes = info.bytes;
            if info.head - info.snapshot_upto > 0 && rooms.members(&info.name).is_none() {
                one(store, tasks, &entry, &mut compacted).await?;
            }
        }
        progress.add(bytes);
        seen(progress);
    }
    seen(Progress { step: Step::Shrink, ..progress });
    store.shrink().await?;
    let Census { bytes, .. } = census(store).await?;
    compacted.bytes_after = bytes;
    Ok(compacted)
}

async fn one(
    store: &dyn Store,
    tasks: &Tasks,
    entry: &StoredName,
    compacted: &mut Compacted,
) -> Result<(), StoreError> {
    let name = entry.name();
    let outcome = async {
        let document = store.load(name).await?;
        let updates = document.bytes.tail.len() as u64;
        let merged = tasks.run_blocking(move || merge(&document.bytes)).await;
        let snapshot = match merged {
            Some(Ok(snapshot)) => snapshot,
            Some(Err(error)) => return Ok(Err(Finding::new(name, &error))),
            None => return Err(StoreError::Closed),
        };
        let compaction = Compaction {
            generation: document.generation,
            previous_upto: document.snapshot_upto,
            upto: document.head,
            snapshot: snapshot.into(),
        };
        store.compact(name, compaction).await?;
        Ok(Ok(updates))
    };
    match outcome.await {
        Ok(Ok(updates)) => {
            compacted.documents += 1;
            compacted.updates += updates;
        }
        Ok(Err(finding)) => compacted.left.push(finding),
        // Somebody has opened it meanwhile.
        Err(StoreError::Conflict { .. }) => {}
        Err(error @ (StoreError::Corrupt { .. } | StoreError::TooLarge { .. })) => {
            compacted.left.push(Finding::new(name, &error));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn merge(bytes: &DocumentBytes) -> Result<Vec<u8>, ScanError> {
    sync::merge(bytes.parts().map(AsRef::as_ref))
}
