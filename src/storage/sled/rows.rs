//! The rows of a sled transaction: the tree, and above it what the transaction has changed so far.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, RangeInclusive};

use sled::{Batch, IVec, Tree};

use super::keys;
use crate::ids::DocName;
use crate::storage::durable::{Budget, Changes, Fault, Names, Rows, Span, TrashKey};
use crate::storage::record::{FRAME, Place};

/// A transaction. One that only reads changes nothing.
pub(in crate::storage) struct Tables<'db> {
    tree: &'db Tree,
    /// `None` for what is removed.
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'db> Tables<'db> {
    pub(super) const fn new(tree: &'db Tree) -> Self {
        Self { tree, changes: BTreeMap::new() }
    }

    /// All changes, to be applied at once; `None` without any.
    pub(super) fn into_batch(self) -> Option<Batch> {
        if self.changes.is_empty() {
            return None;
        }
        let mut batch = Batch::default();
        for (key, value) in self.changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        Some(batch)
    }

    fn get(&self, key: &[u8]) -> Result<Option<IVec>, Fault> {
        match self.changes.get(key) {
            Some(change) => Ok(change.as_deref().map(IVec::from)),
            None => Ok(self.tree.get(key)?),
        }
    }

    /// Hands over the rows of a range in order, the changed ones as they are now.
    fn walk<E: From<Fault>>(
        &self,
        range: RangeInclusive<Vec<u8>>,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let mut changed = self.changes.range(range.clone()).peekable();
        let mut stored = self.tree.range(range);
        let mut next = stored.next().transpose().map_err(Fault::from)?;
        loop {
            let is_changed = match (changed.peek(), &next) {
                (None, None) => return Ok(()),
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some((key, _)), Some((other, _))) => key.as_slice() <= &**other,
            };
            let flow = if is_changed {
                let Some((key, value)) = changed.next() else { return Ok(()) };
                if next.as_ref().is_some_and(|(other, _)| **other == **key) {
                    next = stored.next().transpose().map_err(Fault::from)?;
                }
                let Some(value) = value else { continue };
                each(key, value)?
            } else {
                let Some((key, value)) = next.take() else { return Ok(()) };
                next = stored.next().transpose().map_err(Fault::from)?;
                each(&key, &value)?
            };
            if flow.is_break() {
                return Ok(());
            }
        }
    }

    /// Up to `limit` of what `read` finds in the keys of a range.
    fn keys<T>(
        &self,
        range: RangeInclusive<Vec<u8>>,
        limit: usize,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, Fault> {
        let mut found = Vec::new();
        if limit > 0 {
            self.walk(range, |key, _| -> Result<_, Fault> {
                found.extend(read(key));
                Ok(if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            })?;
        }
        Ok(found)
    }

    fn change(&mut self, key: Vec<u8>, value: Option<&[u8]>) {
        self.changes.insert(key, value.map(<[u8]>::to_vec));
    }
}

impl Rows for Tables<'_> {
    fn id(&self, names: Names, name: &str) -> Result<Option<u64>, Fault> {
        Ok(self.get(&keys::name(names, name))?.and_then(|value| number(&value)))
    }

    fn names(&self, names: Names, after: Option<&str>, limit: usize) -> Result<Vec<String>, Fault> {
        let (mut first, last) = keys::all(keys::letter(names), DocName::MAX_BYTES).into_inner();
        if let Some(after) = after {
            // The least key above that of the name.
            first = keys::name(names, after);
            first.push(0);
        }
        self.keys(first..=last, limit, |key| String::from_utf8(key.get(1..)?.to_vec()).ok())
    }

    fn header_ids(&self, after: u64, limit: usize) -> Result<Vec<u64>, Fault> {
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        let range = keys::place(Place::Header { doc: first })..=keys::place(Place::Header { doc: u64::MAX });
        self.keys(range, limit, |key| keys::read_place(key).map(Place::doc))
    }

    fn record<T>(&self, place: Place, read: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, Fault> {
        Ok(self.get(&keys::place(place))?.map(|record| read(&record)))
    }

    fn records<E: From<Fault>>(
        &self,
        span: Span,
        mut each: impl FnMut(Place, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.walk(keys::span(&span), |key, record| {
            if let Some(place) = keys::read_place(key) {
                each(place, record)?;
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    fn trash(&self, keys: RangeInclusive<TrashKey>, limit: usize) -> Result<Vec<TrashKey>, Fault> {
        let (first, last) = keys.into_inner();
        self.keys(keys::trash(first)..=keys::trash(last), limit, keys::read_trash)
    }
}

impl Changes for Tables<'_> {
    /// A page has at most 16 rows, and a few more after a merge. One of 20 such rows stays below a quarter of a segment, above
    /// which sled would move it into a file of its own, which it never syncs.
    const MAX_PAYLOAD: usize = 6000 - FRAME;

    fn last_id(&self) -> Result<Option<u64>, Fault> {
        let range = keys::all(keys::HEADER, 8);
        let changed = self.changes.range(range.clone()).rev().find(|(_, value)| value.is_some());
        let changed = changed.and_then(|(key, _)| keys::read_place(key)).map(Place::doc);
        let mut stored = None;
        for row in self.tree.range(range).keys().rev() {
            let key = row?;
            // Removed in this transaction, it is not the last any more.
            if !matches!(self.changes.get(&*key), Some(None)) {
                stored = keys::read_place(&key).map(Place::doc);
                break;
            }
        }
        Ok(changed.max(stored))
    }

    fn put_name(&mut self, names: Names, name: &str, id: u64) -> Result<(), Fault> {
        self.change(keys::name(names, name), Some(&id.to_be_bytes()));
        Ok(())
    }

    fn remove_name(&mut self, names: Names, name: &str) -> Result<(), Fault> {
        self.change(keys::name(names, name), None);
        Ok(())
    }

    fn put_new(&mut self, place: Place, record: &[u8]) -> Result<bool, Fault> {
        let key = keys::place(place);
        let is_new = self.get(&key)?.is_none();
        self.change(key, Some(record));
        Ok(is_new)
    }

    fn remove_header(&mut self, doc: u64) -> Result<(), Fault> {
        self.change(keys::place(Place::Header { doc }), None);
        Ok(())
    }

    fn remove_records(&mut self, span: Span, budget: &mut Budget) -> Result<(), Fault> {
        let mut gone = Vec::new();
        self.walk(keys::span(&span), |key, record| -> Result<_, Fault> {
            if budget.is_spent() {
                return Ok(ControlFlow::Break(()));
            }
            budget.spend(record.len());
            gone.push(key.to_vec());
            Ok(ControlFlow::Continue(()))
        })?;
        for key in gone {
            self.change(key, None);
        }
        Ok(())
    }

    fn put_trash(&mut self, key: TrashKey) -> Result<(), Fault> {
        self.change(keys::trash(key), Some(&[]));
        Ok(())
    }

    fn remove_trash(&mut self, key: TrashKey) -> Result<(), Fault> {
        self.change(keys::trash(key), None);
        Ok(())
    }
}

pub(super) fn number(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}
