//! The index of one open document: which ids it has, which are deleted, and in which list each stands.
//!
//! It holds no content. Ids only ever come at the end of a client's clocks, so the index of a client is a plain
//! vector of runs that is searched by halving, and undoing a refused update cuts it back.

use std::collections::{BTreeMap, btree_map};
use std::ops::Range;

use smallvec::SmallVec;
use thiserror::Error;

use super::places::Places;
use super::round::Round;
use super::runs::{Runs, Standing};
use super::{Integration, Refusal};
use crate::ids::ClientId;
use crate::sync::block::{Block, Body, Id};
use crate::sync::content::Content;
use crate::sync::document::DocumentBytes;
use crate::sync::id_set::IdSet;
use crate::sync::roots::RootKind;
use crate::sync::scan::{Deletion, UpdateRef};
use crate::sync::state_vector::StateVector;

/// What one open document knows, for judging updates to it.
///
/// ```
/// use ydock::sync::{DocumentIndex, Integration};
///
/// let mut index = DocumentIndex::new();
/// let update = [1, 1, 7, 0, 4, 1, 1, b't', 1, b'a', 0];
/// assert_eq!(index.integrate(&update)?, Integration::Complete);
/// assert_eq!(index.integrate(&update)?, Integration::Contained);
/// # Ok::<(), ydock::sync::Refusal>(())
/// ```
#[derive(Debug, Default)]
pub struct DocumentIndex {
    state: StateVector,
    deleted: IdSet,
    clients: BTreeMap<ClientId, Runs>,
    pub(super) places: Places,
    journal: Journal,
}

/// What the update under judgement has changed so far.
#[derive(Debug, Default)]
struct Journal {
    /// The clients with new ids, with their clock and number of runs before. Mostly it is one.
    grown: SmallVec<[(ClientId, u32, usize); 1]>,
    /// New ids that came deleted.
    gone: Vec<(ClientId, Range<u32>)>,
}

/// Why a stored document has no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A part is damaged or was never accepted.
    #[error("failed to read part {part} of the document")]
    Refused {
        /// The number of the part in [`DocumentBytes::parts`], from 0.
        part: usize,
        /// What is wrong with it.
        source: Refusal,
    },
    /// Something that a part needs is not in the parts before it.
    #[error("something is missing before part {part} of the document")]
    Incomplete {
        /// The number of the part in [`DocumentBytes::parts`], from 0.
        part: usize,
    },
}

impl DocumentIndex {
    /// Types inside each other, at most. Deeper ones overflow the stacks of other readers when they are exported or
    /// deleted; rich texts of real editors stay far below.
    pub const MAX_NESTING: u16 = 512;

    /// The index of an empty document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The index of a stored document. It takes about 15 ms for each MB, so not on an async worker.
    ///
    /// # Errors
    /// When a part is refused, or something is missing before it.
    pub fn load(document: &DocumentBytes) -> Result<Self, LoadError> {
        Ok(Self::load_with_snapshot(document)?.0)
    }

