//! The index of an open document: state vector and deletions (the parents of blocks are not held yet).
use super::*;
#[derive(Debug, Default)]
pub struct DocumentIndex {
    sv: StateVector,
    deleted: IdSet,
}
#[derive(Debug)]
pub enum Integration {
    Contained,
    Complete,
    Partial { accepted: Option<Vec<u8>>, rest: Vec<u8> },
}
impl DocumentIndex {
    pub fn load(doc: &DocumentBytes) -> Result<Self, ScanError> {
        let mut s = Self::default();
        for p in doc.parts() {
            s.integrate(p)?;
        }
        Ok(s)
    }
    pub fn state_vector(&self) -> &StateVector {
        &self.sv
    }
    pub fn deleted(&self) -> &IdSet {
        &self.deleted
    }
    pub fn integrate(&mut self, update: &[u8]) -> Result<Integration, ScanError> {
        let u = UpdateRef::parse(update)?;
        let mut new = false;
        let mut sv = self.sv.clone();
        for b in u.blocks() {
            if b.id.clock > sv.clock(b.id.client) {
                return Ok(Integration::Partial { accepted: None, rest: update.to_vec() });
            }
            if b.id.clock + b.len > sv.clock(b.id.client) {
                new = true;
                sv.raise(b.id.client, b.id.clock + b.len);
            }
        }
        for d in u.deletes() {
            new |= self.deleted.insert(d.client, d.start..d.end);
        }
        self.sv = sv;
        Ok(if new { Integration::Complete } else { Integration::Contained })
    }
}
pub fn deletions_of<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> Result<IdSet, ScanError> {
    let mut set = IdSet::default();
    for u in updates {
        for d in UpdateRef::parse(u)?.deletes() {
            set.insert(d.client, d.start..d.end);
        }
    }
    Ok(set)
}
pub fn root_kinds<'a>(
    updates: impl IntoIterator<Item = &'a [u8]>,
) -> Result<std::collections::BTreeMap<String, RootKind>, ScanError> {
    let mut m = std::collections::BTreeMap::new();
    for u in updates {
        for b in UpdateRef::parse(u)?.blocks() {
            if let Body::Item(i) = b.body {
                if let Some(Parent::Root(r)) = i.parent {
                    m.insert(
                        r.to_owned(),
                        if i.key.is_some() {
                            RootKind::Map
                        } else if matches!(i.content, Content::String { .. }) {
                            RootKind::Text
                        } else {
                            RootKind::Array
                        },
                    );
                }
            }
        }
    }
    Ok(m)
}
