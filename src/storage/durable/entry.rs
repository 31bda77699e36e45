//! A name, where it leads to, and what is known there.

use super::engine::Fault;
use super::header::Header;
use super::rows::{Names, Rows};
use crate::ids::DocName;
use crate::storage::record::Place;
use crate::storage::{Damage, StoreError};

/// A name's id and header.
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) is_grave: bool,
    pub(super) header: Header,
}

/// The header behind a name, if anything is stored under it.
pub(super) fn find(rows: &impl Rows, doc: &DocName) -> Result<Option<Entry>, Fault> {
    let (id, is_grave) = match rows.id(Names::Documents, doc.as_str())? {
        Some(id) => (id, false),
        None => match rows.id(Names::Graves, doc.as_str())? {
            Some(id) => (id, true),
            None => return Ok(None),
        },
    };
    let corrupt = |what| Fault::Document(StoreError::Corrupt { doc: doc.clone(), what });
    let header = rows.record(Place::Header { doc: id }, |record| Header::decode(id, doc, record))?;
    let header = header.unwrap_or(Err(Damage::Header("it is missing"))).map_err(corrupt)?;
    if is_grave != (header.head == 0) {
        return Err(corrupt(Damage::Header("it disagrees with its name about updates")));
    }
    Ok(Some(Entry { id, is_grave, header }))
}
