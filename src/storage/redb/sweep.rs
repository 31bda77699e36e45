//! Removes, a bounded number at a time, the rows that nothing refers to any more.

use std::ops::RangeInclusive;

use redb::{Key, ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use super::engine::{Fault, Volume};
use super::schema::{ANCESTORS, BIG, SNAPSHOTS, TAIL, TRASH, TRASH_DOCUMENT, TRASH_SNAPSHOT, TRASH_TAIL};

/// Whether there may be more to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swept {
    /// There may be more.
    Some,
    /// Nothing is left that may be removed now.
    All,
}

/// Removes rows of the entries in the trash, one entry after the other, except of a snapshot (id, number) that is being
/// staged.
pub(super) fn step(txn: &WriteTransaction, staged: Option<(u64, u64)>) -> Result<(Swept, Volume), Fault> {
    let mut trash = txn.open_table(TRASH)?;
    let mut budget = Budget { rows: STEP_ROWS, bytes: STEP_BYTES };
    while let Some(key) = first(&trash, staged)? {
        budget.remove_entry(txn, key)?;
        if budget.is_spent() {
            return Ok((Swept::Some, Volume::default()));
        }
        trash.remove(key)?;
        budget.rows -= 1;
    }
    Ok((Swept::All, Volume::default()))
}

/// Whether [`step`] would find anything to remove.
pub(super) fn is_needed(txn: &ReadTransaction, staged: Option<(u64, u64)>) -> Result<bool, Fault> {
    Ok(first(&txn.open_table(TRASH)?, staged)?.is_some())
}

/// The first entry, but for a snapshot (id, number) that is being staged.
fn first(
    trash: &impl ReadableTable<(u64, u8, u64), ()>,
    staged: Option<(u64, u64)>,
) -> Result<Option<(u64, u8, u64)>, Fault> {
    let staged = staged.map(|(id, number)| (id, TRASH_SNAPSHOT, number));
    for row in trash.iter()? {
        let key = row?.0.value();
        if Some(key) != staged {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// What one step may still remove.
struct Budget {
    rows: usize,
    bytes: usize,
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.rows == 0 || self.bytes == 0
    }

    fn remove_entry(&mut self, txn: &WriteTransaction, (id, what, number): (u64, u8, u64)) -> Result<(), Fault> {
        match what {
            TRASH_TAIL => {
                self.remove(txn, TAIL, (id, 0)..=(id, number))?;
                self.remove(txn, BIG, (id, 0, 0)..=(id, number, u32::MAX))
            }
            TRASH_SNAPSHOT => self.remove(txn, SNAPSHOTS, (id, number, 0)..=(id, number, u32::MAX)),
            TRASH_DOCUMENT => {
                self.remove(txn, TAIL, (id, 0)..=(id, u64::MAX))?;
                self.remove(txn, BIG, (id, 0, 0)..=(id, u64::MAX, u32::MAX))?;
                self.remove(txn, SNAPSHOTS, (id, 0, 0)..=(id, u64::MAX, u32::MAX))?;
                self.remove(txn, ANCESTORS, (id, 0)..=(id, u32::MAX))
            }
            _ => Ok(()),
        }
    }

    /// Removes the rows of a range until none is left or the budget is spent.
    fn remove<'k, K: Key + 'static>(
        &mut self,
        txn: &WriteTransaction,
        table: TableDefinition<'static, K, &'static [u8]>,
        range: RangeInclusive<K::SelfType<'k>>,
    ) -> Result<(), Fault>
    where
        K::SelfType<'k>: 'k,
    {
        let mut table = txn.open_table(table)?;
        let mut rows = table.extract_from_if(range, |_, _| true)?;
        while !self.is_spent() {
            let Some(row) = rows.next() else { return Ok(()) };
            let (_, value) = row?;
            self.rows -= 1;
            self.bytes = self.bytes.saturating_sub(value.value().len());
        }
        Ok(())
    }
}

/// The most rows that one step removes.
const STEP_ROWS: usize = 256;
/// The bytes of values after which a step removes no more rows.
const STEP_BYTES: usize = 4 << 20;
