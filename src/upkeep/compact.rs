//! Making a store smaller: updates that were merged, and space that nothing uses.

use serde::{Deserialize, Serialize};

use super::{Census, Finding, Names, Progress, Seen, Step, census};
use crate::doc_rooms::{CondenseError, Rooms};
use crate::ids::DocName;
use crate::shutdown::Tasks;
use crate::storage::{Compaction, Store, StoreError, StoredName};

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
    /// Documents that are open, which their rooms merge.
    pub open: u64,
    /// Documents that could not be merged, and stay as they are.
    pub left: Vec<Finding>,
}

/// Condenses every document that no room has open, then gives unused space back to the file system; for that time
/// everything else waits. Rooms condense their documents themselves.
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
            if rooms.members(&info.name).is_none() {
                compacted.condense(store, rooms, tasks, &info.name).await?;
            } else {
                compacted.open += 1;
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

impl Compacted {
    async fn condense(
        &mut self,
        store: &dyn Store,
        rooms: &Rooms,
        tasks: &Tasks,
        name: &DocName,
    ) -> Result<(), StoreError> {
        match condense(store, rooms, tasks, name).await {
            Ok(Ok(Some(updates))) => {
                self.documents += 1;
                self.updates += updates;
            }
            Ok(Err(error)) => self.left.push(Finding::new(name, &error)),
            // Nothing was to be gained, or somebody has opened it meanwhile.
            Ok(Ok(None)) | Err(StoreError::Conflict { .. }) => {}
            Err(error @ (StoreError::Corrupt { .. } | StoreError::TooLarge { .. })) => {
                self.left.push(Finding::new(name, &error));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Returns how many updates went into the snapshot; `None` when nothing was to be gained.
async fn condense(
    store: &dyn Store,
    rooms: &Rooms,
    tasks: &Tasks,
    name: &DocName,
) -> Result<Result<Option<u64>, CondenseError>, StoreError> {
    let document = store.load(name).await?;
    let (length, updates) = (document.bytes.len(), document.bytes.tail.len() as u64);
    let rooms = rooms.clone();
    let condensed = tasks.run_blocking(move || rooms.condense(&document.bytes)).await.ok_or(StoreError::Closed)?;
    let snapshot = match condensed {
        Ok(snapshot) if updates > 0 || snapshot.len() < length => snapshot,
        Ok(_) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    let (previous_upto, upto) = (document.snapshot_upto, document.head);
    store.compact(name, Compaction { generation: document.generation, previous_upto, upto, snapshot }).await?;
    Ok(Ok(Some(updates)))
}
