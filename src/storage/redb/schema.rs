//! The tables of the database file.

use redb::{ReadableTable, TableDefinition, WriteTransaction};

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
const FORMAT: u64 = 1;

/// Creates the tables of a new file; refuses one of another format.
pub(super) fn prepare(txn: &WriteTransaction) -> Result<Result<(), u64>, redb::Error> {
    let mut meta = txn.open_table(META)?;
    let found = meta.get("format")?.map(|value| value.value());
    match found {
        Some(FORMAT) => return Ok(Ok(())),
        Some(other) => return Ok(Err(other)),
        None => meta.insert("format", FORMAT)?,
    };
    txn.open_table(NAMES)?;
    txn.open_table(GRAVES)?;
    txn.open_table(HEADERS)?;
    txn.open_table(TAIL)?;
    txn.open_table(BIG)?;
    txn.open_table(SNAPSHOTS)?;
    txn.open_table(ANCESTORS)?;
    txn.open_table(TRASH)?;
    Ok(Ok(()))
}
