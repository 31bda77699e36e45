//! From one store to another: all of it, or all that is left of it.

use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::backup::read;
use super::{Names, Progress, Seen, Step, census};
use crate::ids::{DocName, Generation};
use crate::storage::{Remains, Restoration, Store, StoreError, StoredDocument, StoredName};
use crate::sync::{self, DocumentBytes, DocumentIndex, Integration};

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Whole documents.
    pub documents: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// Damaged documents.
    pub damaged: Vec<Salvaged>,
}

/// What became of a damaged document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salvaged {
    /// The document's name.
    pub name: DocName,
    /// What is wrong with it, in words.
    pub what: Vec<String>,
    /// Bytes of content that are in the copy.
    pub bytes: u64,
    /// Bytes that could be read but build on something that is lost: they were put aside.
    pub aside: u64,
}

/// Takes what cannot be in the document any more.
pub type Aside<'a> = &'a mut (dyn FnMut(&DocName, &[u8]) -> std::io::Result<()> + Send);

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// One of the stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was put aside could not be written.
    #[error("what is left of the document {doc:?} cannot be written")]
    Aside {
        /// The document.
        doc: DocName,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Copies every document and tombstone; the first that cannot be read ends it.
///
/// # Errors
/// When a document is damaged or a store fails.
pub async fn migrate(from: &dyn Store, to: &dyn Store, seen: Seen<'_>) -> Result<Copied, StoreError> {
    let mut progress = Progress::start(Step::Copy, &census(from).await?);
    let mut copied = Copied::default();
    let mut names = Names::of(from);
    while let Some(entry) = names.next().await? {
        let bytes = copied.take(to, entry.name().clone(), read(from, &entry).await?).await?;
        progress.add(bytes);
        seen(progress);
    }
    Ok(copied)
}

/// Whether two stores hold the same under the same names.
///
/// # Errors
/// When one of them fails.
pub async fn first_difference(one: &dyn Store, other: &dyn Store) -> Result<Option<DocName>, StoreError> {
    let (mut ones, mut others) = (Names::of(one), Names::of(other));
    loop {
        let (first, second) = (ones.next().await?, others.next().await?);
        let (Some(first), Some(second)) = (&first, &second) else {
            return Ok(first.or(second).map(|entry| entry.name().clone()));
        };
        if first.name() != second.name() || one.load(first.name()).await? != other.load(second.name()).await? {
            return Ok(Some(first.name().clone()));
        }
    }
}

/// Copies every document that is sound, and of the damaged ones what can be read.
///
/// # Errors
/// When a store fails as a whole, or what is put aside cannot be written.
pub async fn salvage(from: &dyn Store, to: &dyn Store, aside: Aside<'_>, seen: Seen<'_>) -> Result<Copied, CopyError> {
    let mut progress = Progress::start(Step::Copy, &census(from).await?);
    let mut copied = Copied::default();
    let mut names = Names::of(from);
    while let Some(entry) = names.next().await? {
        let name = entry.name().clone();
        let times = times(&entry);
        let bytes = match read(from, &entry).await {
            Ok(restoration) => copied.take(to, name, restoration).await?,
            Err(StoreError::Corrupt { .. }) => {
                let rescued = Rescued::of(from.remains(&name).await?);
                let Rescued { document, rest, what } = rescued;
                let bytes = document.bytes.len() as u64;
                let (created, updated) = times;
                to.restore(&name, Restoration { document, created, updated }).await?;
                if let Some(rest) = &rest {
                    aside(&name, rest).map_err(|source| CopyError::Aside { doc: name.clone(), source })?;
                }
                let aside = rest.map_or(0, |rest| rest.len() as u64);
                copied.damaged.push(Salvaged { name, what, bytes, aside });
                bytes
            }
            Err(error) => return Err(error.into()),
        };
        progress.add(bytes);
        seen(progress);
    }
    Ok(copied)
}

impl Copied {
    async fn take(&mut self, to: &dyn Store, name: DocName, restoration: Restoration) -> Result<u64, StoreError> {
        let bytes = restoration.document.bytes.len() as u64;
        *if restoration.document.head == 0 { &mut self.tombstones } else { &mut self.documents } += 1;
        self.bytes += bytes;
        to.restore(&name, restoration).await?;
        Ok(bytes)
    }
}

/// What is left of a damaged document.
struct Rescued {
    document: StoredDocument,
    /// Updates that build on something that is lost.
    rest: Option<Vec<u8>>,
    what: Vec<String>,
}

impl Rescued {
    /// Keeps everything that does not build on what is lost.
    fn of(remains: Remains) -> Self {
        let Remains { generation, ancestors, head, snapshot, updates, damage, .. } = remains;
        let last = updates.last().map(|(seq, _)| *seq).max(snapshot.as_ref().map(|(upto, _)| *upto)).max(head);
        let mut index = DocumentIndex::new();
        let (mut kept, mut rest) = (Vec::new(), Vec::new());
        let mut waiting: Vec<Bytes> = snapshot.into_iter().chain(updates).map(|(_, part)| part).collect();
        // A later update may bring again what an earlier one lacks.
        loop {
            let before = kept.len();
            for part in std::mem::take(&mut waiting) {
                match index.integrate(&part) {
                    Ok(Integration::Contained) => {}
                    Ok(Integration::Complete) => kept.push(part),
                    Ok(Integration::Partial { accepted, rest }) => {
                        kept.extend(accepted.map(Bytes::from));
                        waiting.push(rest.into());
                    }
                    Err(_) => rest.push(part),
                }
            }
            if waiting.is_empty() || kept.len() == before {
                break;
            }
        }
        rest.extend(waiting);
        let document = StoredDocument {
            generation: generation.unwrap_or(Generation::FIRST),
            ancestors,
            ..renumbered(&kept, last.unwrap_or(0).saturating_add(1))
        };
        let rest = if rest.is_empty() { None } else { Some(merged(&rest)) };
        Self { document, rest, what: damage.iter().map(ToString::to_string).collect() }
    }
}

/// A document of these updates with a number that it never had: whoever remembers an old number must not take this for that.
fn renumbered(updates: &[Bytes], head: u64) -> StoredDocument {
    if updates.is_empty() {
        return StoredDocument::default();
    }
    let snapshot = Some(Bytes::from(merged(updates)));
    let bytes = DocumentBytes { snapshot, tail: Vec::new() };
    StoredDocument { snapshot_upto: head, head, bytes, ..StoredDocument::default() }
}

/// One update of several; if they are none, one after the other.
fn merged(updates: &[Bytes]) -> Vec<u8> {
    sync::merge(updates.iter().map(AsRef::as_ref)).unwrap_or_else(|_| updates.concat())
}

fn times(entry: &StoredName) -> (SystemTime, SystemTime) {
    match entry {
        StoredName::Document(info) => (info.created, info.updated),
        _ => (SystemTime::now(), SystemTime::now()),
    }
}
