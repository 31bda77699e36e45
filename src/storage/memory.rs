//! A store in memory, with every rule of the ones on disk but durability: for tests and `--store memory`.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    Compaction, Config, DocumentInfo, Health, Remains, Restoration, Store, StoreCounters, StoreError, StoredDocument,
    StoredName,
};
use crate::ids::{DocName, Generation};
use crate::sync::DocumentBytes;

/// A [`Store`] that forgets everything when it is dropped.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use ydock::storage::{MemoryStore, Store};
/// use ydock::{DocName, Generation};
///
/// let store = MemoryStore::default();
/// let plan = DocName::parse("plan")?;
/// assert_eq!(store.append(&plan, Generation::FIRST, vec!["update".into()]).await?, 1);
/// assert_eq!(store.load(&plan).await?.bytes.tail, ["update"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    documents: Mutex<Documents>,
    counters: StoreCounters,
    max_update: u64,
    max_snapshot: u64,
}

/// `None` once closed.
type Documents = Option<BTreeMap<DocName, MemoryDocument>>;

#[derive(Debug)]
struct MemoryDocument {
    stored: StoredDocument,
    created: SystemTime,
    updated: SystemTime,
}

impl MemoryStore {
    /// An empty store with the bounds of `config`.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            documents: Mutex::new(Some(BTreeMap::new())),
            counters: StoreCounters::default(),
            max_update: config.max_update.as_u64(),
            max_snapshot: config.max_snapshot.as_u64(),
        }
    }

    fn documents(&self) -> MutexGuard<'_, Documents> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&BTreeMap<DocName, MemoryDocument>) -> T) -> Result<T, StoreError> {
        self.documents().as_ref().map(read).ok_or(StoreError::Closed)
    }

    /// Runs a change on a document that has the given generation.
    fn change<T>(
        &self,
        doc: &DocName,
        generation: Generation,
        change: impl FnOnce(&mut MemoryDocument) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut documents = self.documents();
        let documents = documents.as_mut().ok_or(StoreError::Closed)?;
        let mut fresh = MemoryDocument::default();
        let found = documents.get_mut(doc);
        let is_new = found.is_none();
        let document = found.unwrap_or(&mut fresh);
        if document.stored.generation != generation {
            return Err(document.conflict(doc));
        }
        let answer = change(document)?;
        if is_new && *document != MemoryDocument::default() {
            documents.insert(doc.clone(), fresh);
        }
        Ok(answer)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(&Config::default())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn append(&self, doc: &DocName, generation: Generation, updates: Vec<Bytes>) -> Result<u64, StoreError> {
        for update in &updates {
            within(update, self.max_update)?;
        }
        let (records, bytes) = (updates.len() as u64, updates.iter().map(|update| update.len() as u64).sum());
        let head = self.change(doc, generation, |document| {
            document.append(updates);
            Ok(document.stored.head)
        })?;
        self.counters.committed(records, bytes, Duration::ZERO);
        Ok(head)
    }

    async fn load(&self, doc: &DocName) -> Result<StoredDocument, StoreError> {
        self.read(|documents| documents.get(doc).map(|document| document.stored.clone()).unwrap_or_default())
    }

    async fn compact(&self, doc: &DocName, compaction: Compaction) -> Result<(), StoreError> {
        within(&compaction.snapshot, self.max_snapshot)?;
        let bytes = compaction.snapshot.len() as u64;
        self.change(doc, compaction.generation, |document| document.compact(doc, compaction))?;
        self.counters.committed(0, bytes, Duration::ZERO);
        Ok(())
    }

    async fn delete(&self, doc: &DocName, generation: Generation, ancestors: Bytes) -> Result<Generation, StoreError> {
        within(&ancestors, self.max_update)?;
        let bytes = ancestors.len() as u64;
        let next = generation.next();
        self.change(doc, generation, |document| {
            document.stored = StoredDocument { generation: next, ancestors, ..StoredDocument::default() };
            Ok(())
        })?;
        self.counters.committed(0, bytes, Duration::ZERO);
        Ok(next)
    }

    async fn list(&self, after: Option<&DocName>, limit: usize) -> Result<Vec<DocumentInfo>, StoreError> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.read(|documents| {
            let rest = documents.range::<DocName, _>((after, Bound::Unbounded));
            rest.filter_map(|(name, document)| document.info(name)).take(limit).collect()
        })
    }

    async fn stat(&self, doc: &DocName) -> Result<Option<DocumentInfo>, StoreError> {
        self.read(|documents| documents.get(doc).and_then(|document| document.info(doc)))
    }

    fn health(&self) -> Health {
        if self.documents().is_some() { Health::Ok } else { Health::Failed { reason: StoreError::Closed.to_string() } }
    }

    fn counters(&self) -> &StoreCounters {
        &self.counters
    }

    async fn names(&self, after: Option<&DocName>, limit: usize) -> Result<Vec<StoredName>, StoreError> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.read(|documents| {
            let rest = documents.range::<DocName, _>((after, Bound::Unbounded));
            rest.take(limit).map(|(name, document)| document.entry(name)).collect()
        })
    }

    async fn restore(&self, doc: &DocName, restoration: Restoration) -> Result<(), StoreError> {
        restoration.check(doc)?;
        let bytes = restoration.document.bytes.len() as u64;
        let mut documents = self.documents();
        let documents = documents.as_mut().ok_or(StoreError::Closed)?;
        if let Some(document) = documents.get(doc) {
            return Err(document.conflict(doc));
        }
        let Restoration { document: stored, created, updated } = restoration;
        let document = MemoryDocument { stored, created: whole_millis(created), updated: whole_millis(updated) };
        if document != MemoryDocument::default() {
            documents.insert(doc.clone(), document);
        }
        self.counters.committed(0, bytes, Duration::ZERO);
        Ok(())
    }

    async fn remains(&self, doc: &DocName) -> Result<Remains, StoreError> {
        self.read(|documents| documents.get(doc).map(MemoryDocument::remains).unwrap_or_default())
    }

    async fn close(&self) -> Result<(), StoreError> {
        *self.documents() = None;
        Ok(())
    }
}

