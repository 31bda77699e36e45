//! The rows of a redb transaction. A table is opened when it is first asked for, and at most once.

use std::borrow::Borrow;
use std::cell::OnceCell;
use std::ops::{Bound, RangeInclusive};

use redb::{
    Key, ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, Table as WriteTable, TableDefinition,
    TableError, Value, WriteTransaction,
};

use super::schema::{ANCESTORS, BIG, GRAVES, HEADERS, NAMES, SNAPSHOTS, TAIL, TRASH};
use crate::storage::durable::{Budget, Changes, Fault, Names, Rows, Span, Table, TrashKey};
use crate::storage::record::{FRAME, Place};

/// A read transaction.
pub(in crate::storage) type Reading = Tables<ReadTransaction>;
/// A write transaction.
pub(in crate::storage) type Writing<'txn> = Tables<&'txn WriteTransaction>;

/// What opens tables.
pub(in crate::storage) trait Transaction {
    type Opened<K: Key + 'static, V: Value + 'static>: ReadableTable<K, V> + ReadableTableMetadata;

    fn open<K: Key, V: Value>(&self, table: TableDefinition<'static, K, V>) -> Result<Self::Opened<K, V>, TableError>;
}

/// A transaction and the tables that it has opened.
pub(in crate::storage) struct Tables<T: Transaction> {
    txn: T,
    names: Cell<T, &'static str, u64>,
    graves: Cell<T, &'static str, u64>,
    headers: Cell<T, u64, &'static [u8]>,
    tail: Cell<T, (u64, u64), &'static [u8]>,
    big: Cell<T, (u64, u64, u32), &'static [u8]>,
    snapshots: Cell<T, (u64, u64, u32), &'static [u8]>,
    ancestors: Cell<T, (u64, u32), &'static [u8]>,
    trash: Cell<T, TrashKey, ()>,
}

type Cell<T, K, V> = OnceCell<<T as Transaction>::Opened<K, V>>;

impl<T: Transaction> Tables<T> {
    pub(super) const fn new(txn: T) -> Self {
        Self {
            txn,
            names: OnceCell::new(),
            graves: OnceCell::new(),
            headers: OnceCell::new(),
            tail: OnceCell::new(),
            big: OnceCell::new(),
            snapshots: OnceCell::new(),
            ancestors: OnceCell::new(),
            trash: OnceCell::new(),
        }
    }

    fn name_table(&self, names: Names) -> Result<&T::Opened<&'static str, u64>, Fault> {
        match names {
            Names::Documents => opened(&self.txn, &self.names, NAMES),
            Names::Graves => opened(&self.txn, &self.graves, GRAVES),
        }
    }
}

impl Transaction for ReadTransaction {
    type Opened<K: Key + 'static, V: Value + 'static> = ReadOnlyTable<K, V>;

    fn open<K: Key, V: Value>(&self, table: TableDefinition<'static, K, V>) -> Result<ReadOnlyTable<K, V>, TableError> {
        self.open_table(table)
    }
}

impl<'txn> Transaction for &'txn WriteTransaction {
    type Opened<K: Key + 'static, V: Value + 'static> = WriteTable<'txn, K, V>;

    fn open<K: Key, V: Value>(
        &self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<WriteTable<'txn, K, V>, TableError> {
        self.open_table(table)
    }
}

impl<T: Transaction> Rows for Tables<T> {
    fn id(&self, names: Names, name: &str) -> Result<Option<u64>, Fault> {
        Ok(self.name_table(names)?.get(name)?.map(|id| id.value()))
    }

