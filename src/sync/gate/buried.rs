//! What is buried: ids inside of types that are deleted, or were when their content was thrown away.
//!
//! Nothing can make them visible again, and whatever still comes beside them or into them is buried as well. So a
//! document can do without everything but their number, which is what Yjs keeps of them.

use super::index::DocumentIndex;
use super::runs::Standing;
use crate::sync::id_set::IdSet;

impl DocumentIndex {
    /// All ids inside of deleted types, at any depth. It takes time in proportion to the index.
    pub(in crate::sync) fn buried(&self) -> IdSet {
        let mut lists: Vec<bool> = Vec::new();
        for owner in self.places.owners() {
            // The list of the owner comes before its own.
            let is_buried = owner.is_some_and(|id| self.deleted().contains(id) || is_in(&lists, self.standing(id)));
            lists.push(is_buried);
        }
        let mut buried = IdSet::new();
        for (client, runs) in self.runs() {
            for (range, _) in runs.iter(self.state_vector().clock(client)).filter(|(_, at)| is_in(&lists, *at)) {
                buried.insert(client, range);
            }
        }
        buried
    }
}

/// Whether something that stands there stands in one of the buried lists, or in none because that was collected.
fn is_in(lists: &[bool], standing: Standing) -> bool {
    standing
        .place()
        .is_none_or(|place| usize::try_from(place.number()).ok().and_then(|at| lists.get(at)).copied().unwrap_or(false))
}
