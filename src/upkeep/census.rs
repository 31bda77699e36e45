//! What is in a store, without reading the documents.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::Names;
use crate::ids::DocName;
use crate::storage::{DamagedDocument, Store, StoreError, StoredName};
use crate::telemetry::ErrorChain;

/// What is in a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Documents, those with an unreadable header included.
    pub documents: u64,
    /// Deleted documents, of which only a tombstone is left.
    pub tombstones: u64,
    /// Updates that are in no snapshot.
    pub updates: u64,
    /// Bytes of snapshots and updates, without the store's own overhead.
    pub bytes: u64,
    /// The largest documents, the largest first.
    pub largest: Vec<DocumentSize>,
    /// Documents of which not even the header can be read. Others may be damaged too: only reading them tells.
    pub damaged: Vec<Finding>,
}

/// A document and its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentSize {
    /// The document's name.
    pub name: DocName,
    /// Bytes of its snapshot and updates.
    pub bytes: u64,
    /// Updates that are not in its snapshot.
    pub updates: u64,
}

/// Something about one document that an operator should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The document's name.
    pub name: DocName,
    /// What is the matter, in words.
    pub what: String,
}

impl Finding {
    pub(super) fn new(name: &DocName, error: &dyn std::error::Error) -> Self {
        Self { name: name.clone(), what: ErrorChain(error).to_string() }
    }
}

impl From<DamagedDocument> for Finding {
    fn from(damaged: DamagedDocument) -> Self {
        Self::new(&damaged.name, &damaged.what)
    }
}

/// Counts what is in a store. Reads headers only.
///
/// # Errors
/// When the store fails.
pub async fn census(store: &dyn Store) -> Result<Census, StoreError> {
    let mut census = Census::default();
    let mut names = Names::of(store);
    while let Some(entry) = names.next().await? {
        match entry {
            StoredName::Tombstone { .. } => census.tombstones += 1,
            StoredName::Damaged(damaged) => {
                census.documents += 1;
                census.damaged.push(damaged.into());
            }
            StoredName::Document(info) => {
                let updates = info.head.saturating_sub(info.snapshot_upto);
                census.documents += 1;
                census.updates += updates;
                census.bytes += info.bytes;
                census.rank(DocumentSize { name: info.name, bytes: info.bytes, updates });
            }
        }
    }
    Ok(census)
}

impl Census {
    fn rank(&mut self, document: DocumentSize) {
        let place = self.largest.partition_point(|other| Reverse(other.bytes) <= Reverse(document.bytes));
        if place < LARGEST {
            self.largest.insert(place, document);
            self.largest.truncate(LARGEST);
        }
    }
}

/// How many of the largest documents are named.
const LARGEST: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Generation;
    use crate::storage::MemoryStore;

    #[tokio::test]
    async fn a_census_counts_everything_and_names_the_largest_first() {
        let store = MemoryStore::default();
        let name = |number: usize| DocName::parse(&format!("doc {number}")).unwrap();
        for number in 0..300 {
            let updates = vec![vec![0; number].into(), vec![0; number].into()];
            store.append(&name(number), Generation::FIRST, updates).await.unwrap();
        }
        store.delete(&name(299), Generation::FIRST, bytes::Bytes::new()).await.unwrap();
        let census = census(&store).await.unwrap();
        assert_eq!((census.documents, census.tombstones, census.updates), (299, 1, 598));
        assert_eq!(census.bytes, (0..299).sum::<u64>() * 2);
        let largest: Vec<_> = census.largest.iter().map(|document| document.bytes).collect();
        assert_eq!(largest, (289..299).rev().map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(census.largest.first().unwrap().name, name(298));
    }
}
