//! The tables of the database file, and how a name leads to its header.

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, TableHandle as _, WriteTransaction};

use super::engine::Fault;
use super::header::Header;
use crate::ids::DocName;
use crate::storage::{Damage, StoreError};

/// Numbers about the file: `format`.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Name of a document with updates → its id.
pub(super) const NAMES: TableDefinition<'_, &str, u64> = TableDefinition::new("names");
/// Name of which only a tombstone is left → its id.
pub(super) const GRAVES: TableDefinition<'_, &str, u64> = TableDefinition::new("graves");
/// Id → header. Ids only grow: whoever removes one has just added a greater one.
pub(super) const HEADERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("headers");
/// (Id, sequence number) → update, or a stub when it is long.
pub(super) const TAIL: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("tail");
/// (Id, sequence number, chunk) → piece of a long update.
pub(super) const BIG: TableDefinition<'_, (u64, u64, u32), &[u8]> = TableDefinition::new("big");
/// (Id, snapshot number, chunk) → piece of a snapshot.
pub(super) const SNAPSHOTS: TableDefinition<'_, (u64, u64, u32), &[u8]> = TableDefinition::new("snapshots");
/// (Id, chunk) → piece of an encoded state vector.
pub(super) const ANCESTORS: TableDefinition<'_, (u64, u32), &[u8]> = TableDefinition::new("ancestors");
/// (Id, what, number) of rows that nothing refers to and that are still to be removed.
pub(super) const TRASH: TableDefinition<'_, (u64, u8, u64), ()> = TableDefinition::new("trash");

/// In [`TRASH`]: every row of the id.
pub(super) const TRASH_DOCUMENT: u8 = 0;
/// In [`TRASH`]: the updates up to a sequence number.
pub(super) const TRASH_TAIL: u8 = 1;
/// In [`TRASH`]: the snapshot with a number.
pub(super) const TRASH_SNAPSHOT: u8 = 2;

/// The format number that this version writes into the file.
pub(super) const FORMAT: u64 = 1;

pub(super) type BytesTable<'txn, K> = Table<'txn, K, &'static [u8]>;

/// The tables that most write transactions need.
pub(super) struct Tables<'txn> {
    pub(super) names: Table<'txn, &'static str, u64>,
    pub(super) graves: Table<'txn, &'static str, u64>,
    pub(super) headers: BytesTable<'txn, u64>,
}

/// A name, where it leads to, and what is known there.
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) is_grave: bool,
    pub(super) header: Header,
}

impl<'txn> Tables<'txn> {
    pub(super) fn open(txn: &'txn WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self { names: txn.open_table(NAMES)?, graves: txn.open_table(GRAVES)?, headers: txn.open_table(HEADERS)? })
    }

    pub(super) fn find(&self, doc: &DocName) -> Result<Option<Entry>, Fault> {
        find(&self.names, &self.graves, &self.headers, doc)
    }
}

/// Creates the tables of a new file.
pub(super) fn create(txn: &WriteTransaction) -> Result<(), redb::Error> {
    txn.open_table(META)?.insert("format", FORMAT)?;
    txn.open_table(NAMES)?;
    txn.open_table(GRAVES)?;
    txn.open_table(HEADERS)?;
    txn.open_table(TAIL)?;
    txn.open_table(BIG)?;
    txn.open_table(SNAPSHOTS)?;
    txn.open_table(ANCESTORS)?;
    txn.open_table(TRASH)?;
    Ok(())
}

/// What a file is that was not made just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recognised {
    /// It has all tables of our format.
    Ours,
    /// It has no table at all: its first transaction was never committed.
    Empty,
    /// It has another format.
    Format(u64),
    /// A table is missing, which only damage can have done.
    Incomplete,
}

/// Looks whether everything that every file of ours has is there.
pub(super) fn recognise(txn: &ReadTransaction) -> Result<Recognised, redb::Error> {
    let tables: Vec<String> = txn.list_tables()?.map(|table| table.name().to_owned()).collect();
    if tables.is_empty() {
        return Ok(Recognised::Empty);
    }
    let ours = [
        META.name(),
        NAMES.name(),
        GRAVES.name(),
        HEADERS.name(),
        TAIL.name(),
        BIG.name(),
        SNAPSHOTS.name(),
        ANCESTORS.name(),
        TRASH.name(),
    ];
    if ours.iter().any(|name| !tables.iter().any(|table| table == name)) {
        return Ok(Recognised::Incomplete);
    }
    Ok(match txn.open_table(META)?.get("format")?.map(|format| format.value()) {
        Some(FORMAT) => Recognised::Ours,
        Some(other) => Recognised::Format(other),
        None => Recognised::Incomplete,
    })
}

/// The header behind a name, as a read transaction sees it.
pub(super) fn find_in(txn: &ReadTransaction, doc: &DocName) -> Result<Option<Entry>, Fault> {
    find(&txn.open_table(NAMES)?, &txn.open_table(GRAVES)?, &txn.open_table(HEADERS)?, doc)
}

fn find(
    names: &impl ReadableTable<&'static str, u64>,
    graves: &impl ReadableTable<&'static str, u64>,
    headers: &impl ReadableTable<u64, &'static [u8]>,
    doc: &DocName,
) -> Result<Option<Entry>, Fault> {
    let (id, is_grave) = match names.get(doc.as_str())? {
        Some(id) => (id.value(), false),
        None => match graves.get(doc.as_str())? {
            Some(id) => (id.value(), true),
            None => return Ok(None),
        },
    };
    let corrupt = |what| Fault::Document(StoreError::Corrupt { doc: doc.clone(), what });
    let record = headers.get(id)?.ok_or_else(|| corrupt(Damage::Header("it is missing")))?;
    let header = Header::decode(id, doc, record.value()).map_err(corrupt)?;
    if is_grave != (header.head == 0) {
        return Err(corrupt(Damage::Header("it disagrees with its name about updates")));
    }
    Ok(Some(Entry { id, is_grave, header }))
}