impl MemoryDocument {
    fn append(&mut self, updates: Vec<Bytes>) {
        if updates.is_empty() {
            return;
        }
        self.updated = whole_millis(SystemTime::now());
        if self.stored.head == 0 {
            self.created = self.updated;
        }
        self.stored.head += updates.len() as u64;
        self.stored.bytes.tail.extend(updates);
    }

    fn compact(&mut self, doc: &DocName, compaction: Compaction) -> Result<(), StoreError> {
        let Compaction { previous_upto, upto, snapshot, .. } = compaction;
        let stored = &mut self.stored;
        if previous_upto != stored.snapshot_upto || upto == 0 || upto < previous_upto || upto > stored.head {
            return Err(self.conflict(doc));
        }
        let covered = usize::try_from(upto - previous_upto).unwrap_or(usize::MAX);
        let tail = stored.bytes.tail.iter().skip(covered).cloned().collect();
        stored.bytes = DocumentBytes { snapshot: Some(snapshot), tail };
        stored.snapshot_upto = upto;
        self.updated = whole_millis(SystemTime::now());
        Ok(())
    }

    fn conflict(&self, doc: &DocName) -> StoreError {
        let StoredDocument { generation, head, snapshot_upto, .. } = self.stored;
        StoreError::Conflict { doc: doc.clone(), generation, head, snapshot_upto }
    }

    fn entry(&self, name: &DocName) -> StoredName {
        match self.info(name) {
            Some(info) => StoredName::Document(info),
            None => StoredName::Tombstone { name: name.clone(), generation: self.stored.generation },
        }
    }

    fn remains(&self) -> Remains {
        let StoredDocument { generation, ancestors, snapshot_upto, head, bytes } = self.stored.clone();
        Remains {
            generation: Some(generation),
            ancestors,
            head: Some(head),
            snapshot: bytes.snapshot.map(|snapshot| (snapshot_upto, snapshot)),
            updates: (snapshot_upto + 1..).zip(bytes.tail).collect(),
            damage: Vec::new(),
        }
    }

    fn info(&self, name: &DocName) -> Option<DocumentInfo> {
        let StoredDocument { generation, head, snapshot_upto, .. } = self.stored;
        (head > 0).then(|| DocumentInfo {
            name: name.clone(),
            generation,
            head,
            snapshot_upto,
            bytes: self.stored.bytes.len() as u64,
            created: self.created,
            updated: self.updated,
        })
    }
}

impl Default for MemoryDocument {
    fn default() -> Self {
        let (created, updated) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH);
        Self { stored: StoredDocument::default(), created, updated }
    }
}

impl PartialEq for MemoryDocument {
    fn eq(&self, other: &Self) -> bool {
        self.stored == other.stored
    }
}

fn within(bytes: &Bytes, max: u64) -> Result<(), StoreError> {
    let len = bytes.len() as u64;
    if len > max { Err(StoreError::TooLarge { len, max }) } else { Ok(()) }
}

fn whole_millis(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::storage::conformance::{self, Fixture};

    #[derive(Default)]
    struct Memory;

    impl Fixture for Memory {
        fn open(&self) -> Arc<dyn Store> {
            Arc::new(MemoryStore::new(&conformance::config()))
        }

        const IS_DURABLE: bool = false;
    }

    conformance::suite!(Memory);
}
