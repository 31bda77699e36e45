//! From settings to a store.

use std::path::Path;
use std::sync::Arc;

use super::redb::{self, Rebuilt, RedbStore};
use super::sled::SledStore;
use super::{Config, MemoryStore, Store, StoreError, StoreKind};

/// Opens the store that the settings describe, creating its directory when it is missing. Blocks while it does.
///
/// # Errors
/// [`StoreError::Locked`], [`StoreError::Foreign`] and [`StoreError::FormatVersion`] leave the directory untouched.
pub fn open(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    match config.kind {
        StoreKind::Memory => Ok(Arc::new(MemoryStore::new(config))),
        StoreKind::Redb => Ok(Arc::new(RedbStore::open(config)?)),
        StoreKind::Sled => Ok(Arc::new(SledStore::open(config)?)),
    }
}

/// Makes a new data directory of what can be read of one that [`open`] refuses as damaged, which is left as it is.
///
/// The new directory opens. Documents that are damaged are so in it too: [`Store::remains`] tells what is left of them.
/// `None` for engines of which no damaged file can be read.
///
/// # Errors
/// When the directory is in use or holds no store, `into` holds something, or nothing can be read.
pub fn rescue(config: &Config, into: &Path) -> Result<Option<Rebuilt>, StoreError> {
    match config.kind {
        StoreKind::Memory | StoreKind::Sled => Ok(None),
        StoreKind::Redb => redb::rescue(config, into).map(Some),
    }
}
