//! A whole store as the bytes of one file, made while others write.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::mpsc;

use super::{Census, Names, census};
use crate::doc_rooms::Rooms;
use crate::ids::DocName;
use crate::shutdown::Tasks;
use crate::storage::{BackupInfo, BackupWriter, Restoration, Store, StoreError, StoreKind, StoredDocument, StoredName};
use crate::telemetry::ErrorChain;

/// What a backup is made from.
#[derive(Debug)]
pub struct Backup<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// The documents that are open.
    pub rooms: &'a Rooms,
    /// Tells when the server stops, and the backup with it.
    pub stopping: &'a Tasks,
    /// The store's engine.
    pub engine: StoreKind,
}

/// What ends a backup early.
#[derive(Debug, Error)]
enum Ending {
    #[error("nobody takes it")]
    Gone,
    #[error("the server is stopping")]
    Stopping,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Backup<'_> {
    /// Sends the backup, portion by portion; ends early when nobody takes it.
    ///
    /// Each document is one that was stored at one moment, and at least as new as what its members had been sent when the
    /// backup began. Where the store did not take that in time, the document is marked as unsaved, or named in its place
    /// if it was never stored. Documents that cannot be read are named too. When the store fails as a whole or the server
    /// stops, the backup says so at its end, and no reader takes it.
    pub async fn send(self, out: &mpsc::Sender<Bytes>) {
        // First: whatever is durable now is found by reading later.
        let unsaved = self.rooms.settle(PATIENCE).await;
        let counted = census(self.store).await;
        let mut writer = BackupWriter::new(&self.info(counted.as_ref().unwrap_or(&Census::default())));
        let outcome = match counted {
            Ok(_) => self.documents(unsaved, &mut writer, out).await,
            Err(error) => Err(error.into()),
        };
        let last = match outcome {
            Ok(()) => writer.finish(),
            Err(Ending::Gone) => return,
            Err(ending) => writer.give_up(&ErrorChain(&ending).to_string()),
        };
        let _nobody_reads = self.portion(out, last).await.is_err();
    }

    fn info(&self, census: &Census) -> BackupInfo {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        BackupInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: self.engine.to_string(),
            begun: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            names: census.documents + census.tombstones,
            bytes: census.bytes,
        }
    }

    async fn documents(
        &self,
        mut unsaved: BTreeSet<DocName>,
        writer: &mut BackupWriter,
        out: &mpsc::Sender<Bytes>,
    ) -> Result<(), Ending> {
        let mut names = Names::of(self.store);
        while let Some(entry) = names.next().await? {
            if self.stopping.is_stopping() {
                return Err(Ending::Stopping);
            }
            let name = entry.name().clone();
            let is_unsaved = unsaved.remove(&name);
            never_stored(&mut unsaved, Some(&name), writer);
            match read(self.store, &entry).await {
                Ok(restoration) => {
                    for chunk in writer.document(&name, &restoration, is_unsaved) {
                        self.portion(out, chunk).await?;
                    }
                }
                Err(StoreError::Corrupt { doc, what }) => writer.missing(&doc, &ErrorChain(&what).to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        never_stored(&mut unsaved, None, writer);
        Ok(())
    }

    /// Whoever reads slowly does not keep a server from stopping.
    async fn portion(&self, out: &mpsc::Sender<Bytes>, bytes: Bytes) -> Result<(), Ending> {
        tokio::select! {
            biased; // what fits is sent even then, the reason at the end above all
            sent = out.send(bytes) => sent.or(Err(Ending::Gone)),
            () = self.stopping.stopped() => Err(Ending::Gone),
        }
    }
}

/// Names the documents before this one, or all, of which no edit was ever stored.
fn never_stored(unsaved: &mut BTreeSet<DocName>, before: Option<&DocName>, writer: &mut BackupWriter) {
    while let Some(name) = unsaved.first().filter(|name| before.is_none_or(|before| *name < before)).cloned() {
        unsaved.remove(&name);
        writer.missing(&name, "its edits could not be saved yet");
    }
}

/// A name's whole document, with its times.
pub(super) async fn read(store: &dyn Store, entry: &StoredName) -> Result<Restoration, StoreError> {
    let document = store.load(entry.name()).await?;
    let (created, updated) = match entry {
        StoredName::Document(info) if info.generation == document.generation => (info.created, info.updated),
        _ => times(store, entry.name(), &document).await?,
    };
    Ok(Restoration { document, created, updated })
}

/// The times of a document that was another one, or none, when it was listed. A tombstone has none.
async fn times(
    store: &dyn Store,
    name: &DocName,
    document: &StoredDocument,
) -> Result<(SystemTime, SystemTime), StoreError> {
    if document.head == 0 {
        return Ok((SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH));
    }
    let info = store.stat(name).await?;
    Ok(info.map_or_else(|| (SystemTime::now(), SystemTime::now()), |info| (info.created, info.updated)))
}

/// How long documents that are being edited may take until what was accepted is durable.
const PATIENCE: Duration = Duration::from_secs(5);
