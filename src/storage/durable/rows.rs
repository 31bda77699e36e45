//! What the logic of a store asks of an engine: rows, transactions over them, and a database that can be opened anew.
//!
//! Each engine implements these for its own types, so that every call is resolved when the program is built.

use std::ops::RangeInclusive;

use super::engine::Fault;
use crate::storage::record::Place;
use crate::storage::{Cause, StoreError};

/// The two tables that lead from names to ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) enum Names {
    /// Documents with at least one update.
    Documents,
    /// Deleted names without updates since.
    Graves,
}

/// The tables whose records lie in runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) enum Table {
    /// The updates after the snapshot; by sequence number.
    Updates,
    /// The pieces of long updates; by sequence number and chunk.
    UpdateChunks,
    /// The pieces of snapshots; by snapshot number and chunk.
    SnapshotChunks,
    /// The pieces of encoded state vectors; by chunk.
    AncestorsChunks,
}

/// A run of records in one table: from the first document's first number to the last document's last number.
#[derive(Debug, Clone)]
pub(in crate::storage) struct Span {
    pub(in crate::storage) table: Table,
    pub(in crate::storage) docs: RangeInclusive<u64>,
    /// Sequence or snapshot numbers, each with all its chunks; of no meaning in [`Table::AncestorsChunks`].
    pub(in crate::storage) numbers: RangeInclusive<u64>,
}

/// A key of the trash: id, what, number.
pub(in crate::storage) type TrashKey = (u64, u8, u64);

/// In the trash: every row of the id.
pub(super) const TRASH_DOCUMENT: u8 = 0;
/// In the trash: the updates up to a sequence number.
pub(super) const TRASH_TAIL: u8 = 1;
/// In the trash: the snapshot with a number.
pub(super) const TRASH_SNAPSHOT: u8 = 2;

/// How much one transaction may still remove.
#[derive(Debug)]
pub(in crate::storage) struct Budget {
    rows: usize,
    bytes: usize,
}

/// What a transaction reads.
pub(in crate::storage) trait Rows {
    /// The id that a name leads to.
    fn id(&self, names: Names, name: &str) -> Result<Option<u64>, Fault>;

    /// At most so many names after one, in the order of their bytes.
    fn names(&self, names: Names, after: Option<&str>, limit: usize) -> Result<Vec<String>, Fault>;

    /// At most so many ids that have a header, above one, in order.
    fn header_ids(&self, after: u64, limit: usize) -> Result<Vec<u64>, Fault>;

    /// How many names there are, as far as the engine knows without counting.
    fn declared(&self, _names: Names) -> Result<Option<u64>, Fault> {
        Ok(None)
    }

    /// What `read` makes of the record at a place; `None` when there is none.
    fn record<T>(&self, place: Place, read: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, Fault>;

    /// Hands over the records of a run in the order of their keys, until one is refused.
    fn records<E: From<Fault>>(&self, span: Span, each: impl FnMut(Place, &[u8]) -> Result<(), E>) -> Result<(), E>;

    /// At most so many keys of the trash, in order.
    fn trash(&self, keys: RangeInclusive<TrashKey>, limit: usize) -> Result<Vec<TrashKey>, Fault>;

    /// Whether the key is in the trash.
    fn is_trash(&self, key: TrashKey) -> Result<bool, Fault> {
        Ok(!self.trash(key..=key, 1)?.is_empty())
    }
}

/// What a transaction changes, and reads back within itself.
pub(in crate::storage) trait Changes: Rows {
    /// The longest payload of one record.
    const MAX_PAYLOAD: usize;

    /// The greatest id that has a header.
    fn last_id(&self) -> Result<Option<u64>, Fault>;

    /// Lets a name lead to an id.
    fn put_name(&mut self, names: Names, name: &str, id: u64) -> Result<(), Fault>;

    /// Lets a name lead nowhere.
    fn remove_name(&mut self, names: Names, name: &str) -> Result<(), Fault>;

    /// Puts a record at a place.
    fn put(&mut self, place: Place, record: &[u8]) -> Result<(), Fault> {
        self.put_new(place, record).map(drop)
    }

    /// Puts a record at a place. Returns whether the place was free.
    fn put_new(&mut self, place: Place, record: &[u8]) -> Result<bool, Fault>;

    /// Removes the header of an id.
    fn remove_header(&mut self, doc: u64) -> Result<(), Fault>;

    /// Removes the records of a run until none is left or the budget is spent.
    fn remove_records(&mut self, span: Span, budget: &mut Budget) -> Result<(), Fault>;

    /// Puts a key into the trash.
    fn put_trash(&mut self, key: TrashKey) -> Result<(), Fault>;

    /// Takes a key out of the trash.
    fn remove_trash(&mut self, key: TrashKey) -> Result<(), Fault>;
}

/// An open database of one engine.
pub(in crate::storage) trait Database: Sized + std::fmt::Debug + Send + Sync + 'static {
    /// A view of everything committed.
    type Read<'db>: Rows;
    /// A change on its way.
    type Write<'db>: Changes;

    /// Runs a read on a consistent view of everything committed.
    fn read<T>(&self, read: impl Fn(&Self::Read<'_>) -> Result<T, Fault>) -> Result<T, Fault>;

    /// Runs a change and makes it durable, all of it or nothing.
    fn write<T>(&self, change: impl FnOnce(&mut Self::Write<'_>) -> Result<T, Fault>) -> Result<T, Fault>;

    /// Gives unused space back to the file system, as far as the engine can.
    fn shrink(&mut self) -> Result<(), StoreError>;

    /// Releases the files. An error costs no data, but perhaps the next start some time.
    fn close(self) -> Result<(), Cause>;
}

impl Span {
    /// All records of a table.
    pub(in crate::storage) const fn all(table: Table) -> Self {
        Self { table, docs: 0..=u64::MAX, numbers: 0..=u64::MAX }
    }

    /// All records of a document in a table.
    pub(in crate::storage) const fn of(table: Table, doc: u64) -> Self {
        Self::numbers(table, doc, 0..=u64::MAX)
    }

    /// The records of a document with these numbers.
    pub(in crate::storage) const fn numbers(table: Table, doc: u64, numbers: RangeInclusive<u64>) -> Self {
        Self { table, docs: doc..=doc, numbers }
    }
}

impl Budget {
    pub(super) const fn new(rows: usize, bytes: usize) -> Self {
        Self { rows, bytes }
    }

    pub(in crate::storage) const fn is_spent(&self) -> bool {
        self.rows == 0 || self.bytes == 0
    }

    /// Counts one row without a value.
    pub(super) const fn spend_row(&mut self) {
        self.rows = self.rows.saturating_sub(1);
    }

    /// Counts one row with a value of this length.
    pub(in crate::storage) const fn spend(&mut self, bytes: usize) {
        self.rows = self.rows.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
