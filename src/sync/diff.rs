//! Differences: the part of a document that someone else lacks, and updates cut at a state vector.

use super::block::Body;
use super::fragment::Fragment;
use super::id_set::IdSet;
use super::merge::merge_above;
use super::scan::{ScanError, UpdateRef};
use super::state_vector::StateVector;
use super::writer::UpdateWriter;

/// What updates have above a state vector, and all of their deletions.
///
/// A state vector does not tell which deletions its owner has, so all of them go along, as in Yjs.
///
/// # Errors
/// When one of them is no update.
pub fn diff<'a>(updates: impl IntoIterator<Item = &'a [u8]>, known: &StateVector) -> Result<Vec<u8>, ScanError> {
    merge_above(updates, known)
}

/// Cuts an update at a state vector: what lies below it, and the rest, each with its deletions.
///
/// # Errors
/// When it is no update.
pub fn split(update: &[u8], upto: &StateVector) -> Result<(Vec<u8>, Vec<u8>), ScanError> {
    let update = UpdateRef::parse(update)?;
    let (mut below, mut above) = (UpdateWriter::default(), UpdateWriter::default());
    for section in update.sections() {
        let cut = upto.clock(section.client);
        for block in section.filter(|block| !matches!(block.body, Body::Skip)) {
            let fragment = Fragment::from(block);
            if block.end() <= cut {
                below.push(fragment);
            } else if block.id.clock >= cut {
                above.push(fragment);
            } else {
                let (left, right) = fragment.split(cut - block.id.clock);
                below.push(left);
                above.push(right);
            }
        }
    }
    let (mut deletes_below, mut deletes_above) = (IdSet::new(), IdSet::new());
    for deletion in update.deletes() {
        let cut = upto.clock(deletion.client).clamp(deletion.start, deletion.end);
        deletes_below.insert(deletion.client, deletion.start..cut);
        deletes_above.insert(deletion.client, cut..deletion.end);
    }
    Ok((below.finish(&deletes_below), above.finish(&deletes_above)))
}

/// How far updates know each client without a hole, whatever the order of the updates.
///
/// # Errors
/// When one of them is no update.
pub fn state_vector_of<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> Result<StateVector, ScanError> {
    let mut runs = Vec::new();
    for update in updates {
        for block in UpdateRef::parse(update)?.blocks().filter(|block| !matches!(block.body, Body::Skip)) {
            match runs.last_mut() {
                Some((client, _, end)) if *client == block.id.client && *end == block.id.clock => *end = block.end(),
                _ => runs.push((block.id.client, block.id.clock, block.end())),
            }
        }
    }
    runs.sort_unstable();
    let mut state = StateVector::new();
    for (client, start, end) in runs {
        if start <= state.clock(client) {
            state.raise(client, end);
        }
    }
    Ok(state)
}

/// Everything that updates delete.
///
/// # Errors
/// When one of them is no update.
pub fn deletions_of<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> Result<IdSet, ScanError> {
    let mut deletions = IdSet::default();
    for update in updates {
        for deletion in UpdateRef::parse(update)?.deletes() {
            deletions.insert(deletion.client, deletion.start..deletion.end);
        }
    }
    Ok(deletions)
}
