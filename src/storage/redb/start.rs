//! Opening the file when the store starts: after an unclean stop, or damaged, and what is said about it.
//!
//! A file that redb refuses is rebuilt from its records if every document's name is known: then the damaged documents are
//! refused one by one, and the others serve. The damaged file is kept beside the new one.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::Database;
use thiserror::Error;
use tokio::time::Instant;

use super::database::{self, Emptiness, FILE, Opener};
use super::raw::{self, Acceptance, RebuildError, Rebuilt};
use crate::storage::directory::{DataDirectory, replace};
use crate::storage::durable::{self, Index, check_index};
use crate::storage::{Config, StoreError, StoreKind};

/// Opens the database of a directory, and gives what opens it anew.
pub(super) fn open(
    directory: &DataDirectory,
    config: &Config,
) -> Result<(Database, durable::Opener<Database>), StoreError> {
    let path = directory.database();
    let cache = usize::try_from(config.cache.as_u64()).unwrap_or(usize::MAX);
    let started = Instant::now();
    let was_left_open = !directory.is_new() && raw::was_left_open(&path);
    let emptiness = if directory.is_new() { Emptiness::IsNew } else { Emptiness::IsDamage };
    let Opened { database, index, was_rebuilt } = open_or_rebuild(&path, cache, emptiness)?;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let Index { documents, tombstones } = index;
    if was_left_open && !was_rebuilt {
        tracing::warn!(elapsed_ms, documents, tombstones, "the store was not closed: it was checked and is whole");
    } else {
        tracing::info!(elapsed_ms, documents, tombstones, "the store is open");
    }
    // A page that was found to be damaged in the middle of a write leaves a file that redb refuses.
    let reopen = move || open_or_rebuild(&path, cache, Emptiness::IsDamage).map(|opened| opened.database);
    Ok((database, Box::new(reopen)))
}

/// A database, and what was found when it was opened.
struct Opened {
    database: Database,
    index: Index,
    was_rebuilt: bool,
}

fn open_or_rebuild(path: &Path, cache: usize, emptiness: Emptiness) -> Result<Opened, StoreError> {
    match open_and_check(path, cache, emptiness) {
        Ok((database, index)) => Ok(Opened { database, index, was_rebuilt: false }),
        Err(StoreError::Failed(source)) if emptiness == Emptiness::IsDamage => {
            rebuild(path).map_err(|error| match error {
                RebuildError::Nothing | RebuildError::Format(_) => StoreError::Failed(Arc::clone(&source)),
                error => StoreError::Damaged { path: path.to_owned(), rebuild: Arc::new(error), source },
            })?;
            let (database, index) = open_and_check(path, cache, emptiness)?;
            Ok(Opened { database, index, was_rebuilt: true })
        }
        Err(StoreError::Unavailable(source)) => Err(StoreError::Directory { path: path.to_owned(), source }),
        Err(error) => Err(error),
    }
}

/// Makes a new data directory of what can be read of a damaged one, which is left as it is.
pub(in crate::storage) fn rescue(config: &Config, into: &Path) -> Result<Rebuilt, StoreError> {
    let damaged = DataDirectory::open(&config.data, StoreKind::Redb, FILE)?;
    let directory = DataDirectory::open(into, StoreKind::Redb, FILE)?;
    if damaged.is_new() || !directory.is_new() {
        let (path, what) = if damaged.is_new() { (&config.data, "nothing") } else { (&into.to_owned(), "a store") };
        return Err(StoreError::Foreign { path: path.clone(), what: format!("it holds {what}") });
    }
    let rebuilt = raw::rebuild(&damaged.database(), &directory.database(), Acceptance::Anything);
    let rebuilt = rebuilt.map_err(|error| match error {
        RebuildError::Read(source) => StoreError::Directory { path: damaged.database(), source: Arc::new(source) },
        error => StoreError::Failed(Arc::new(error)),
    })?;
    directory.complete()?;
    Ok(rebuilt)
}

/// redb may panic on damaged pages.
fn open_and_check(path: &Path, cache: usize, emptiness: Emptiness) -> Result<(Database, Index), StoreError> {
    let opener = opener(path.to_owned(), cache, emptiness);
    // After an unclean stop redb makes them anew.
    if emptiness == Emptiness::IsDamage && !raw::was_left_open(path) && !raw::is_way_sound(path) {
        return Err(StoreError::Failed(Arc::new(BooksDamaged)));
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let database = database::open(&opener, emptiness)?;
        let index = check_index(&database)?;
        Ok((database, index))
    }));
    outcome.unwrap_or_else(|_| Err(StoreError::Failed(Arc::new(Panicked))))
}

#[derive(Debug, Error)]
#[error("the storage engine panicked")]
struct Panicked;

#[derive(Debug, Error)]
#[error("the pages that say where everything lies are damaged")]
struct BooksDamaged;

/// A database that is lost while the store runs must not be replaced by an empty one.
fn opener(path: PathBuf, cache: usize, emptiness: Emptiness) -> Opener {
    Box::new(move || {
        let mut builder = Database::builder();
        builder.set_cache_size(cache);
        if emptiness == Emptiness::IsNew && !path.exists() { builder.create(&path) } else { builder.open(&path) }
    })
}

fn rebuild(path: &Path) -> Result<(), RebuildError> {
    tracing::error!(path = %path.display(), "the database is damaged and is rebuilt from its records");
    let started = Instant::now();
    let new = path.with_extension("redb.rebuilt");
    remove(&new)?;
    let outcome =
        raw::rebuild(path, &new, Acceptance::AllNames).and_then(|rebuilt| Ok((rebuilt, replace(path, &new)?)));
    let (Rebuilt { names, records, damaged_records, healed_records, unreadable, without_header, .. }, kept) =
        outcome.inspect_err(|_| drop(remove(&new)))?;
    tracing::error!(
        elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX), names, records, damaged_records, healed_records, unreadable,
        without_header = ?without_header, damaged_file = %kept.display(),
        "the database was rebuilt; documents with damaged records are refused, `ydock store verify` names them"
    );
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
