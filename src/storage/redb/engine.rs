//! The open database, shared by the writer thread and the readers, and opened anew after it has failed.
//!
//! redb refuses everything after one I/O error until the database is dropped and opened again. The slot lets the writer
//! do that: readers and the writer hold it shared for one transaction, a change of what is in it waits for them.

use std::collections::HashMap;
use std::fmt;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use redb::{Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, WriteTransaction};
use thiserror::Error;
use tokio::time::Instant;

use super::schema::{self, Recognised};
use crate::ids::DocName;
use crate::storage::{Cause, Damage, Health, StoreCounters, StoreError};

/// Opens the database file.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// What the writer thread and the readers share.
pub(super) struct Engine {
    opener: Opener,
    slot: RwLock<Slot>,
    health: Mutex<Health>,
    quarantine: Mutex<HashMap<DocName, Damage>>,
    pub(super) counters: StoreCounters,
}

enum Slot {
    Open(Box<Database>),
    Broken(Cause),
    Closed,
}

/// Why a transaction stopped.
#[derive(Debug)]
pub(super) enum Fault {
    /// Something about one document; the engine is fine.
    Document(StoreError),
    /// The engine failed; it must be opened again.
    Engine(redb::Error),
}

/// How much content a transaction wrote, for the counters.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Volume {
    pub(super) records: u64,
    pub(super) bytes: u64,
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
#[error("the database has format {0}")]
struct OtherFormat(u64);

#[derive(Debug, Error)]
#[error("tables of the database are missing")]
struct TablesMissing;

/// redb may panic on pages that were altered since it wrote them.
#[derive(Debug, Error)]
#[error("the storage engine panicked")]
struct EnginePanicked;

impl Engine {
    /// Opens the database and creates its tables when it is new and may be.
    pub(super) fn open(opener: Opener, emptiness: Emptiness) -> Result<Self, StoreError> {
        let database = open_and_check(&opener, emptiness)?;
        Ok(Self {
            opener,
            slot: RwLock::new(Slot::Open(Box::new(database))),
            health: Mutex::new(Health::Ok),
            quarantine: Mutex::default(),
            counters: StoreCounters::default(),
        })
    }

    /// Runs a read on a consistent view of everything committed.
    ///
    /// An I/O error breaks the slot until [`Engine::mend`].
    pub(super) fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, StoreError> {
        let outcome = {
            let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
            let database = slot.database()?;
            database.begin_read().map_err(Fault::from).and_then(|txn| read(&txn))
        };
        outcome.map_err(|fault| match fault {
            Fault::Document(error) => error,
            Fault::Engine(error) => {
                let error = store_error(error);
                if error.is_retryable() {
                    self.break_down(&error);
                }
                error
            }
        })
    }