    /// As [`load`](Self::load), and how far the snapshot alone knows each client.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn load_with_snapshot(document: &DocumentBytes) -> Result<(Self, StateVector), LoadError> {
        let mut index = Self::new();
        let mut snapshot = StateVector::new();
        for (part, bytes) in document.parts().enumerate() {
            match index.integrate(bytes) {
                Ok(Integration::Complete | Integration::Contained) => {}
                Ok(Integration::Partial { .. }) => return Err(LoadError::Incomplete { part }),
                Err(source) => return Err(LoadError::Refused { part, source }),
            }
            if part == 0 && document.snapshot.is_some() {
                snapshot = index.state.clone();
            }
        }
        index.clients.values_mut().for_each(Runs::shrink_to_fit);
        index.places.shrink_to_fit();
        index.journal = Journal::default();
        Ok((index, snapshot))
    }

    /// How far the document knows each client.
    #[must_use]
    pub const fn state_vector(&self) -> &StateVector {
        &self.state
    }

    /// What is deleted: by a deletion, or because it came without its content.
    #[must_use]
    pub const fn deleted(&self) -> &IdSet {
        &self.deleted
    }

    /// The kinds of the top-level types, as [`root_kinds`](crate::sync::root_kinds()) infers them.
    #[must_use]
    pub fn root_kinds(&self) -> BTreeMap<String, RootKind> {
        self.places.root_kinds().into_map()
    }

    /// About the memory that the index takes, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let runs: usize = self.clients.values().map(Runs::memory_bytes).sum();
        // Both trees: nodes of 11 entries, two thirds full.
        let trees = (self.clients.len() * size_of::<(ClientId, Runs)>() + self.state.len() * 16) * 3 / 2;
        runs + trees + self.deleted.memory_bytes() + self.places.memory_bytes()
    }

    /// Takes an update into the document, as far as nothing is missing before it.
    ///
    /// # Errors
    /// When no honest client can have sent it; then nothing has changed. The update's sender is to blame, or who
    /// relayed it unseen.
    pub fn integrate(&mut self, update: &[u8]) -> Result<Integration, Refusal> {
        let update = UpdateRef::parse(update)?;
        let outcome = Round::new(self, update).run();
        match outcome {
            Ok(integration) => {
                self.settle();
                Ok(integration)
            }
            Err(refusal) => {
                self.undo();
                Err(refusal)
            }
        }
    }

    /// Whether the document has everything that an update brings, without taking it. Of bytes that are no update it has nothing.
    #[must_use]
    pub fn knows(&self, update: &[u8]) -> bool {
        let Ok(update) = UpdateRef::parse(update) else { return false };
        let has_blocks = update
            .blocks()
            .all(|block| matches!(block.body, Body::Skip) || block.end() <= self.state.clock(block.id.client));
        let is_deleted = |deletion: Deletion| {
            deletion.start == deletion.end || self.deleted.contains_range(deletion.client, deletion.start..deletion.end)
        };
        has_blocks && update.deletes().all(is_deleted)
    }

    /// The runs of each client.
    pub(super) fn runs(&self) -> impl Iterator<Item = (ClientId, &Runs)> {
        self.clients.iter().map(|(client, runs)| (*client, runs))
    }

    /// Where a known id stands.
    pub(super) fn standing(&self, id: Id) -> Standing {
        self.clients.get(&id.client).map_or(Standing::COLLECTED, |runs| runs.standing(id.clock))
    }

    /// Adds the ids of a block above `known`, the client's clock.
    pub(super) fn add(&mut self, block: &Block<'_>, known: u32, standing: Standing) {
        let client = block.id.client;
        let runs = match self.clients.entry(client) {
            btree_map::Entry::Occupied(entry) => entry.into_mut(),
            btree_map::Entry::Vacant(entry) => entry.insert(Runs::default()),
        };
        if self.journal.grown.last().is_none_or(|(last, ..)| *last != client) {
            self.journal.grown.push((client, known, runs.len()));
        }
        runs.push(known, standing);
        self.state.raise(client, block.end());
        let empty = match &block.body {
            Body::Item(item) => matches!(item.content, Content::Deleted) || standing == Standing::COLLECTED,
            _ => true,
        };
        if empty {
            self.journal.gone.push((client, known..block.end()));
        }
    }

    /// The clocks before this update of the clients that it brought forward.
    pub(super) fn clocks_before(&self) -> StateVector {
        let mut before = self.state.clone();
        for (client, clock, _) in self.journal.grown.iter().rev() {
            before.reset(*client, *clock);
        }
        before
    }

    /// Whether the update has brought ids.
    pub(super) fn has_grown(&self) -> bool {
        !self.journal.grown.is_empty()
    }

    /// Deletes known ids; whether that is new.
    pub(super) fn delete(&mut self, deletion: Deletion) -> bool {
        self.deleted.insert(deletion.client, deletion.start..deletion.end)
    }

    fn settle(&mut self) {
        self.places.settle();
        self.journal.grown.clear();
        for (client, range) in self.journal.gone.drain(..) {
            self.deleted.insert(client, range);
        }
    }

    fn undo(&mut self) {
        self.places.undo();
        self.journal.gone.clear();
        for (client, clock, len) in self.journal.grown.drain(..).rev() {
            self.state.reset(client, clock);
            match self.clients.get_mut(&client) {
                Some(runs) if len > 0 => runs.truncate(len),
                _ => drop(self.clients.remove(&client)),
            }
        }
    }
}
