//! What a member lacks, computed from bytes.

use bytes::Bytes;

use super::log::{Log, Sight};
use crate::sync::{self, DocumentBytes, ScanError, StateVector};

/// A member's way to the present state, with everything needed to compute it on any thread.
#[derive(Debug)]
pub(super) enum CatchUp {
    /// The parts as they are: for whoever has nothing.
    Everything(DocumentBytes),
    /// What lies above a state vector, and all deletions.
    Above { parts: DocumentBytes, known: StateVector },
    /// Some updates, merged.
    Updates(Vec<Bytes>),
    /// This update alone.
    Ready(Bytes),
}

/// Frames that bring a member up to date, in the order in which they are sent.
///
/// The Step2 comes last: a client takes it for the sign that it has everything.
#[derive(Debug, Clone)]
pub(super) struct Frames {
    pub(super) updates: Vec<Bytes>,
    pub(super) step2: Bytes,
}

impl Frames {
    /// How many bytes they bring.
    pub(super) fn len(&self) -> usize {
        self.updates.iter().chain([&self.step2]).map(Bytes::len).sum()
    }
}

impl CatchUp {
    /// For a member that tells what it knows.
    pub(super) fn for_state_vector(log: &Log, sight: &Sight, known: StateVector) -> Self {
        let parts = log.document_within(sight);
        if known.is_empty() { Self::Everything(parts) } else { Self::Above { parts, known } }
    }

    /// For a member that has received everything before a number.
    pub(super) fn from_number(log: &Log, sight: &Sight, number: u64) -> Self {
        if number == 0 {
            return Self::Everything(log.document_within(sight));
        }
        if let Some(updates) = log.since(number) {
            let shown = (number..).zip(updates).filter(|(number, _)| sight.shows(*number));
            return Self::Updates(shown.map(|(_, update)| update.clone()).collect());
        }
        let parts = log.document_within(sight);
        match log.state_before(number) {
            Some(known) => Self::Above { parts, known },
            None => Self::Everything(parts),
        }
    }

    /// Roughly how many bytes have to be read: what decides whether this leaves the async threads.
    pub(super) fn cost(&self) -> usize {
        match self {
            Self::Everything(_) | Self::Ready(_) => 0,
            Self::Above { parts, .. } => parts.len(),
            Self::Updates(updates) => updates.iter().map(Bytes::len).sum(),
        }
    }

    /// Computes the frames.
    pub(super) fn compute(self) -> Result<Frames, ScanError> {
        match self {
            Self::Everything(parts) => {
                let mut updates: Vec<_> = parts.snapshot.into_iter().chain(parts.tail).collect();
                let step2 = updates.pop().unwrap_or(Bytes::from_static(EMPTY_UPDATE));
                Ok(Frames { updates, step2 })
            }
            Self::Above { parts, known } => {
                let step2 = sync::diff(parts.parts().map(AsRef::as_ref), &known)?;
                Ok(Frames { updates: Vec::new(), step2: step2.into() })
            }
            Self::Updates(updates) => {
                let step2 = sync::merge(updates.iter().map(AsRef::as_ref))?;
                Ok(Frames { updates: Vec::new(), step2: step2.into() })
            }
            Self::Ready(step2) => Ok(Frames { updates: Vec::new(), step2 }),
        }
    }
}

/// A catch-up that has to read no more than this many bytes is computed on the async thread: it takes less than 500 µs.
pub(super) const INLINE_BYTES: usize = 64 * 1024;
/// An update without blocks and without deletions.
const EMPTY_UPDATE: &[u8] = &[0, 0];
