//! The open database, shared by the writer thread and the readers, and opened anew after it has failed.
//!
//! An engine refuses everything after one I/O error until the database is dropped and opened again. The slot lets the
//! writer do that: readers and the writer hold it shared for one transaction, a change of what is in it waits for them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytesize::ByteSize;
use thiserror::Error;
use tokio::time::Instant;

use super::calls::{Calls, Hanging, PATIENCE};
use super::quarantine::Quarantine;
use super::rows::Database;
use crate::storage::{Cause, Health, StoreCounters, StoreError};
use crate::telemetry::ErrorChain;

/// Opens a database that was open before.
pub(in crate::storage) type Opener<D> = Box<dyn Fn() -> Result<D, StoreError> + Send + Sync>;

/// What the writer thread and the readers share.
pub(super) struct Engine<D> {
    opener: Opener<D>,
    slot: RwLock<Slot<D>>,
    health: Mutex<Health>,
    /// How many bytes the disk must have free before edits are taken again; 0 while they are.
    needed: AtomicU64,
    calls: Calls,
    pub(super) quarantine: Quarantine,
    pub(super) counters: StoreCounters,
}

enum Slot<D> {
    Open(Box<D>),
    Broken(Cause),
    Closed,
}

/// Why a transaction stopped.
#[derive(Debug)]
pub(in crate::storage) enum Fault {
    /// Something about one document; the engine is fine.
    Document(StoreError),
    /// The engine found its own pages damaged. Where they belong to one document, it is that document's damage.
    Pages(Cause),
    /// The engine failed; it must be opened again.
    Engine(StoreError),
}

/// How much content a transaction wrote, for the counters.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Volume {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

#[derive(Debug, Error)]
#[error("the database has format {0}")]
pub(in crate::storage) struct OtherFormat(pub(in crate::storage) u64);

/// Why appends are refused although a compaction might work.
#[derive(Debug, Error)]
#[error("edits are saved again once the disk has {needed} free")]
struct ReserveGivenUp {
    needed: ByteSize,
}

/// An engine may panic on pages that were altered since it wrote them.
#[derive(Debug, Error)]
#[error("the storage engine panicked")]
struct EnginePanicked;

impl<D: Database> Engine<D> {
    /// Takes over a database that was opened, and what opens it anew.
    pub(super) fn new(database: D, opener: Opener<D>) -> Self {
        Self {
            opener,
            slot: RwLock::new(Slot::Open(Box::new(database))),
            health: Mutex::new(Health::Ok),
            needed: AtomicU64::new(0),
            calls: Calls::new(PATIENCE),
            quarantine: Quarantine::default(),
            counters: StoreCounters::default(),
        }
    }

    /// Lets calls count as hanging after another time.
    #[cfg(test)]
    pub(super) fn with_patience(mut self, patience: std::time::Duration) -> Self {
        self.calls = Calls::new(patience);
        self
    }