    /// Runs a change and makes it durable. On a fault nothing of it is kept, as far as one can tell.
    ///
    /// A fault of the engine breaks the slot until [`Engine::mend`].
    pub(super) fn write<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(T, Volume), Fault>,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let outcome = {
            let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
            let database = slot.database()?;
            catch_unwind(AssertUnwindSafe(|| transact(database, change)))
        };
        let Ok(outcome) = outcome else {
            let error = StoreError::Failed(Arc::new(EnginePanicked));
            self.break_down(&error);
            return Err(error);
        };
        match outcome {
            Ok((value, volume)) => {
                self.counters.committed(volume.records, volume.bytes, started.elapsed());
                self.set_health(Health::Ok);
                Ok(value)
            }
            Err(Fault::Document(error)) => Err(error),
            Err(Fault::Engine(error)) => {
                let error = store_error(error);
                self.break_down(&error);
                Err(error)
            }
        }
    }

    /// Drops the database as failed.
    pub(super) fn break_down(&self, error: &StoreError) {
        self.counters.failed();
        let reason = with_sources(error);
        tracing::warn!(error = %reason, "the store failed and is opened again");
        self.set_health(Health::Degraded { reason });
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*slot, Slot::Closed) {
            *slot = Slot::Broken(Arc::new(error.clone()));
        }
    }

    /// Opens the database again if it is broken. Returns whether it is open.
    pub(super) fn mend(&self) -> bool {
        if matches!(*self.slot.read().unwrap_or_else(PoisonError::into_inner), Slot::Open(_)) {
            return true;
        }
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Slot::Open(_) => return true,
            Slot::Closed => return false,
            Slot::Broken(_) => {}
        }
        match open_and_check(&self.opener, Emptiness::IsDamage) {
            Ok(database) => {
                *slot = Slot::Open(Box::new(database));
                true
            }
            Err(error) => {
                self.counters.failed();
                let reason = with_sources(&error);
                let failed = matches!(error, StoreError::Failed(_));
                self.set_health(if failed { Health::Failed { reason } } else { Health::Degraded { reason } });
                *slot = Slot::Broken(Arc::new(error));
                false
            }
        }
    }

    /// Moves what is in use to the front of the file and cuts the file. Waits for running transactions, and lets later
    /// ones wait.
    pub(super) fn shrink(&self) -> Result<(), StoreError> {
        let outcome = {
            let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
            let Slot::Open(database) = &mut *slot else { return slot.database().map(drop) };
            catch_unwind(AssertUnwindSafe(|| database.compact()))
        };
        let error = match outcome {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => store_error(error.into()),
            Err(_) => StoreError::Failed(Arc::new(EnginePanicked)),
        };
        self.break_down(&error);
        Err(error)
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.slot.read().unwrap_or_else(PoisonError::into_inner), Slot::Closed)
    }

    /// Waits for running reads and releases the file.
    pub(super) fn close(&self) {
        let slot = std::mem::replace(&mut *self.slot.write().unwrap_or_else(PoisonError::into_inner), Slot::Closed);
        self.set_health(Health::Failed { reason: StoreError::Closed.to_string() });
        if let Slot::Open(database) = slot
            && let Err(error) = database.close()
        {
            tracing::warn!(%error, "the store was closed without its last tidying; the next start repairs it");
        }
    }

    pub(super) fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_health(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    /// Remembers a document as damaged when the error says so.
    pub(super) fn notice_damage(&self, error: &StoreError) {
        let StoreError::Corrupt { doc, what } = error else { return };
        let mut quarantine = self.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        if quarantine.insert(doc.clone(), what.clone()).is_none() {
            tracing::error!(%doc, error = %what, "a document is damaged; its writes are refused");
        }
    }

    /// Refuses a document that is known to be damaged.
    pub(super) fn check_quarantine(&self, doc: &DocName) -> Result<(), StoreError> {
        let quarantine = self.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        match quarantine.get(doc) {
            Some(what) => Err(StoreError::Corrupt { doc: doc.clone(), what: what.clone() }),
            None => Ok(()),
        }
    }

    /// Forgets that a document was damaged, because it was deleted.
    pub(super) fn release(&self, doc: &DocName) {
        self.quarantine.lock().unwrap_or_else(PoisonError::into_inner).remove(doc);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("health", &self.health).field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl Slot {
    fn database(&self) -> Result<&Database, StoreError> {
        match self {
            Self::Open(database) => Ok(database),
            Self::Broken(cause) => Err(StoreError::Unavailable(Arc::clone(cause))),
            Self::Closed => Err(StoreError::Closed),
        }
    }
}

impl From<redb::StorageError> for Fault {
    fn from(error: redb::StorageError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<redb::TableError> for Fault {
    fn from(error: redb::TableError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<redb::TransactionError> for Fault {
    fn from(error: redb::TransactionError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<redb::CommitError> for Fault {
    fn from(error: redb::CommitError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<bincode::error::EncodeError> for Fault {
    fn from(error: bincode::error::EncodeError) -> Self {
        Self::Document(StoreError::Failed(Arc::new(error)))
    }
}

/// What an error of the engine means to a caller.
pub(super) fn store_error(error: redb::Error) -> StoreError {
    use redb::Error::{DatabaseClosed, Io, LockPoisoned, PreviousIo};
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
        error @ (PreviousIo | DatabaseClosed | LockPoisoned(_)) => StoreError::Unavailable(Arc::new(error)),
        error => StoreError::Failed(Arc::new(error)),
    }
}

fn transact<T>(
    database: &Database,
    change: impl FnOnce(&WriteTransaction) -> Result<(T, Volume), Fault>,
) -> Result<(T, Volume), Fault> {
    let mut txn = database.begin_write()?;
    txn.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
    // With one phase, a page of the last commit that rots before the next start makes redb go back to the commit before,
    // without a word. See docs/adr/0008.
    txn.set_two_phase_commit(true);
    let value = change(&txn)?;
    txn.commit()?;
    Ok(value)
}

/// Opens the database and looks whether it is one of ours. The engine may panic on a damaged file.
fn open_and_check(opener: &Opener, emptiness: Emptiness) -> Result<Database, StoreError> {
    let outcome = catch_unwind(AssertUnwindSafe(|| -> Result<_, redb::Error> {
        let database = opener()?;
        let recognised = schema::recognise(&database.begin_read()?)?;
        if recognised == Recognised::Empty && emptiness == Emptiness::IsNew {
            let txn = database.begin_write()?;
            schema::create(&txn)?;
            txn.commit()?;
            return Ok((database, Recognised::Ours));
        }
        Ok((database, recognised))
    }));
    let Ok(outcome) = outcome else { return Err(StoreError::Failed(Arc::new(EnginePanicked))) };
    let (database, recognised) = outcome.map_err(store_error)?;
    match recognised {
        Recognised::Ours => Ok(database),
        Recognised::Format(format) => Err(StoreError::Failed(Arc::new(OtherFormat(format)))),
        Recognised::Empty | Recognised::Incomplete => Err(StoreError::Failed(Arc::new(TablesMissing))),
    }
}

/// The error and all that it was caused by, in one line.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        line.push_str(": ");
        line.push_str(&error.to_string());
        next = error.source();
    }
    line
}
