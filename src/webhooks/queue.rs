//! Events that wait to be sent, and those put aside: on disk, so that a restart forgets none.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An event on its way, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The very text that is sent, each time the same.
    pub(super) body: String,
    /// The name of the event.
    pub(super) event: String,
    /// How often it was tried.
    pub(super) attempts: u32,
    /// When it came.
    #[serde(with = "humantime_serde")]
    pub(super) since: SystemTime,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// Where an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    Waiting,
    Aside,
}

/// A change: an event is put somewhere, or is done with.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) number: u64,
    pub(super) to: Option<(Shelf, Kept)>,
}

/// The file does not work.
#[derive(Debug, Error)]
#[error("the queue of webhooks does not work")]
pub struct QueueError(#[source] Box<redb::Error>);

/// The file.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    database: Arc<Database>,
}

const WAITING: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("waiting");
/// The highest number that was ever given.
const COUNTER: TableDefinition<'_, (), u64> = TableDefinition::new("counter");
const ASIDE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("aside");
/// Beside the store, in the data directory.
const FILE: &str = "webhooks.redb";

impl Queue {
    /// Opens the file in a directory; without one, everything is in memory.
    pub(super) fn open(directory: Option<&Path>) -> Result<Self, QueueError> {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE);
        let database = match directory {
            Some(directory) => builder.create(directory.join(FILE)),
            None => builder.create_with_backend(InMemoryBackend::new()),
        };
        let queue = Self { database: Arc::new(database.map_err(failed)?) };
        queue.write(&[])?;
        Ok(queue)
    }

    /// Everything on a shelf. Blocks on the disk.
    pub(super) fn read(&self, from: Shelf) -> Result<BTreeMap<u64, Kept>, QueueError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let rows = transaction.open_table(table(from)).map_err(failed)?;
        let mut all = BTreeMap::new();
        for row in rows.iter().map_err(failed)? {
            let (number, kept) = row.map_err(failed)?;
            match serde_json::from_slice(kept.value()) {
                Ok(kept) => drop(all.insert(number.value(), kept)),
                Err(error) => tracing::warn!(%error, "an event of an unknown form is left where it is"),
            }
        }
        Ok(all)
    }

    /// The highest number that was ever given. Blocks on the disk.
    pub(super) fn last(&self) -> Result<u64, QueueError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let counter = transaction.open_table(COUNTER).map_err(failed)?;
        Ok(counter.get(()).map_err(failed)?.map_or(0, |last| last.value()))
    }

    /// Makes changes, all or none, durable when this returns. Blocks on the disk.
    pub(super) fn write(&self, changes: &[Change]) -> Result<(), QueueError> {
        let transaction = self.database.begin_write().map_err(failed)?;
        {
            let mut waiting = transaction.open_table(WAITING).map_err(failed)?;
            let mut put_away = transaction.open_table(ASIDE).map_err(failed)?;
            let mut counter = transaction.open_table(COUNTER).map_err(failed)?;
            let last = counter.get(()).map_err(failed)?.map_or(0, |last| last.value());
            let newest = changes.iter().map(|change| change.number).max().unwrap_or(0);
            if newest > last {
                counter.insert((), newest).map_err(failed)?;
            }
            for Change { number, to } in changes {
                waiting.remove(number).map_err(failed)?;
                put_away.remove(number).map_err(failed)?;
                let Some((to, kept)) = to else { continue };
                let bytes = serde_json::to_vec(kept).unwrap_or_default();
                let table = if *to == Shelf::Waiting { &mut waiting } else { &mut put_away };
                table.insert(number, bytes.as_slice()).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }
}

const fn table(shelf: Shelf) -> TableDefinition<'static, u64, &'static [u8]> {
    match shelf {
        Shelf::Waiting => WAITING,
        Shelf::Aside => ASIDE,
    }
}

fn failed(error: impl Into<redb::Error>) -> QueueError {
    QueueError(Box::new(error.into()))
}

const CACHE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &str) -> Kept {
        let event = "document.saved".to_owned();
        Kept { body: body.to_owned(), event, attempts: 0, since: SystemTime::UNIX_EPOCH, error: None }
    }

    #[test]
    fn what_was_written_is_there_after_it_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let queue = Queue::open(Some(directory.path())).unwrap();
        let put = |number, shelf, body| Change { number, to: Some((shelf, kept(body))) };
        queue.write(&[put(1, Shelf::Waiting, "a"), put(2, Shelf::Waiting, "b"), put(3, Shelf::Waiting, "c")]).unwrap();
        queue.write(&[put(2, Shelf::Aside, "b"), Change { number: 3, to: None }]).unwrap();
        drop(queue);
        let queue = Queue::open(Some(directory.path())).unwrap();
        assert_eq!(queue.read(Shelf::Waiting).unwrap(), BTreeMap::from([(1, kept("a"))]));
        assert_eq!(queue.read(Shelf::Aside).unwrap(), BTreeMap::from([(2, kept("b"))]));
        assert_eq!(queue.last().unwrap(), 3, "no number is given twice");
    }

    #[test]
    fn without_a_directory_it_is_in_memory() {
        let queue = Queue::open(None).unwrap();
        queue.write(&[Change { number: 7, to: Some((Shelf::Waiting, kept("a"))) }]).unwrap();
        assert_eq!(queue.read(Shelf::Waiting).unwrap().len(), 1);
    }
}
