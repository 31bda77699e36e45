//! A store in the making: it gets its place once it is complete.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::CommandError;
use super::files::{beside, sync_parent};
use crate::storage::{self, Config, Store, StoreError};

/// A store in a directory of its own that takes the place of another, empty one. What is not completed is removed.
#[derive(Debug)]
pub(super) struct NewStore {
    /// Gone first when this is dropped: a store must not write into a directory that is being removed.
    store: Option<Arc<dyn Store>>,
    unfinished: PathBuf,
    directory: PathBuf,
    is_complete: bool,
}

impl NewStore {
    /// Begins a store that becomes the one of `config`, whose directory must be missing or empty.
    pub(super) fn begin(config: &Config) -> Result<Self, CommandError> {
        // `.` has no name that another directory could have beside it.
        let named = std::path::absolute(&config.data);
        let directory = named.map_err(|source| CommandError::Write { path: config.data.clone(), source })?;
        let unfinished = place(&directory);
        if !is_vacant(&directory, &unfinished) {
            return Err(CommandError::NotEmpty { path: directory });
        }
        if unfinished.exists() {
            // Left behind by a command that was killed, and of no use to anyone.
            remove(&unfinished)?;
        }
        let store = storage::open(&Config { data: unfinished.clone(), ..config.clone() })?;
        Ok(Self { store: Some(store), unfinished, directory, is_complete: false })
    }

    /// What is to be filled.
    pub(super) fn store(&self) -> Result<&dyn Store, StoreError> {
        self.store.as_deref().ok_or(StoreError::Closed)
    }

    /// Where things that are no documents may be put.
    pub(super) fn path(&self) -> &Path {
        &self.unfinished
    }

    /// Closes the store and gives its directory its name.
    pub(super) async fn complete(mut self) -> Result<(), CommandError> {
        if let Some(store) = self.store.take() {
            store.close().await?;
        }
        self.move_in().map_err(|source| CommandError::Write { path: self.directory.clone(), source })?;
        self.is_complete = true;
        Ok(())
    }

    fn move_in(&self) -> io::Result<()> {
        if self.unfinished.parent() != Some(&self.directory) {
            // An empty directory may be replaced by another one.
            fs::rename(&self.unfinished, &self.directory)?;
            return sync_parent(&self.directory);
        }
        // Without its format file no directory is opened, so that comes last.
        for entry in fs::read_dir(&self.unfinished)? {
            let entry = entry?;
            if entry.file_name() != LAST {
                fs::rename(entry.path(), self.directory.join(entry.file_name()))?;
            }
        }
        File::open(&self.directory)?.sync_all()?;
        fs::rename(self.unfinished.join(LAST), self.directory.join(LAST))?;
        File::open(&self.directory)?.sync_all()?;
        fs::remove_dir(&self.unfinished)
    }
}

impl Drop for NewStore {
    fn drop(&mut self) {
        self.store = None;
        if !self.is_complete {
            let _is_told_by_what_failed = remove(&self.unfinished).is_err();
        }
    }
}

/// Where a new store is made: beside its directory, or inside of it when it is a place where a disk is mounted, which no
/// other directory can replace.
fn place(directory: &Path) -> PathBuf {
    let beside = beside(directory, UNFINISHED);
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    let parent = match beside.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match (device(directory), device(parent)) {
        (Some(own), Some(other)) if own != other => directory.join(UNFINISHED),
        _ => beside,
    }
}

fn is_vacant(directory: &Path, unfinished: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return !directory.exists() };
    let is_mounted = unfinished.parent() == Some(directory);
    entries.filter_map(Result::ok).all(|entry| {
        // A disk of its own has a place for what is found on it.
        is_mounted && (entry.path() == unfinished || entry.file_name() == "lost+found")
    })
}

fn remove(path: &Path) -> Result<(), CommandError> {
    fs::remove_dir_all(path).map_err(|source| CommandError::Write { path: path.to_owned(), source })
}

const UNFINISHED: &str = "unfinished";
/// The file by which a data directory is recognised.
const LAST: &str = "FORMAT";
