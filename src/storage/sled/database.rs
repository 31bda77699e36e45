//! sled as the engine of a store: how it is opened, what a transaction is, and what its errors mean.

use std::fmt;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

use super::files::Files;
use super::keys::FORMAT_KEY;
use super::rows::{Tables, number};
use crate::storage::directory::DataDirectory;
use crate::storage::durable::{self, DurableStore, Fault, OtherFormat};
use crate::storage::{Cause, Config, StoreError, StoreKind};

/// A [`Store`](crate::storage::Store) in one sled tree.
pub(in crate::storage) type SledStore = DurableStore<SledDatabase>;

/// An open sled database.
pub(in crate::storage) struct SledDatabase {
    database: sled::Db,
    files: Files,
    /// Held by readers, and by the writer while it applies a batch: sled shows a batch row by row.
    turn: RwLock<()>,
}

#[derive(Debug, Error)]
#[error("the database has lost its first row")]
struct NoFormat;

#[derive(Debug, Error)]
#[error("the storage engine panicked")]
struct Panicked;

impl SledStore {
    /// Opens the database in the data directory, or creates both.
    pub(in crate::storage) fn open(config: &Config) -> Result<Self, StoreError> {
        let directory = DataDirectory::open(&config.data, StoreKind::Sled, DIRECTORY)?;
        let path = directory.database();
        let (cache, is_new) = (config.cache.as_u64(), directory.is_new());
        let opened = catch_unwind(AssertUnwindSafe(|| SledDatabase::open_and_check(&path, cache, is_new)));
        let opened = opened.unwrap_or_else(|_| Err(StoreError::Failed(Arc::new(Panicked))));
        let database = opened.map_err(|error| match error {
            StoreError::Unavailable(source) => StoreError::Directory { path: path.clone(), source },
            error => error,
        })?;
        let reopen = move || SledDatabase::open_and_check(&path, cache, false);
        Self::in_directory(config, directory, database, Box::new(reopen))
    }
}

impl SledDatabase {
    fn open_and_check(path: &Path, cache: u64, is_new: bool) -> Result<Self, StoreError> {
        let database = Self::open(path, cache, is_new)?;
        durable::check_index(&database)?;
        Ok(database)
    }

    fn open(path: &Path, cache: u64, is_new: bool) -> Result<Self, StoreError> {
        let config = sled::Config::new().path(path).cache_capacity(cache).flush_every_ms(Some(FLUSH_MILLIS));
        let database = open_once_let_go(&config).map_err(store_error)?;
        let opened = Self { database, files: Files::of(path), turn: RwLock::new(()) };
        match opened.database.get(FORMAT_KEY).map_err(store_error)?.map(|value| number(&value)) {
            Some(Some(FORMAT)) => {}
            Some(Some(other)) => return Err(StoreError::Failed(Arc::new(OtherFormat(other)))),
            None if is_new => {
                opened.database.insert(FORMAT_KEY, &FORMAT.to_be_bytes()).map_err(store_error)?;
                opened.sync().map_err(store_error)?;
            }
            // Either the row was altered, or everything before it in the log is gone.
            Some(None) | None => return Err(StoreError::Failed(Arc::new(NoFormat))),
        }
        Ok(opened)
    }

    /// What sled calls flushed has been handed to the system, and only then can it be synced.
    fn sync(&self) -> Result<(), sled::Error> {
        self.database.flush()?;
        self.files.sync().map_err(sled::Error::Io)
    }
}

impl durable::Database for SledDatabase {
    type Read<'db> = Tables<'db>;
    type Write<'db> = Tables<'db>;

    fn read<T>(&self, read: impl Fn(&Tables<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let _turn = self.turn.read().unwrap_or_else(PoisonError::into_inner);
        read(&Tables::new(&self.database))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Tables<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut tables = Tables::new(&self.database);
        let value = change(&mut tables)?;
        if let Some(batch) = tables.into_batch() {
            let _turn = self.turn.write().unwrap_or_else(PoisonError::into_inner);
            self.database.apply_batch(batch)?;
        }
        self.sync()?;
        Ok(value)
    }

    /// sled cannot.
    fn shrink(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn close(self) -> Result<(), Cause> {
        self.sync().map_err(|error| Arc::new(error) as Cause)
    }
}

impl fmt::Debug for SledDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledDatabase").field("files", &self.files).finish_non_exhaustive()
    }
}

impl From<sled::Error> for Fault {
    fn from(error: sled::Error) -> Self {
        match error {
            error @ sled::Error::Corruption { .. } => Self::Pages(Arc::new(error)),
            error => Self::Engine(store_error(error)),
        }
    }
}

/// sled's threads may let go of the files only a moment after the database was dropped. Nobody else has them: the data
/// directory is ours alone.
pub(super) fn open_once_let_go(config: &sled::Config) -> Result<sled::Db, sled::Error> {
    let started = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(error)) if is_locked(&error) && started.elapsed() < LETTING_GO => {
                thread::park_timeout(PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// sled tells this error from others by its words only.
fn is_locked(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || error.to_string().contains("could not acquire lock")
}

/// What an error of sled means to a caller.
fn store_error(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) => match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                StoreError::NoSpace(Arc::new(error))
            }
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => StoreError::Failed(Arc::new(error)),
            _ => StoreError::Unavailable(Arc::new(error)),
        },
        error => StoreError::Failed(Arc::new(error)),
    }
}

/// sled's directory in the data directory.
const DIRECTORY: &str = "documents.sled";
/// The format number that this version writes into the tree.
const FORMAT: u64 = 1;
/// How long sled's threads may take to let go of the files.
const LETTING_GO: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);
/// How often sled's own thread flushes and collects garbage; without it, it never does.
const FLUSH_MILLIS: u64 = 500;
