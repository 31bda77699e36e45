//! A store in the making: it gets its place once it is complete.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::CommandError;
use super::files::{beside, sync_parent};
use crate::storage::{self, Config, Store};

/// A store in a directory beside the one that it becomes. What is not completed is removed.
#[derive(Debug)]
pub(super) struct NewStore {
    store: Arc<dyn Store>,
    unfinished: PathBuf,
    directory: PathBuf,
    is_complete: bool,
}

impl NewStore {
    /// Begins a store that becomes the one of `config`, whose directory must be missing or empty.
    pub(super) fn begin(config: &Config) -> Result<Self, CommandError> {
        let directory = config.data.clone();
        let is_empty = match fs::read_dir(&directory) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => !directory.exists(),
        };
        if !is_empty {
            return Err(CommandError::NotEmpty { path: directory });
        }
        let unfinished = beside(&directory, "unfinished");
        if unfinished.exists() {
            // Left behind by a command that was killed, and of no use to anyone.
            remove(&unfinished)?;
        }
        let store = storage::open(&Config { data: unfinished.clone(), ..config.clone() })?;
        Ok(Self { store, unfinished, directory, is_complete: false })
    }

    /// What is to be filled.
    pub(super) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Where things that are no documents may be put.
    pub(super) fn path(&self) -> &Path {
        &self.unfinished
    }

    /// Closes the store and gives its directory its name.
    pub(super) async fn complete(mut self) -> Result<(), CommandError> {
        self.store.close().await?;
        let finish = || {
            // An empty directory may be replaced by another one.
            fs::rename(&self.unfinished, &self.directory)?;
            sync_parent(&self.directory)
        };
        finish().map_err(|source| CommandError::Write { path: self.directory.clone(), source })?;
        self.is_complete = true;
        Ok(())
    }
}

impl Drop for NewStore {
    fn drop(&mut self) {
        if !self.is_complete {
            let _is_told_by_what_failed = remove(&self.unfinished).is_err();
        }
    }
}

fn remove(path: &Path) -> Result<(), CommandError> {
    fs::remove_dir_all(path).map_err(|source| CommandError::Write { path: path.to_owned(), source })
}
