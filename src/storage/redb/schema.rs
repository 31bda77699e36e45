//! The tables of the database file.

use redb::{ReadTransaction, TableDefinition, TableHandle as _, WriteTransaction};

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

/// The format number that this version writes into the file.
pub(super) const FORMAT: u64 = 1;

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