    fn names(&self, names: Names, after: Option<&str>, limit: usize) -> Result<Vec<String>, Fault> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.name_table(names)?.range::<&str>((after, Bound::Unbounded))?;
        rows.take(limit).map(|row| Ok(row?.0.value().to_owned())).collect()
    }

    fn header_ids(&self, after: u64, limit: usize) -> Result<Vec<u64>, Fault> {
        let rows = opened(&self.txn, &self.headers, HEADERS)?.range((Bound::Excluded(after), Bound::Unbounded))?;
        rows.take(limit).map(|row| Ok(row?.0.value())).collect()
    }

    fn declared(&self, names: Names) -> Result<Option<u64>, Fault> {
        Ok(Some(self.name_table(names)?.len()?))
    }

    fn record<R>(&self, place: Place, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, Fault> {
        let txn = &self.txn;
        let record = match place {
            Place::Header { doc } => opened(txn, &self.headers, HEADERS)?.get(doc)?,
            Place::Update { doc, seq } => opened(txn, &self.tail, TAIL)?.get((doc, seq))?,
            Place::UpdateChunk { doc, seq, chunk } => opened(txn, &self.big, BIG)?.get((doc, seq, chunk))?,
            Place::SnapshotChunk { doc, number, chunk } => {
                opened(txn, &self.snapshots, SNAPSHOTS)?.get((doc, number, chunk))?
            }
            Place::AncestorsChunk { doc, chunk } => opened(txn, &self.ancestors, ANCESTORS)?.get((doc, chunk))?,
        };
        Ok(record.map(|record| read(record.value())))
    }

    fn records<E: From<Fault>>(&self, span: Span, each: impl FnMut(Place, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let txn = &self.txn;
        match span.table {
            Table::Updates => {
                let table = opened(txn, &self.tail, TAIL)?;
                walk(table, pairs(&span), |(doc, seq)| Place::Update { doc, seq }, each)
            }
            Table::UpdateChunks => {
                let table = opened(txn, &self.big, BIG)?;
                walk(table, triples(&span), |(doc, seq, chunk)| Place::UpdateChunk { doc, seq, chunk }, each)
            }
            Table::SnapshotChunks => {
                let table = opened(txn, &self.snapshots, SNAPSHOTS)?;
                walk(table, triples(&span), |(doc, number, chunk)| Place::SnapshotChunk { doc, number, chunk }, each)
            }
            Table::AncestorsChunks => {
                let table = opened(txn, &self.ancestors, ANCESTORS)?;
                walk(table, chunks(&span), |(doc, chunk)| Place::AncestorsChunk { doc, chunk }, each)
            }
        }
    }

    fn trash(&self, keys: RangeInclusive<TrashKey>, limit: usize) -> Result<Vec<TrashKey>, Fault> {
        let rows = opened(&self.txn, &self.trash, TRASH)?.range(keys)?;
        rows.take(limit).map(|row| Ok(row?.0.value())).collect()
    }
}

impl Changes for Writing<'_> {
    /// With the frame 65 000 bytes, which fit the run of pages below 64 KiB.
    const MAX_PAYLOAD: usize = 65_000 - FRAME;

    fn last_id(&self) -> Result<Option<u64>, Fault> {
        Ok(opened(&self.txn, &self.headers, HEADERS)?.last()?.map(|(last, _)| last.value()))
    }

    fn put_name(&mut self, names: Names, name: &str, id: u64) -> Result<(), Fault> {
        self.name_table_mut(names)?.insert(name, id)?;
        Ok(())
    }

    fn remove_name(&mut self, names: Names, name: &str) -> Result<(), Fault> {
        self.name_table_mut(names)?.remove(name)?;
        Ok(())
    }

    fn put_new(&mut self, place: Place, record: &[u8]) -> Result<bool, Fault> {
        let txn = self.txn;
        let old = match place {
            Place::Header { doc } => opened_mut(txn, &mut self.headers, HEADERS)?.insert(doc, record)?,
            Place::Update { doc, seq } => opened_mut(txn, &mut self.tail, TAIL)?.insert((doc, seq), record)?,
            Place::UpdateChunk { doc, seq, chunk } => {
                opened_mut(txn, &mut self.big, BIG)?.insert((doc, seq, chunk), record)?
            }
            Place::SnapshotChunk { doc, number, chunk } => {
                opened_mut(txn, &mut self.snapshots, SNAPSHOTS)?.insert((doc, number, chunk), record)?
            }
            Place::AncestorsChunk { doc, chunk } => {
                opened_mut(txn, &mut self.ancestors, ANCESTORS)?.insert((doc, chunk), record)?
            }
        };
        Ok(old.is_none())
    }

    fn remove_header(&mut self, doc: u64) -> Result<(), Fault> {
        opened_mut(self.txn, &mut self.headers, HEADERS)?.remove(doc)?;
        Ok(())
    }

    fn remove_records(&mut self, span: Span, budget: &mut Budget) -> Result<(), Fault> {
        let txn = self.txn;
        match span.table {
            Table::Updates => remove(opened_mut(txn, &mut self.tail, TAIL)?, pairs(&span), budget),
            Table::UpdateChunks => remove(opened_mut(txn, &mut self.big, BIG)?, triples(&span), budget),
            Table::SnapshotChunks => remove(opened_mut(txn, &mut self.snapshots, SNAPSHOTS)?, triples(&span), budget),
            Table::AncestorsChunks => remove(opened_mut(txn, &mut self.ancestors, ANCESTORS)?, chunks(&span), budget),
        }
    }

    fn put_trash(&mut self, key: TrashKey) -> Result<(), Fault> {
        opened_mut(self.txn, &mut self.trash, TRASH)?.insert(key, ())?;
        Ok(())
    }

    fn remove_trash(&mut self, key: TrashKey) -> Result<(), Fault> {
        opened_mut(self.txn, &mut self.trash, TRASH)?.remove(key)?;
        Ok(())
    }
}

