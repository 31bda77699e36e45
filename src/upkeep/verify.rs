//! Whether everything in a store can be read, and whether what is read are Yjs documents.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Census, Finding, Names, Progress, Seen, Step, census};
use crate::materialise::{DocumentKey, Export, MaterialiseError, Materialiser, Refusal, Root, Source};
use crate::shutdown::Tasks;
use crate::storage::{self, Store, StoreError, StoredDocument, StoredName};
use crate::sync::{self, DocumentBytes, DocumentIndex, LoadError, ScanError, StateVector, StateVectorError};

/// What was read and found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Whether nothing is wrong.
    pub sound: bool,
    /// Documents read, damaged ones included.
    pub documents: u64,
    /// Names of which only a tombstone is left.
    pub tombstones: u64,
    /// Updates read from the tails of sound documents.
    pub updates: u64,
    /// Bytes of snapshots and updates read from sound documents.
    pub bytes: u64,
    /// Documents whose records cannot be read.
    pub damaged: Vec<Finding>,
    /// What is wrong with the store apart from single documents.
    pub flaws: Vec<String>,
    /// Documents whose records are as they were written, but are no Yjs document; looked for only on request.
    pub undecodable: Vec<Finding>,
    /// Documents that could not be decoded for want of time or memory, or because they hold what exports do not support.
    pub undecided: Vec<Finding>,
    /// Documents that were decoded.
    pub decoded: u64,
}

/// What decodes documents.
#[derive(Debug)]
pub struct Deep {
    /// Where the scanner runs.
    pub tasks: Tasks,
    /// Where the Yjs engine runs.
    pub materialiser: Arc<dyn Materialiser>,
}

/// Reads every record of a store and, with `deep`, decodes every document. Others may read and write meanwhile.
///
/// # Errors
/// When the store fails as a whole. What is damaged is no error but in the report.
pub async fn verify(store: &dyn Store, deep: Option<&Deep>, seen: Seen<'_>) -> Result<Verified, StoreError> {
    let census = census(store).await?;
    let mut progress = Progress::start(Step::Read, &census);
    seen(progress);
    let report = storage::verify(store, |report| {
        progress.names = report.documents + report.tombstones;
        progress.bytes = report.bytes;
        seen(progress);
    });
    let report = report.await?;
    let mut verified = Verified {
        documents: report.documents,
        tombstones: report.tombstones,
        updates: report.updates,
        bytes: report.bytes,
        damaged: report.damaged.into_iter().map(Finding::from).collect(),
        flaws: report.flaws.iter().map(ToString::to_string).collect(),
        ..Verified::default()
    };
    if let Some(deep) = deep {
        deep.verify(store, &census, &mut verified, seen).await?;
    }
    verified.sound = verified.damaged.is_empty() && verified.flaws.is_empty() && verified.undecodable.is_empty();
    Ok(verified)
}

/// Why a document that was read is none.
#[derive(Debug, Error)]
enum Undecodable {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("its updates cannot be merged")]
    Scan(#[from] ScanError),
    #[error("the state vector of its earlier generations cannot be decoded")]
    Ancestors(#[from] StateVectorError),
    #[error("decoding it panicked")]
    Panicked,
}

impl Deep {
    async fn verify(
        &self,
        store: &dyn Store,
        census: &Census,
        verified: &mut Verified,
        seen: Seen<'_>,
    ) -> Result<(), StoreError> {
        let mut progress = Progress::start(Step::Decode, census);
        let mut names = Names::of(store);
        while let Some(entry) = names.next().await? {
            let name = entry.name();
            let mut bytes = 0;
            match store.load(name).await {
                Ok(document) => {
                    bytes = document.bytes.len() as u64;
                    self.decode(&entry, document, verified).await;
                }
                // The first reading has found it.
                Err(StoreError::Corrupt { .. }) => {}
                Err(error) => return Err(error),
            }
            progress.add(bytes);
            seen(progress);
        }
        Ok(())
    }

    async fn decode(&self, entry: &StoredName, document: StoredDocument, verified: &mut Verified) {
        let name = entry.name();
        let StoredDocument { generation, ancestors, head, bytes, .. } = document;
        let scanned = self.tasks.run_blocking(move || scan(&ancestors, &bytes)).await;
        let (merged, roots) = match scanned.unwrap_or(Err(Undecodable::Panicked)) {
            Ok(scanned) => scanned,
            Err(error) => return verified.undecodable.push(Finding::new(name, &error)),
        };
        if head == 0 {
            return;
        }
        // As one snapshot: an update of the tail that cannot be integrated would be left out of an export in silence.
        let bytes = DocumentBytes { snapshot: Some(merged), tail: Vec::new() };
        let key = DocumentKey { name: name.clone(), generation };
        match self.export(&Source { key, bytes, snapshot_upto: head, head }, roots).await {
            Ok(()) => verified.decoded += 1,
            Err(error) if tells_of_the_document(&error) => verified.undecodable.push(Finding::new(name, &error)),
            Err(error) => verified.undecided.push(Finding::new(name, &error)),
        }
    }

    async fn export(&self, source: &Source, roots: Vec<Root>) -> Result<(), MaterialiseError> {
        let mut attempts = 0;
        loop {
            match self.materialiser.export(source.clone(), Export::Json { roots: roots.clone() }).await {
                Err(MaterialiseError::Busy) if attempts < ATTEMPTS => {
                    attempts += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                outcome => return outcome.map(drop),
            }
        }
    }
}

/// Decodes as a room would that opens the document, and merges.
fn scan(ancestors: &[u8], bytes: &DocumentBytes) -> Result<(Bytes, Vec<Root>), Undecodable> {
    if !ancestors.is_empty() {
        StateVector::decode(ancestors, usize::MAX)?;
    }
    let index = DocumentIndex::load(bytes)?;
    let merged = sync::merge(bytes.parts().map(AsRef::as_ref))?;
    let roots = index.root_kinds().into_iter().map(|(name, kind)| Root { name, kind }).collect();
    Ok((merged.into(), roots))
}

/// Whether an export failed because of what the document is, and not for want of something.
fn tells_of_the_document(error: &MaterialiseError) -> bool {
    matches!(
        error,
        MaterialiseError::Crashed | MaterialiseError::Refused(Refusal::Undecodable { .. } | Refusal::Failed { .. })
    )
}

/// How often a document is tried that meets a full queue of exports.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);
