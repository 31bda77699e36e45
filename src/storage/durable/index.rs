//! The check that is made at every start: that each name leads to its header, and each header has its name.
//!
//! A name that nothing leads to any more would look like a new document, and its next edit would begin it anew. Engines do
//! not look at checksums of their own when they read, so this is found by reading both sides of the index once.

use std::sync::Arc;

use thiserror::Error;

use super::engine::Fault;
use super::header::Header;
use super::rows::{Database, Names, Rows};
use crate::ids::DocName;
use crate::storage::StoreError;
use crate::storage::record::Place;

/// What the index has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) struct Index {
    pub(in crate::storage) documents: u64,
    pub(in crate::storage) tombstones: u64,
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
pub(in crate::storage) fn check_index(database: &impl Database) -> Result<Index, StoreError> {
    database.read(|rows| read(rows)).map_err(Fault::into_error)
}

fn read(rows: &impl Rows) -> Result<Index, Fault> {
    let documents = read_names(rows, Names::Documents)?;
    let tombstones = read_names(rows, Names::Graves)?;
    let mut after = 0;
    loop {
        let ids = rows.header_ids(after, PAGE)?;
        for id in &ids {
            let header = rows.record(Place::Header { doc: *id }, |record| Header::decode_any(*id, record))?;
            // A header that cannot be read is the damage of one document, whose name was seen above.
            let Some(Ok(header)) = header else { continue };
            let names = if header.head == 0 { Names::Graves } else { Names::Documents };
            if rows.id(names, header.name.as_str())? != Some(*id) {
                return Err(failed(IndexFault::NoName));
            }
        }
        match ids.last() {
            Some(last) if ids.len() == PAGE => after = *last,
            _ => return Ok(Index { documents, tombstones }),
        }
    }
}

fn read_names(rows: &impl Rows, names: Names) -> Result<u64, Fault> {
    let mut count = 0;
    let mut after: Option<String> = None;
    loop {
        let page = rows.names(names, after.as_deref(), PAGE)?;
        for name in &page {
            count += 1;
            let id = rows.id(names, name)?.ok_or_else(|| failed(IndexFault::Unreachable))?;
            let header =
                rows.record(Place::Header { doc: id }, |record| Header::decode_any(id, record).ok())?.flatten();
            if DocName::parse(name).is_err() || header.is_some_and(|header| header.name.as_str() != name) {
                return Err(failed(IndexFault::WrongName));
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.clone()),
            _ => break,
        }
    }
    match rows.declared(names)? {
        Some(declared) if declared != count => Err(failed(IndexFault::Unreachable)),
        _ => Ok(count),
    }
}

fn failed(fault: IndexFault) -> Fault {
    Fault::Engine(StoreError::Failed(Arc::new(fault)))
}

/// Rows asked for at once.
const PAGE: usize = 1024;
