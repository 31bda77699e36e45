//! What can still be read of a damaged document, and what belongs to no document at all.

use std::collections::BTreeMap;

use bytes::Bytes;
use redb::{ReadTransaction, ReadableTable};

use super::engine::Fault;
use super::header::{Header, Snapshot};
use super::reader::{self, Found};
use super::schema::{
    ANCESTORS, BIG, GRAVES, HEADERS, NAMES, SNAPSHOTS, TAIL, TRASH, TRASH_DOCUMENT, TRASH_SNAPSHOT, TRASH_TAIL,
};
use super::stub::Stub;
use crate::ids::DocName;
use crate::storage::record::{Kind, Place, unseal, unseal_as};
use crate::storage::{Damage, Flaw, Remains};

/// Everything of a document that can be read.
pub(super) fn remains(txn: &ReadTransaction, doc: &DocName) -> Result<Remains, Fault> {
    let id = match txn.open_table(NAMES)?.get(doc.as_str())? {
        Some(id) => Some(id.value()),
        None => txn.open_table(GRAVES)?.get(doc.as_str())?.map(|id| id.value()),
    };
    let Some(id) = id else { return Ok(Remains::default()) };
    let mut remains = Remains::default();
    let snapshot = match header(txn, id, doc)? {
        Ok(header) => {
            remains.generation = Some(header.generation);
            remains.head = Some(header.head);
            match reader::ancestors(txn, id, header.ancestors_len) {
                Ok(ancestors) => remains.ancestors = ancestors,
                Err(found) => remains.note(found)?,
            }
            header.snapshot
        }
        Err(damage) => {
            remains.damage.push(damage);
            newest_snapshot(txn, id)?
        }
    };
    let upto = match snapshot.map(|snapshot| (snapshot.upto, reader::snapshot_bytes(txn, id, snapshot))) {
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
    updates(txn, id, upto, &mut remains)?;
    Ok(remains)
}

/// Records that belong to no document and are not on the way out either.
pub(super) fn flaws(txn: &ReadTransaction) -> Result<Vec<Flaw>, Fault> {
    let headers = txn.open_table(HEADERS)?;
    let trash = txn.open_table(TRASH)?;
    let belongs =
        |id| -> Result<bool, Fault> { Ok(headers.get(id)?.is_some() || trash.get((id, TRASH_DOCUMENT, 0))?.is_some()) };
    let mut orphans: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut checked: Option<(u64, bool)> = None;
    let mut count = |table, id| -> Result<(), Fault> {
        let (known, belongs) = match checked {
            Some(checked) if checked.0 == id => checked,
            _ => (id, belongs(id)?),
        };
        checked = Some((known, belongs));
        if !belongs {
            *orphans.entry(table).or_default() += 1;
        }
        Ok(())
    };
    for row in txn.open_table(TAIL)?.iter()? {
        count("tail", row?.0.value().0)?;
    }
    for row in txn.open_table(BIG)?.iter()? {
        count("big", row?.0.value().0)?;
    }
    for row in txn.open_table(SNAPSHOTS)?.iter()? {
        count("snapshots", row?.0.value().0)?;
    }
    for row in txn.open_table(ANCESTORS)?.iter()? {
        count("ancestors", row?.0.value().0)?;
    }
    Ok(orphans.into_iter().map(|(table, records)| Flaw::Orphans { table, records }).collect())
}

impl Remains {
    fn note(&mut self, found: Found) -> Result<(), Fault> {
        match found {
            Found::Damage(damage) => self.damage.push(damage),
            Found::Engine(error) => return Err(Fault::Engine(error)),
        }
        Ok(())
    }
}

fn header(txn: &ReadTransaction, id: u64, doc: &DocName) -> Result<Result<Header, Damage>, Fault> {
    let table = txn.open_table(HEADERS)?;
    Ok(match table.get(id)? {
        Some(record) => Header::decode(id, doc, record.value()),
        None => Err(Damage::Header("it is missing")),
    })
}

/// The snapshot with the greatest number that was published, without a header to tell which one it is.
fn newest_snapshot(txn: &ReadTransaction, id: u64) -> Result<Option<Snapshot>, Fault> {
    let trash = txn.open_table(TRASH)?;
    let mut lengths: BTreeMap<u64, u64> = BTreeMap::new();
    for row in txn.open_table(SNAPSHOTS)?.range((id, 0, 0)..=(id, u64::MAX, u32::MAX))? {
        let (key, record) = row?;
        let (_, number, chunk) = key.value();
        let piece = unseal_as(Place::SnapshotChunk { doc: id, number, chunk }, Kind::SnapshotChunk, record.value());
        *lengths.entry(number).or_default() += piece.map_or(0, |piece| piece.len() as u64);
    }
    // The updates that it replaced were put aside together with its publication.
    let mut upto = 0;
    for row in trash.range((id, TRASH_TAIL, 0)..=(id, TRASH_TAIL, u64::MAX))? {
        upto = row?.0.value().2;
    }
    for (number, len) in lengths.into_iter().rev() {
        if trash.get((id, TRASH_SNAPSHOT, number))?.is_none() {
            return Ok(Some(Snapshot { number, upto, len }));
        }
    }
    Ok(None)
}

fn updates(txn: &ReadTransaction, id: u64, upto: u64, remains: &mut Remains) -> Result<(), Fault> {
    let mut next = upto + 1;
    for row in txn.open_table(TAIL)?.range((id, upto + 1)..=(id, u64::MAX))? {
        let (key, record) = row?;
        let (_, seq) = key.value();
        if seq > next && remains.head.is_some() {
            remains.damage.push(Damage::MissingUpdate { seq: next });
        }
        next = seq.saturating_add(1);
        match one(txn, id, seq, record.value()) {
            Ok(update) => remains.updates.push((seq, update)),
            Err(found) => remains.note(found)?,
        }
    }
    if remains.head.is_some_and(|head| head >= next) {
        remains.damage.push(Damage::MissingUpdate { seq: next });
    }
    Ok(())
}

fn one(txn: &ReadTransaction, id: u64, seq: u64, record: &[u8]) -> Result<Bytes, Found> {
    let unsealed = unseal(Place::Update { doc: id, seq }, record);
    match unsealed.map_err(|what| reader::update(seq, what))? {
        (Kind::Update, payload) => Ok(Bytes::copy_from_slice(payload)),
        (Kind::Stub, payload) => {
            let stub = Stub::decode(payload).map_err(|what| reader::update(seq, what))?;
            reader::big_update(txn, id, seq, stub)
        }
        _ => Err(reader::update(seq, "the record is of another kind").into()),
    }
}
