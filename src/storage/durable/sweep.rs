//! Removes, a bounded number at a time, the rows that nothing refers to any more.

use super::engine::{Fault, Volume};
use super::header::Header;
use super::rows::{Budget, Changes, Rows, Span, TRASH_DOCUMENT, TRASH_SNAPSHOT, TRASH_TAIL, Table, TrashKey};
use crate::storage::record::Place;

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
pub(super) fn step(rows: &mut impl Changes, staged: Option<(u64, u64)>) -> Result<(Swept, Volume), Fault> {
    let mut budget = Budget::new(STEP_ROWS, STEP_BYTES);
    while let Some(key) = first(rows, staged)? {
        if contradicts(rows, key)? {
            tracing::error!(?key, "an entry of the trash names rows that are in use: it is damaged and is dropped");
            rows.remove_trash(key)?;
            continue;
        }
        remove_entry(rows, key, &mut budget)?;
        if budget.is_spent() {
            return Ok((Swept::Some, Volume::default()));
        }
        rows.remove_trash(key)?;
        budget.spend_row();
    }
    Ok((Swept::All, Volume::default()))
}

/// Whether [`step`] would find anything to remove.
pub(super) fn is_needed(rows: &impl Rows, staged: Option<(u64, u64)>) -> Result<bool, Fault> {
    Ok(first(rows, staged)?.is_some())
}

/// The first entry, but for a snapshot (id, number) that is being staged.
fn first(rows: &impl Rows, staged: Option<(u64, u64)>) -> Result<Option<TrashKey>, Fault> {
    let staged = staged.map(|(id, number)| (id, TRASH_SNAPSHOT, number));
    let all = (0, 0, 0)..=(u64::MAX, u8::MAX, u64::MAX);
    Ok(rows.trash(all, 2)?.into_iter().find(|key| Some(*key) != staged))
}

/// Whether an entry would remove what a document needs, or may need. An altered entry looks like another one.
fn contradicts(rows: &impl Rows, (id, what, number): TrashKey) -> Result<bool, Fault> {
    let header = rows.record(Place::Header { doc: id }, |record| Header::decode_any(id, record))?;
    Ok(match header {
        None => false,
        Some(Err(_)) => true,
        Some(Ok(header)) => match what {
            TRASH_TAIL => number > header.snapshot_upto(),
            TRASH_SNAPSHOT => header.snapshot.is_some_and(|snapshot| snapshot.number == number),
            _ => true,
        },
    })
}

fn remove_entry(rows: &mut impl Changes, (id, what, number): TrashKey, budget: &mut Budget) -> Result<(), Fault> {
    use Table::{AncestorsChunks, SnapshotChunks, UpdateChunks, Updates};
    match what {
        TRASH_TAIL => {
            rows.remove_records(Span::numbers(Updates, id, 0..=number), budget)?;
            rows.remove_records(Span::numbers(UpdateChunks, id, 0..=number), budget)
        }
        TRASH_SNAPSHOT => rows.remove_records(Span::numbers(SnapshotChunks, id, number..=number), budget),
        TRASH_DOCUMENT => {
            for table in [Updates, UpdateChunks, SnapshotChunks, AncestorsChunks] {
                rows.remove_records(Span::of(table, id), budget)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The most rows that one step removes.
const STEP_ROWS: usize = 256;
/// The bytes of values after which a step removes no more rows.
const STEP_BYTES: usize = 4 << 20;
