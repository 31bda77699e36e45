//! The check that is made at every start: that each name leads to its header, and each header has its name.
//!
//! A name that nothing leads to any more would look like a new document, and its next edit would begin it anew. redb does
//! not look at checksums when it reads, so this is found by reading both sides of the index once.

use std::sync::Arc;

use redb::{Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _};
use thiserror::Error;

use super::database::store_error;
use super::schema::{GRAVES, HEADERS, NAMES};
use crate::ids::DocName;
use crate::storage::StoreError;
use crate::storage::durable::Header;

/// What the index has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) documents: u64,
    pub(super) tombstones: u64,
}

/// The index does not hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
enum IndexFault {
    #[error("the database has names that cannot be reached")]
    Unreachable,
    #[error("the database has a name that leads to another document")]
    WrongName,
    #[error("the database has a document that no name leads to")]
    NoName,
}

/// Reads the whole index.
///
/// # Errors
/// [`StoreError::Failed`] when a document could be taken for one that was never stored.
pub(super) fn check(database: &Database) -> Result<Index, StoreError> {
    let read = || read(&database.begin_read()?);
    read().map_err(store_error)?.map_err(|fault| StoreError::Failed(Arc::new(fault)))
}

fn read(txn: &ReadTransaction) -> Result<Result<Index, IndexFault>, redb::Error> {
    let (names, graves) = (txn.open_table(NAMES)?, txn.open_table(GRAVES)?);
    let headers = txn.open_table(HEADERS)?;
    let mut index = Index::default();
    for (table, count) in [(&names, &mut index.documents), (&graves, &mut index.tombstones)] {
        for row in table.iter()? {
            let (name, id) = row?;
            *count += 1;
            let header = headers.get(id.value())?;
            // A header that cannot be read is the damage of one document, whose name is known.
            let header = header.and_then(|record| Header::decode_any(id.value(), record.value()).ok());
            if DocName::parse(name.value()).is_err()
                || header.is_some_and(|header| header.name.as_str() != name.value())
            {
                return Ok(Err(IndexFault::WrongName));
            }
        }
        if *count != table.len()? {
            return Ok(Err(IndexFault::Unreachable));
        }
    }
    for row in headers.iter()? {
        let (id, record) = row?;
        let Ok(header) = Header::decode_any(id.value(), record.value()) else { continue };
        let table = if header.head == 0 { &graves } else { &names };
        if table.get(header.name.as_str())?.map(|id| id.value()) != Some(id.value()) {
            return Ok(Err(IndexFault::NoName));
        }
    }
    Ok(Ok(index))
}
