//! One round: an update goes into the index, section by section, each as far as it comes.
//!
//! A section that needs an id of another one waits until that one has passed it. Each wait is over after one wake,
//! a block has three references at most, so hostile updates take time in proportion to their blocks as well.

use std::collections::BTreeSet;

use super::index::DocumentIndex;
use super::judge::{Gone, Verdict};
use super::{Integration, Refusal, cycle};
use crate::ids::ClientId;
use crate::sync::block::{Body, Id};
use crate::sync::id_set::IdSet;
use crate::sync::scan::{Deletion, Section, UpdateRef};
use crate::sync::state_vector::StateVector;
use crate::sync::writer::UpdateWriter;

/// An update on its way into an index.
pub(super) struct Round<'i, 'u> {
    index: &'i mut DocumentIndex,
    update: UpdateRef<'u>,
    gone: Gone<'u>,
    /// The sections that did not reach their end, by the number under which they wait. `None` once woken.
    blocked: Vec<Option<Blocked<'u>>>,
    /// What they wait for.
    waits: BTreeSet<(Id, usize)>,
}

/// A section that cannot go on.
pub(super) struct Blocked<'u> {
    /// The rest of the section.
    pub(super) section: Section<'u>,
    /// The id that its next block needs; `None` when ids of its own client are missing before it.
    pub(super) needs: Option<Id>,
}

impl<'i, 'u> Round<'i, 'u> {
    pub(super) fn new(index: &'i mut DocumentIndex, update: UpdateRef<'u>) -> Self {
        let gone = Gone::new(update.deletes());
        Self { index, update, gone, blocked: Vec::new(), waits: BTreeSet::new() }
    }

    /// Takes the update in. After an error the index is to be undone, else settled.
    pub(super) fn run(mut self) -> Result<Integration, Refusal> {
        let mut sections = self.update.sections();
        while let Some(section) = sections.enter() {
            let reached = self.advance(section)?;
            sections.leave(reached);
        }
        cycle::refuse(self.blocked.iter().flatten())?;
        self.finish()
    }

    /// Takes in a section and all that waited for it; the section's rest.
    fn advance(&mut self, section: Section<'u>) -> Result<Section<'u>, Refusal> {
        let first = self.advance_one(section)?;
        let mut passed = self.take_passed(first.client);
        while let Some(number) = passed.pop() {
            if let Some(woken) = self.blocked.get_mut(number).and_then(Option::take) {
                let client = woken.section.client;
                self.advance_one(woken.section)?;
                passed.append(&mut self.take_passed(client));
            }
        }
        Ok(first)
    }

    /// Takes in one section as far as it comes, and leaves its rest among the blocked ones.
    fn advance_one(&mut self, mut section: Section<'u>) -> Result<Section<'u>, Refusal> {
        let client = section.client;
        let mut known = self.index.state_vector().clock(client);
        loop {
            let mut next = section.clone();
            let Some(block) = next.next() else { return Ok(section) };
            let needs = if block.id.clock > known && !matches!(block.body, Body::Skip) {
                None
            } else {
                match self.index.judge(&block, known, &self.gone)? {
                    Verdict::Known => {
                        section = next;
                        continue;
                    }
                    Verdict::Stands(standing) => {
                        self.index.add(&block, known, standing);
                        known = block.end();
                        section = next;
                        continue;
                    }
                    Verdict::WaitsFor(id) => Some(id),
                }
            };
            if let Some(id) = needs {
                self.waits.insert((id, self.blocked.len()));
            }
            self.blocked.push(Some(Blocked { section: section.clone(), needs }));
            return Ok(section);
        }
    }

    /// Takes the numbers of those that wait for ids of a client that are known now.
    fn take_passed(&mut self, client: ClientId) -> Vec<usize> {
        let mut numbers = Vec::new();
        if !self.waits.is_empty() {
            let clock = self.index.state_vector().clock(client);
            let passed = (Id { client, clock: 0 }, 0)..(Id { client, clock }, 0);
            while let Some(wait) = self.waits.range(passed.clone()).next().copied() {
                self.waits.remove(&wait);
                numbers.push(wait.1);
            }
        }
        numbers
    }

    /// Deletes, and says what became of the update. Nothing is refused after the first deletion.
    fn finish(self) -> Result<Integration, Refusal> {
        let known = self.index.state_vector();
        let mut early = IdSet::new();
        for deletion in self.update.deletes() {
            let clock = known.clock(deletion.client);
            if deletion.start == deletion.end && deletion.start >= clock {
                return Err(Refusal::EmptyDeletion);
            }
            early.insert(deletion.client, clock.clamp(deletion.start, deletion.end)..deletion.end);
        }
        let mut is_new = self.index.has_grown();
        for deletion in self.update.deletes() {
            is_new |= self.index.delete(below(self.index.state_vector(), deletion));
        }
        if early.is_empty() && self.blocked.iter().all(Option::is_none) {
            return Ok(if is_new { Integration::Complete } else { Integration::Contained });
        }
        Ok(self.divide(is_new, &early))
    }

    /// Writes what came in and what did not as two updates.
    fn divide(self, is_new: bool, early: &IdSet) -> Integration {
        let (mut accepted, mut rest) = (UpdateWriter::default(), UpdateWriter::default());
        let before = self.index.clocks_before();
        let now = self.index.state_vector();
        let mut is_rest = !early.is_empty();
        for block in self.update.blocks().filter(|block| !matches!(block.body, Body::Skip)) {
            if block.end() > now.clock(block.id.client) {
                is_rest = true;
                rest.push(block.into());
            } else if block.end() > before.clock(block.id.client) {
                accepted.push(block.into());
            }
        }
        if !is_new && !is_rest {
            return Integration::Contained;
        }
        let mut deletes = IdSet::new();
        deletes.extend(self.update.deletes().map(|deletion| below(now, deletion)));
        Integration::Partial { accepted: is_new.then(|| accepted.finish(&deletes)), rest: rest.finish(early) }
    }
}

/// The part of a deletion that is about known ids.
fn below(known: &StateVector, deletion: Deletion) -> Deletion {
    Deletion { end: known.clock(deletion.client).clamp(deletion.start, deletion.end), ..deletion }
}
