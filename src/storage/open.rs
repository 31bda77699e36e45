//! From settings to a store.

use std::sync::Arc;

use super::redb::RedbStore;
use super::{Config, MemoryStore, Store, StoreError, StoreKind};

/// Opens the store that the settings describe, creating its directory when it is missing. Blocks while it does.
///
/// # Errors
/// [`StoreError::Locked`], [`StoreError::Foreign`] and [`StoreError::FormatVersion`] leave the directory untouched.
pub fn open(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    match config.kind {
        StoreKind::Memory => Ok(Arc::new(MemoryStore::new(config))),
        StoreKind::Redb => Ok(Arc::new(RedbStore::in_directory(config)?)),
    }
}
