//! A whole store as the bytes of one file, made while others write.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Names, census};
use crate::doc_rooms::Rooms;
use crate::ids::DocName;
use crate::storage::{
    BackupInfo, BackupWriter, DamagedDocument, Restoration, Store, StoreError, StoreKind, StoredName,
};
use crate::telemetry::ErrorChain;

/// Sends a backup of a store, portion by portion; ends early when nobody takes it.
///
/// Each document is one that was stored at one moment, and at least as new as what its members had been sent when the
/// backup began, unless it is marked as unsaved because the store did not take that in time. Documents that cannot be read
/// are named in their place. When the store fails as a whole, the backup says so at its end, and no reader takes it.
pub async fn backup(store: &dyn Store, rooms: &Rooms, engine: StoreKind, out: &mpsc::Sender<Bytes>) {
    let Ok((info, names)) = begin(store, engine).await.map(|info| (info, Names::of(store))) else { return };
    let mut writer = BackupWriter::new(&info);
    let last = match all(store, rooms, names, &mut writer, out).await {
        Ok(()) => writer.finish(),
        Err(Ending::Gone) => return,
        Err(Ending::Failed(error)) => writer.give_up(&ErrorChain(&error).to_string()),
    };
    let _nobody_reads = out.send(last).await.is_err();
}

/// What ends a backup early.
enum Ending {
    /// Nobody takes it.
    Gone,
    /// The store failed.
    Failed(StoreError),
}

impl From<StoreError> for Ending {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

async fn begin(store: &dyn Store, engine: StoreKind) -> Result<BackupInfo, StoreError> {
    let census = census(store).await?;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(BackupInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: engine.to_string(),
        begun: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        names: census.documents + census.tombstones,
        bytes: census.bytes,
    })
}

async fn all(
    store: &dyn Store,
    rooms: &Rooms,
    mut names: Names<'_>,
    writer: &mut BackupWriter,
    out: &mpsc::Sender<Bytes>,
) -> Result<(), Ending> {
    while let Some(entry) = names.next().await? {
        let name = entry.name().clone();
        let unsaved = !rooms.settled(&name, PATIENCE).await;
        match read(store, entry).await {
            Ok(restoration) => {
                for chunk in writer.document(&name, &restoration, unsaved) {
                    out.send(chunk).await.or(Err(Ending::Gone))?;
                }
            }
            Err(StoreError::Corrupt { doc, what }) => {
                writer.missing(&doc, &ErrorChain(&what).to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A name's whole document, with its times.
pub(super) async fn read(store: &dyn Store, entry: StoredName) -> Result<Restoration, StoreError> {
    let (created, updated) = match &entry {
        StoredName::Document(info) => (info.created, info.updated),
        StoredName::Tombstone { .. } => (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH),
        StoredName::Damaged(DamagedDocument { name, what }) => {
            return Err(StoreError::Corrupt { doc: DocName::clone(name), what: what.clone() });
        }
    };
    Ok(Restoration { document: store.load(entry.name()).await?, created, updated })
}

/// How long a document that is being edited may take until what was accepted is durable.
const PATIENCE: Duration = Duration::from_secs(10);
