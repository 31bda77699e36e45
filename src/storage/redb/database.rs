//! redb as the engine of a store: how its file is opened, what a transaction is, and what its errors mean.

use std::io::ErrorKind;
use std::sync::Arc;

use redb::{Database, DatabaseError, Durability, ReadableDatabase};
use thiserror::Error;

use super::schema::{self, Recognised};
use super::start;
use super::transaction::{Reading, Writing};
use crate::storage::directory::DataDirectory;
use crate::storage::durable::{self, DurableStore, Fault, OtherFormat};
use crate::storage::{Cause, Config, StoreError, StoreKind};

/// A [`Store`](crate::storage::Store) in one redb file.
pub(in crate::storage) type RedbStore = DurableStore<Database>;

/// Opens the database file.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

impl RedbStore {
    /// Opens the file in the data directory, or creates both.
    pub(in crate::storage) fn open(config: &Config) -> Result<Self, StoreError> {
        let directory = DataDirectory::open(&config.data, StoreKind::Redb, FILE)?;
        let (database, opener) = start::open(&directory, config)?;
        Self::in_directory(config, directory, database, opener)
    }

    /// A store over a database that is opened as a test says.
    #[cfg(test)]
    pub(super) fn with_opener(config: &Config, opener: Opener) -> Result<Self, StoreError> {
        Self::without_directory(config, Box::new(move || open(&opener, Emptiness::IsNew)))
    }

    /// The same, over a database that may take so long for a call.
    #[cfg(test)]
    pub(super) fn with_patient_opener(
        config: &Config,
        opener: Opener,
        patience: std::time::Duration,
    ) -> Result<Self, StoreError> {
        Self::with_patience(config, Box::new(move || open(&opener, Emptiness::IsNew)), patience)
    }
}

/// What it means that a database has no tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Emptiness {
    /// It was made just now, or before its first transaction was cut short.
    IsNew,
    /// They are lost.
    IsDamage,
}

#[derive(Debug, Error)]
#[error("tables of the database are missing")]
struct TablesMissing;

/// Opens the database and looks whether it is one of ours.
pub(super) fn open(opener: &Opener, emptiness: Emptiness) -> Result<Database, StoreError> {
    let recognise = || -> Result<_, redb::Error> {
        let database = opener()?;
        let recognised = schema::recognise(&database.begin_read()?)?;
        if recognised == Recognised::Empty && emptiness == Emptiness::IsNew {
            let txn = database.begin_write()?;
            schema::create(&txn)?;
            txn.commit()?;
            return Ok((database, Recognised::Ours));
        }
        Ok((database, recognised))
    };
    let (database, recognised) = recognise().map_err(store_error)?;
    match recognised {
        Recognised::Ours => Ok(database),
        Recognised::Format(format) => Err(StoreError::Failed(Arc::new(OtherFormat(format)))),
        Recognised::Empty | Recognised::Incomplete => Err(StoreError::Failed(Arc::new(TablesMissing))),
    }
}

impl durable::Database for Database {
    type Read<'db> = Reading;
    type Write<'db> = Writing<'db>;

    fn read<T>(&self, read: impl Fn(&Reading) -> Result<T, Fault>) -> Result<T, Fault> {
        read(&Reading::new(self.begin_read()?))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Writing<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut txn = self.begin_write()?;
        txn.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        // With one phase, a page of the last commit that rots before the next start makes redb go back to the commit
        // before, without a word. See docs/adr/0008.
        txn.set_two_phase_commit(true);
        let value = change(&mut Writing::new(&txn))?;
        txn.commit()?;
        Ok(value)
    }

    /// Moves what is in use to the front of the file and cuts the file.
    fn shrink(&mut self) -> Result<(), StoreError> {
        self.compact().map(drop).map_err(|error| store_error(error.into()))
    }

    fn close(self) -> Result<(), Cause> {
        Self::close(self).map_err(|error| Arc::new(error) as Cause)
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        match error {
            error @ redb::Error::Corrupted(_) => Self::Pages(Arc::new(error)),
            error => Self::Engine(store_error(error)),
        }
    }
}

impl From<redb::StorageError> for Fault {
    fn from(error: redb::StorageError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<redb::TableError> for Fault {
    fn from(error: redb::TableError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<redb::TransactionError> for Fault {
    fn from(error: redb::TransactionError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<redb::CommitError> for Fault {
    fn from(error: redb::CommitError) -> Self {
        redb::Error::from(error).into()
    }
}

/// What an error of redb means to a caller.
pub(super) fn store_error(error: redb::Error) -> StoreError {
    use redb::Error::{DatabaseAlreadyOpen, DatabaseClosed, Io, LockPoisoned, PreviousIo};
    match error {
        Io(error) => match error.kind() {
            // A file that may not grow is a disk that is full for this process: RLIMIT_FSIZE, or the file system's bound.
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                StoreError::NoSpace(Arc::new(error))
            }
            // The file is not one of redb's.
            ErrorKind::InvalidData => StoreError::Failed(Arc::new(error)),
            _ => StoreError::Unavailable(Arc::new(error)),
        },
        error @ (PreviousIo | DatabaseClosed | DatabaseAlreadyOpen | LockPoisoned(_)) => {
            StoreError::Unavailable(Arc::new(error))
        }
        error => StoreError::Failed(Arc::new(error)),
    }
}

/// The database file in the data directory.
pub(super) const FILE: &str = "documents.redb";