    /// Runs a read on a consistent view of everything committed.
    ///
    /// An I/O error breaks the slot until [`Engine::mend`].
    pub(super) fn read<T>(&self, read: impl Fn(&D::Read<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        let outcome = self.slot.read().unwrap_or_else(PoisonError::into_inner).database()?.read(read);
        outcome.map_err(|fault| {
            let error = fault.into_error();
            if error.is_retryable() {
                self.break_down(&error);
            }
            error
        })
    }

    /// Runs a change and makes it durable. On a fault nothing of it is kept, as far as one can tell.
    ///
    /// A fault of the engine breaks the slot until [`Engine::mend`].
    pub(super) fn write<T>(
        &self,
        change: impl FnOnce(&mut D::Write<'_>) -> Result<(T, Volume), Fault>,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let _running = self.calls.begin();
        let outcome = {
            let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
            let database = slot.database()?;
            catch_unwind(AssertUnwindSafe(|| database.write(change)))
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
            Err(fault) => {
                let error = fault.into_error();
                self.break_down(&error);
                Err(error)
            }
        }
    }

    /// Drops the database as failed.
    pub(super) fn break_down(&self, error: &StoreError) {
        self.counters.failed();
        let reason = ErrorChain(error).to_string();
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
        let _running = self.calls.begin();
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Slot::Open(_) => return true,
            Slot::Closed => return false,
            Slot::Broken(_) => {}
        }
        match open_with(&self.opener) {
            Ok(database) => {
                *slot = Slot::Open(Box::new(database));
                true
            }
            Err(error) => {
                self.counters.failed();
                let reason = ErrorChain(&error).to_string();
                let failed = matches!(error, StoreError::Failed(_));
                self.set_health(if failed { Health::Failed { reason } } else { Health::Degraded { reason } });
                *slot = Slot::Broken(Arc::new(error));
                false
            }
        }
    }

    /// Gives unused space back. Waits for running transactions, and lets later ones wait.
    pub(super) fn shrink(&self) -> Result<(), StoreError> {
        let outcome = {
            let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
            let Slot::Open(database) = &mut *slot else { return slot.database().map(drop) };
            catch_unwind(AssertUnwindSafe(|| database.shrink()))
        };
        let error = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
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
        let _running = self.calls.begin();
        let slot = std::mem::replace(&mut *self.slot.write().unwrap_or_else(PoisonError::into_inner), Slot::Closed);
        self.set_health(Health::Failed { reason: StoreError::Closed.to_string() });
        if let Slot::Open(database) = slot
            && let Err(error) = database.close()
        {
            tracing::warn!(%error, "the store was closed without its last tidying; the next start repairs it");
        }
    }

    /// The call that the engine has not come back from, if there is one.
    pub(super) fn hanging(&self) -> Option<Hanging> {
        self.calls.hanging()
    }

    pub(super) fn health(&self) -> Health {
        if let Some(hanging) = self.hanging() {
            return Health::Degraded { reason: hanging.to_string() };
        }
        match self.health.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            // Compactions may work, and edits are refused all the same.
            Health::Ok => match self.refusal() {
                Some(refusal) => Health::Degraded { reason: ErrorChain(&refusal).to_string() },
                None => Health::Ok,
            },
            health => health,
        }
    }

    /// Why edits are refused without being tried: the disk is full and the reserve given up.
    pub(super) fn refusal(&self) -> Option<StoreError> {
        let needed = self.needed.load(Ordering::Relaxed);
        (needed > 0).then(|| StoreError::NoSpace(Arc::new(ReserveGivenUp { needed: ByteSize(needed) })))
    }

    /// Whether edits are refused without being tried.
    pub(super) fn refuses(&self) -> bool {
        self.needed.load(Ordering::Relaxed) > 0
    }

    /// Refuses edits until the disk has so many bytes free; with 0, none are refused.
    pub(super) fn refuse_until_free(&self, needed: u64) {
        self.needed.store(needed, Ordering::Relaxed);
    }

    pub(super) fn set_health(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }
}

impl<D> fmt::Debug for Engine<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("health", &self.health).field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl<D> Slot<D> {
    fn database(&self) -> Result<&D, StoreError> {
        match self {
            Self::Open(database) => Ok(database),
            Self::Broken(cause) => Err(StoreError::Unavailable(Arc::clone(cause))),
            Self::Closed => Err(StoreError::Closed),
        }
    }
}

impl Fault {
    /// What the fault means to a caller.
    pub(super) fn into_error(self) -> StoreError {
        match self {
            Self::Document(error) | Self::Engine(error) => error,
            Self::Pages(cause) => StoreError::Failed(cause),
        }
    }
}

impl From<bincode::error::EncodeError> for Fault {
    fn from(error: bincode::error::EncodeError) -> Self {
        Self::Document(StoreError::Failed(Arc::new(error)))
    }
}

/// Opening reads pages, and those may be damaged too.
fn open_with<D>(opener: &Opener<D>) -> Result<D, StoreError> {
    catch_unwind(AssertUnwindSafe(opener)).unwrap_or_else(|_| Err(StoreError::Failed(Arc::new(EnginePanicked))))
}
