//! What can still be read of a damaged document, and what belongs to no document at all.

use std::collections::BTreeMap;

use super::engine::Fault;
use super::header::{Header, Snapshot};
use super::reader::{self, Found};
use super::rows::{Names, Rows, Span, TRASH_DOCUMENT, TRASH_SNAPSHOT, TRASH_TAIL, Table};
use crate::ids::DocName;
use crate::storage::record::{Kind, Place, unseal_as};
use crate::storage::{Damage, Flaw, Remains};

/// Everything of a document that can be read.
pub(super) fn remains(rows: &impl Rows, doc: &DocName) -> Result<Remains, Fault> {
    let id = match rows.id(Names::Documents, doc.as_str())? {
        Some(id) => Some(id),
        None => rows.id(Names::Graves, doc.as_str())?,
    };
    let Some(id) = id else { return Ok(Remains::default()) };
    let mut remains = Remains::default();
    let snapshot = match header(rows, id, doc)? {
        Ok(header) => {
            remains.generation = Some(header.generation);
            remains.head = Some(header.head);
            match reader::ancestors(rows, id, header.ancestors_len) {
                Ok(ancestors) => remains.ancestors = ancestors,
                Err(found) => remains.note(found)?,
            }
            header.snapshot
        }
        Err(damage) => {
            remains.damage.push(damage);
            newest_snapshot(rows, id)?
        }
    };
    let upto = match snapshot.map(|snapshot| (snapshot.upto, reader::snapshot_bytes(rows, id, snapshot))) {
        Some((upto, Ok(bytes))) => {
            remains.snapshot = Some((upto, bytes));
            upto
        }
        Some((_, Err(found))) => {
            remains.note(found)?;
            0
        }
        None => 0,
    };
    updates(rows, id, upto, &mut remains)?;
    Ok(remains)
}

/// Records that belong to no document and are not on the way out either.
pub(super) fn flaws(rows: &impl Rows) -> Result<Vec<Flaw>, Fault> {
    let mut orphans = BTreeMap::new();
    for (name, table) in [
        ("tail", Table::Updates),
        ("big", Table::UpdateChunks),
        ("snapshots", Table::SnapshotChunks),
        ("ancestors", Table::AncestorsChunks),
    ] {
        let mut checked: Option<(u64, bool)> = None;
        rows.records(Span::all(table), |place, _| -> Result<(), Fault> {
            let id = place.doc();
            let (_, belongs) = match checked {
                Some(checked) if checked.0 == id => checked,
                _ => *checked.insert((id, belongs(rows, id)?)),
            };
            if !belongs {
                *orphans.entry(name).or_default() += 1;
            }
            Ok(())
        })?;
    }
    Ok(orphans.into_iter().map(|(table, records)| Flaw::Orphans { table, records }).collect())
}

impl Remains {
    fn note(&mut self, found: Found) -> Result<(), Fault> {
        match found {
            Found::Damage(damage) => self.damage.push(damage),
            Found::Engine(fault) => return Err(fault),
        }
        Ok(())
    }
}

/// Whether records with this id may be there: of a document, or on the way out.
fn belongs(rows: &impl Rows, id: u64) -> Result<bool, Fault> {
    let has_header = rows.record(Place::Header { doc: id }, |_| ())?.is_some();
    Ok(has_header || rows.is_trash((id, TRASH_DOCUMENT, 0))?)
}

fn header(rows: &impl Rows, id: u64, doc: &DocName) -> Result<Result<Header, Damage>, Fault> {
    let header = rows.record(Place::Header { doc: id }, |record| Header::decode(id, doc, record))?;
    Ok(header.unwrap_or(Err(Damage::Header("it is missing"))))
}

/// The snapshot with the greatest number that was published, without a header to tell which one it is.
fn newest_snapshot(rows: &impl Rows, id: u64) -> Result<Option<Snapshot>, Fault> {
    let mut lengths: BTreeMap<u64, u64> = BTreeMap::new();
    rows.records(Span::of(Table::SnapshotChunks, id), |place, record| -> Result<(), Fault> {
        if let Place::SnapshotChunk { number, .. } = place {
            let piece = unseal_as(place, Kind::SnapshotChunk, record);
            *lengths.entry(number).or_default() += piece.map_or(0, |piece| piece.len() as u64);
        }
        Ok(())
    })?;
    // The updates that it replaced were put aside together with its publication.
    let put_aside = rows.trash((id, TRASH_TAIL, 0)..=(id, TRASH_TAIL, u64::MAX), usize::MAX)?;
    let upto = put_aside.last().map_or(0, |(_, _, upto)| *upto);
    for (number, len) in lengths.into_iter().rev() {
        if !rows.is_trash((id, TRASH_SNAPSHOT, number))? {
            return Ok(Some(Snapshot { number, upto, len }));
        }
    }
    Ok(None)
}

fn updates(rows: &impl Rows, id: u64, upto: u64, remains: &mut Remains) -> Result<(), Fault> {
    let mut next = upto + 1;
    rows.records(Span::numbers(Table::Updates, id, upto + 1..=u64::MAX), |place, record| -> Result<(), Fault> {
        let Place::Update { seq, .. } = place else { return Ok(()) };
        if seq > next && remains.head.is_some() {
            remains.damage.push(Damage::MissingUpdate { seq: next });
        }
        next = seq.saturating_add(1);
        match reader::whole_update(rows, place, seq, record) {
            Ok(update) => remains.updates.push((seq, update)),
            Err(found) => remains.note(found)?,
        }
        Ok(())
    })?;
    if remains.head.is_some_and(|head| head >= next) {
        remains.damage.push(Damage::MissingUpdate { seq: next });
    }
    Ok(())
}
