//! A compaction in steps: its snapshot is staged under a number that nothing refers to, then one small change makes it
//! the document's.
//!
//! Between the steps other writes are committed. A compaction that is cut short leaves only what its entry in the trash
//! names, and the [sweep](super::sweep) reclaims it.

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::batch::now_millis;
use super::engine::{Fault, Volume};
use super::entry::{Entry, find};
use super::header::{Header, Snapshot};
use super::quarantine::Quarantine;
use super::reader::Covered;
use super::rows::{Changes, Rows, TRASH_SNAPSHOT, TRASH_TAIL};
use crate::ids::{DocName, Generation};
use crate::storage::record::{Kind, Place, seal};
use crate::storage::{Compaction, StoreError};

/// A compaction on its way.
#[derive(Debug)]
pub(super) struct Staging {
    pub(super) doc: DocName,
    pub(super) compaction: Compaction,
    pub(super) covered: Covered,
    pub(super) progress: Progress,
    pub(super) answer: oneshot::Sender<Result<(), StoreError>>,
    /// Bounds how many compactions wait with their snapshots in memory.
    pub(super) _room: OwnedSemaphorePermit,
}

/// How far a compaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing is written.
    Waiting,
    /// The snapshot has this number, and its chunks below this one are written.
    Staged { number: u64, chunks: u32 },
    /// The snapshot is the document's.
    Done,
}

/// Advances each compaction by a step. What is refused is answered alone and changes nothing.
pub(super) fn advance(
    quarantine: &Quarantine,
    rows: &mut impl Changes,
    group: &[Staging],
) -> Result<(Vec<Result<Progress, StoreError>>, Volume), Fault> {
    let mut total = Volume::default();
    let mut steps = Vec::with_capacity(group.len());
    for staging in group {
        if let Err(error) = quarantine.check(&staging.doc) {
            steps.push(Err(error));
            continue;
        }
        match staging.advance(rows) {
            Ok((progress, volume)) => {
                total.bytes += volume.bytes;
                steps.push(Ok(progress));
            }
            // Documents are refused before the first change.
            Err(Fault::Document(error)) => steps.push(Err(error)),
            Err(fault) => return Err(fault),
        }
    }
    Ok((steps, total))
}

impl Staging {
    /// The length of the snapshot.
    pub(super) fn bytes(&self) -> usize {
        self.compaction.snapshot.len()
    }

    /// Writes up to 1 MiB more of the snapshot, and makes it the document's with the last piece.
    ///
    /// The progress returned holds once the transaction is committed.
    fn advance<R: Changes>(&self, rows: &mut R) -> Result<(Progress, Volume), Fault> {
        let mut entry = self.check(rows)?;
        let (number, first) = match self.progress {
            Progress::Done => return Ok((Progress::Done, Volume::default())),
            Progress::Staged { number, chunks } => (number, chunks),
            Progress::Waiting => {
                let number = entry.header.next_snapshot;
                entry.header.next_snapshot += 1;
                rows.put_trash((entry.id, TRASH_SNAPSHOT, number))?;
                (number, 0)
            }
        };
        let (chunks, bytes) = self.stage(rows, number, first)?;
        let is_last = chunks as usize == self.compaction.snapshot.len().div_ceil(R::MAX_PAYLOAD);
        if is_last {
            self.publish(rows, &mut entry, number)?;
        }
        if is_last || self.progress == Progress::Waiting {
            rows.put(Place::Header { doc: entry.id }, &entry.header.encode(entry.id)?)?;
        }
        let progress = if is_last { Progress::Done } else { Progress::Staged { number, chunks } };
        Ok((progress, Volume { records: 0, bytes }))
    }

    /// The snapshot that is being staged, which the sweep must leave alone.
    pub(super) fn staged(&self) -> Option<(u64, u64)> {
        match self.progress {
            Progress::Staged { number, .. } => Some((self.covered.id, number)),
            Progress::Waiting | Progress::Done => None,
        }
    }

    /// The document's entry, if it is still the one that the compaction was made from.
    fn check(&self, rows: &impl Rows) -> Result<Entry, Fault> {
        let Some(entry) = find(rows, &self.doc)? else {
            return Err(Fault::Document(Header::empty(self.doc.clone(), Generation::FIRST).conflict()));
        };
        entry.header.check(&self.compaction).map_err(Fault::Document)?;
        if entry.id != self.covered.id {
            return Err(Fault::Document(entry.header.conflict()));
        }
        Ok(entry)
    }

    fn stage<R: Changes>(&self, rows: &mut R, number: u64, first: u32) -> Result<(u32, u64), Fault> {
        let doc = self.covered.id;
        let (mut chunks, mut bytes) = (first, 0);
        let step = (STEP_BYTES / R::MAX_PAYLOAD).max(1);
        let pieces = self.compaction.snapshot.chunks(R::MAX_PAYLOAD).skip(first as usize).take(step);
        for piece in pieces {
            let place = Place::SnapshotChunk { doc, number, chunk: chunks };
            rows.put(place, &seal(place, Kind::SnapshotChunk, piece))?;
            chunks += 1;
            bytes += piece.len() as u64;
        }
        Ok((chunks, bytes))
    }

    /// Makes the staged snapshot the document's; what it replaces becomes trash.
    fn publish(&self, rows: &mut impl Changes, entry: &mut Entry, number: u64) -> Result<(), Fault> {
        let (id, upto) = (entry.id, self.compaction.upto);
        rows.remove_trash((id, TRASH_SNAPSHOT, number))?;
        if let Some(old) = entry.header.snapshot {
            rows.put_trash((id, TRASH_SNAPSHOT, old.number))?;
        }
        rows.put_trash((id, TRASH_TAIL, upto))?;
        let header = &mut entry.header;
        header.snapshot = Some(Snapshot { number, upto, len: self.compaction.snapshot.len() as u64 });
        header.tail_bytes = header.tail_bytes.saturating_sub(self.covered.bytes);
        header.updated = now_millis();
        Ok(())
    }
}

/// The most that one transaction stages.
const STEP_BYTES: usize = 1 << 20;