impl<'txn> Writing<'txn> {
    fn name_table_mut(&mut self, names: Names) -> Result<&mut WriteTable<'txn, &'static str, u64>, Fault> {
        match names {
            Names::Documents => opened_mut(self.txn, &mut self.names, NAMES),
            Names::Graves => opened_mut(self.txn, &mut self.graves, GRAVES),
        }
    }
}

fn opened<'c, T: Transaction, K: Key, V: Value>(
    txn: &T,
    cell: &'c Cell<T, K, V>,
    table: TableDefinition<'static, K, V>,
) -> Result<&'c T::Opened<K, V>, Fault> {
    if let Some(table) = cell.get() {
        return Ok(table);
    }
    let table = txn.open(table)?;
    Ok(cell.get_or_init(|| table))
}

fn opened_mut<'c, 'txn, K: Key, V: Value>(
    txn: &'txn WriteTransaction,
    cell: &'c mut OnceCell<WriteTable<'txn, K, V>>,
    table: TableDefinition<'static, K, V>,
) -> Result<&'c mut WriteTable<'txn, K, V>, Fault> {
    opened::<&WriteTransaction, K, V>(&txn, cell, table)?;
    #[expect(clippy::expect_used, reason = "the line above has put a table there")]
    Ok(cell.get_mut().expect("the table is open"))
}

/// Hands over the records of a range.
fn walk<K: Key + 'static, E: From<Fault>>(
    table: &impl ReadableTable<K, &'static [u8]>,
    range: RangeInclusive<impl for<'k> Borrow<K::SelfType<'k>>>,
    place: impl Fn(K::SelfType<'_>) -> Place,
    mut each: impl FnMut(Place, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    for row in table.range(range).map_err(Fault::from)? {
        let (key, record) = row.map_err(Fault::from)?;
        each(place(key.value()), record.value())?;
    }
    Ok(())
}

fn remove<'k, K: Key + 'static>(
    table: &mut WriteTable<'_, K, &'static [u8]>,
    range: RangeInclusive<K::SelfType<'k>>,
    budget: &mut Budget,
) -> Result<(), Fault>
where
    K::SelfType<'k>: 'k,
{
    let mut rows = table.extract_from_if(range, |_, _| true)?;
    while !budget.is_spent() {
        let Some(row) = rows.next() else { return Ok(()) };
        budget.spend(row?.1.value().len());
    }
    Ok(())
}

fn pairs(span: &Span) -> RangeInclusive<(u64, u64)> {
    (*span.docs.start(), *span.numbers.start())..=(*span.docs.end(), *span.numbers.end())
}

fn triples(span: &Span) -> RangeInclusive<(u64, u64, u32)> {
    let ((doc, number), (last_doc, last_number)) = pairs(span).into_inner();
    (doc, number, 0)..=(last_doc, last_number, u32::MAX)
}

fn chunks(span: &Span) -> RangeInclusive<(u64, u32)> {
    (*span.docs.start(), 0)..=(*span.docs.end(), u32::MAX)
}
