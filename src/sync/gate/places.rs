//! Places: the lists of a document, each numbered once. A list is a type's own, or what stands under one of its keys.

use std::collections::HashMap;
use std::sync::Arc;

use super::Refusal;
use crate::ids::ClientId;
use crate::sync::block::{Id, Parent};
use crate::sync::content::Content;
use crate::sync::roots::{RootEvidence, RootKinds};

/// The number of a list in one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u32);

impl Place {
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    pub(super) const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// All lists of a document.
#[derive(Debug, Default)]
pub(super) struct Places {
    // Hashed with a random seed: clients choose the keys.
    numbers: HashMap<ListKey, u32>,
    facts: Vec<Facts>,
    names: HashMap<Arc<str>, u32>,
    names_in_order: Vec<Arc<str>>,
    names_bytes: usize,
    /// What was added since the last [`settle`](Self::settle).
    added: Vec<ListKey>,
    changed: Vec<(Place, Facts)>,
    names_settled: usize,
}

/// What names a list: 16 bytes, since documents with many small maps have many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ListKey {
    /// The client of the type's item, or [`ROOT`].
    client: u64,
    /// The clock of the type's item, or the number of the root's name.
    clock: u32,
    /// The number of the key's name plus one, or 0 for the type's own list.
    key: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    depth: u16,
    keyed: bool,
    root: Option<RootEvidence>,
}

impl Places {
    /// The list of `parent`, or the one under `key` in it. `depth` counts the types around it.
    pub(super) fn place(&mut self, parent: Parent<'_>, key: Option<&str>, depth: u16) -> Result<Place, Refusal> {
        let key_number = match key {
            Some(key) => self.name(key)? + 1,
            None => 0,
        };
        let (list, root) = match parent {
            Parent::Item(Id { client, clock }) => (ListKey { client: client.value(), clock, key: key_number }, None),
            Parent::Root(name) => {
                let clock = self.name(name)?;
                (ListKey { client: ROOT, clock, key: key_number }, Some(RootEvidence::default()))
            }
        };
        if let Some(number) = self.numbers.get(&list) {
            return Ok(Place(*number));
        }
        let number = number_of(self.facts.len())?;
        self.numbers.insert(list, number);
        self.facts.push(Facts { depth, keyed: key.is_some(), root });
        self.added.push(list);
        Ok(Place(number))
    }

    /// The item of the type that each list belongs to, in order of the lists' numbers; `None` for top-level types.
    ///
    /// A list is numbered when something comes into it, so after the list in which its type's item stands.
    pub(super) fn owners(&self) -> Vec<Option<Id>> {
        let mut owners = vec![None; self.facts.len()];
        for (list, number) in &self.numbers {
            let owner = usize::try_from(*number).ok().and_then(|at| owners.get_mut(at));
            if let (Some(owner), Some(client)) = (owner, ClientId::new(list.client)) {
                *owner = Some(Id { client, clock: list.clock });
            }
        }
        owners
    }

    /// Whether the list stands under a key.
    pub(super) fn is_keyed(&self, place: Place) -> bool {
        self.fact(place).is_some_and(|facts| facts.keyed)
    }

    /// The number of types around what stands in the list, not counting top-level types.
    pub(super) fn depth(&self, place: Place) -> u16 {
        self.fact(place).map_or(0, |facts| facts.depth)
    }

    /// Notes what a top-level list holds.
    pub(super) fn note(&mut self, place: Place, content: &Content<'_>) {
        let Some(facts) = usize::try_from(place.0).ok().and_then(|at| self.facts.get_mut(at)) else { return };
        if let Some(evidence) = &mut facts.root {
            let before = Facts { root: Some(*evidence), ..*facts };
            if evidence.add(content) {
                self.changed.push((place, before));
            }
        }
    }

    /// What kinds the top-level types are, going by what they hold.
    pub(super) fn root_kinds(&self) -> RootKinds {
        let mut kinds = RootKinds::default();
        for (list, number) in self.numbers.iter().filter(|(list, _)| list.client == ROOT) {
            let name = usize::try_from(list.clock).ok().and_then(|at| self.names_in_order.get(at));
            if let (Some(name), Some(facts)) = (name, self.fact(Place(*number))) {
                kinds.add(name, facts.root.unwrap_or_default(), facts.keyed);
            }
        }
        kinds
    }

    /// Keeps what was added since the last time.
    pub(super) fn settle(&mut self) {
        self.added.clear();
        self.changed.clear();
        self.names_settled = self.names_in_order.len();
    }

    /// Takes back what was added since the last [`settle`](Self::settle).
    pub(super) fn undo(&mut self) {
        for (place, before) in self.changed.drain(..).rev() {
            if let Some(facts) = usize::try_from(place.0).ok().and_then(|at| self.facts.get_mut(at)) {
                *facts = before;
            }
        }
        for list in self.added.drain(..) {
            self.numbers.remove(&list);
            self.facts.pop();
        }
        for name in self.names_in_order.drain(self.names_settled..) {
            self.names_bytes -= name.len();
            self.names.remove(&name);
        }
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.numbers.shrink_to_fit();
        self.facts.shrink_to_fit();
        self.added.shrink_to_fit();
        self.names.shrink_to_fit();
    }

    /// About the memory that it takes, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        // Hash tables hold one more byte an entry and are up to 7/8 full; a shared text has two counters before it.
        let numbers = self.numbers.capacity() * (size_of::<(ListKey, u32)>() + 1) * 8 / 7;
        let names = self.names.capacity() * (size_of::<(Arc<str>, u32)>() + 1) * 8 / 7;
        numbers
            + names
            + self.facts.capacity() * size_of::<Facts>()
            + self.names_in_order.capacity() * size_of::<Arc<str>>()
            + self.names.len() * 16
            + self.names_bytes
    }

    fn fact(&self, place: Place) -> Option<&Facts> {
        self.facts.get(usize::try_from(place.0).ok()?)
    }

    fn name(&mut self, name: &str) -> Result<u32, Refusal> {
        if let Some(number) = self.names.get(name) {
            return Ok(*number);
        }
        let number = number_of(self.names_in_order.len())?;
        let name: Arc<str> = name.into();
        self.names_bytes += name.len();
        self.names_in_order.push(Arc::clone(&name));
        self.names.insert(name, number);
        Ok(number)
    }
}

fn number_of(count: usize) -> Result<u32, Refusal> {
    u32::try_from(count).ok().filter(|number| *number < MAX_PLACES).ok_or(Refusal::TooManyLists)
}

/// Stands for a client in the key of a top-level list; no client id is as large.
const ROOT: u64 = u64::MAX;

/// The lists of one document, at most: the two bits above are the role of an id.
const MAX_PLACES: u32 = (1 << 30) - 1;
