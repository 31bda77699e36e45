//! The judgement of one block: known already, waiting for something, or standing somewhere — or impossible.
//!
//! The rules are those by which Yjs finds a place (`Item.getMissing` and `Item.integrate`), made strict where Yjs
//! would go on with a broken list. They only look at facts that never change once an id is known, so they give the
//! same answer in every order and after every merge.

use std::cell::OnceCell;

use super::Refusal;
use super::index::DocumentIndex;
use super::runs::{Role, Standing};
use crate::sync::block::{Block, Body, Id, Item, Parent};
use crate::sync::content::Content;
use crate::sync::id_set::IdSet;
use crate::sync::scan::Deletes;

/// What a block is to the document right now.
pub(super) enum Verdict {
    /// All of its ids are known.
    Known,
    /// It needs an id that is not known yet.
    WaitsFor(Id),
    /// Its new ids stand here.
    Stands(Standing),
}

/// The deletions of the update under judgement, as a set once they are needed.
pub(super) struct Gone<'a> {
    deletes: Deletes<'a>,
    set: OnceCell<IdSet>,
}

impl<'a> Gone<'a> {
    pub(super) fn new(deletes: Deletes<'a>) -> Self {
        Self { deletes, set: OnceCell::new() }
    }

    /// Whether all of a block is deleted, before this update or by it.
    fn contains(&self, block: &Block<'_>, before: &IdSet) -> bool {
        let here = self.set.get_or_init(|| self.deletes.clone().into());
        let mut id = block.id;
        while id.clock < block.end() {
            match before.end_of_range_at(id).max(here.end_of_range_at(id)) {
                Some(end) => id.clock = end,
                None => return false,
            }
        }
        true
    }
}

impl DocumentIndex {
    /// Judges a block that starts at or below the known clock of its client, which is `known`.
    pub(super) fn judge(&mut self, block: &Block<'_>, known: u32, gone: &Gone<'_>) -> Result<Verdict, Refusal> {
        let item = match &block.body {
            Body::Item(item) => item,
            Body::Skip => return Ok(Verdict::Known),
            Body::Collected if block.end() <= known => return Ok(Verdict::Known),
            Body::Collected => return Ok(Verdict::Stands(Standing::COLLECTED)),
        };
        // Also for what is known: Yjs looks the references up before it notices that it has the block.
        for id in item.dependencies() {
            if id.client == block.id.client {
                if id.clock >= block.id.clock {
                    return Err(Refusal::Cycle);
                }
            } else if !self.state_vector().contains(id) {
                return Ok(Verdict::WaitsFor(id));
            }
        }
        if block.end() <= known {
            return Ok(Verdict::Known);
        }
        let standing = self.standing_of(item)?;
        if block.id.clock < known {
            let before = self.standing(Id { client: block.id.client, clock: known - 1 });
            if before.place() != standing.place() {
                return Err(Refusal::TornBlock);
            }
        }
        if let Some(place) = standing.place() {
            if self.places.is_keyed(place) && !may_be_keyed(item, block, self.deleted(), gone) {
                return Err(Refusal::KeyedContent);
            }
            if matches!(item.content, Content::Type(_)) && self.places.depth(place) >= Self::MAX_NESTING {
                return Err(Refusal::TooDeep);
            }
            self.places.note(place, &item.content);
        }
        Ok(Verdict::Stands(standing))
    }

    /// Where an item stands whose references are all known.
    fn standing_of(&mut self, item: &Item<'_>) -> Result<Standing, Refusal> {
        let role = match item.content {
            Content::Type(_) => Role::Type,
            Content::Deleted => Role::Deleted,
            _ => Role::Content,
        };
        let Some(parent) = item.parent else { return self.standing_by_neighbours(item, role) };
        let depth = match parent {
            Parent::Root(_) => 0,
            Parent::Item(id) => {
                let standing = self.standing(id);
                match (standing.place(), standing.role()) {
                    // The type was deleted and collected, and so is everything that still comes into it.
                    (None, _) | (_, Role::Deleted) => return Ok(Standing::COLLECTED),
                    (Some(_), Role::Content) => return Err(Refusal::ParentIsNoType),
                    (Some(place), Role::Type) => self.places.depth(place) + 1,
                }
            }
        };
        Ok(Standing::new(self.places.place(parent, item.key, depth)?, role))
    }

    fn standing_by_neighbours(&self, item: &Item<'_>, role: Role) -> Result<Standing, Refusal> {
        if item.origin == item.right_origin {
            return Err(Refusal::SameNeighbours);
        }
        let mut place = None;
        for id in item.origin.iter().chain(&item.right_origin) {
            match (self.standing(*id).place(), place) {
                (None, _) => return Ok(Standing::COLLECTED),
                (Some(here), Some(there)) if here != there => return Err(Refusal::NeighboursApart),
                (Some(here), _) => place = Some(here),
            }
        }
        Ok(place.map_or(Standing::COLLECTED, |place| Standing::new(place, role)))
    }
}

/// Whether content may stand under a key: one value, or any number of values that are all deleted.
///
/// Yjs without garbage collection joins values that replaced each other into one block, so several are honest as long
/// as none lives. Texts and formats never are values; some readers crash on them there.
fn may_be_keyed(item: &Item<'_>, block: &Block<'_>, deleted: &IdSet, gone: &Gone<'_>) -> bool {
    match item.content {
        Content::Format => false,
        Content::String(_) => gone.contains(block, deleted),
        Content::Any(_) | Content::Json(_) => block.len == 1 || gone.contains(block, deleted),
        _ => true,
    }
}
