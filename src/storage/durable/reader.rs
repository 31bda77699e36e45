//! Reading documents, each in one read transaction, with every record checked.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};

use super::engine::Fault;
use super::entry::find;
use super::header::{Header, Snapshot};
use super::rows::{Names, Rows, Span, Table};
use super::stub::Stub;
use crate::ids::{DocName, Generation};
use crate::storage::record::{Kind, Place, unseal, unseal_as};
use crate::storage::{Compaction, Damage, DamagedDocument, DocumentInfo, StoreError, StoredDocument, StoredName};
use crate::sync::DocumentBytes;

/// What a compaction will put aside: found by a reader, so that the writer thread need not walk it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Covered {
    /// The id of the document.
    pub(super) id: u64,
    /// The sum of the lengths of the updates that the snapshot replaces.
    pub(super) bytes: u64,
}

/// The whole document at this moment.
pub(super) fn load(rows: &impl Rows, doc: &DocName) -> Result<StoredDocument, Fault> {
    let Some(entry) = find(rows, doc)? else { return Ok(StoredDocument::default()) };
    let (id, header) = (entry.id, entry.header);
    let read = || -> Result<_, Found> {
        let ancestors = ancestors(rows, id, header.ancestors_len)?;
        let snapshot = header.snapshot.map(|snapshot| snapshot_bytes(rows, id, snapshot)).transpose()?;
        let tail = tail(rows, id, header.snapshot_upto() + 1, header.head)?;
        Ok((ancestors, DocumentBytes { snapshot, tail }))
    };
    let (ancestors, bytes) = read().map_err(|found| found.about(doc))?;
    let snapshot_upto = header.snapshot_upto();
    Ok(StoredDocument { generation: header.generation, ancestors, snapshot_upto, head: header.head, bytes })
}

/// What is known about the document without reading it.
pub(super) fn stat(rows: &impl Rows, doc: &DocName) -> Result<Option<DocumentInfo>, Fault> {
    Ok(find(rows, doc)?.filter(|entry| !entry.is_grave).map(|entry| info(entry.header)))
}

/// The documents after a name, in order; damaged headers are reported to `damaged` and left out.
pub(super) fn list(
    rows: &impl Rows,
    after: Option<&DocName>,
    limit: usize,
    damaged: impl Fn(&StoreError),
) -> Result<Vec<DocumentInfo>, Fault> {
    let mut after = after.map(|name| name.as_str().to_owned());
    let mut found = Vec::new();
    while found.len() < limit {
        let page = rows.names(Names::Documents, after.as_deref(), limit - found.len())?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        for name in page {
            let Ok(name) = DocName::parse(&name) else { continue };
            match stat(rows, &name) {
                Ok(info) => found.extend(info),
                Err(Fault::Document(error)) => damaged(&error),
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(found)
}

/// Checks that a compaction fits the document, and measures what it replaces.
pub(super) fn measure(rows: &impl Rows, doc: &DocName, compaction: &Compaction) -> Result<Covered, Fault> {
    let Some(entry) = find(rows, doc)? else {
        let nothing = Header::empty(doc.clone(), Generation::FIRST);
        return Err(Fault::Document(nothing.conflict()));
    };
    entry.header.check(compaction).map_err(Fault::Document)?;
    let mut bytes = 0;
    let mut expected = compaction.previous_upto;
    let covered = Span::numbers(Table::Updates, entry.id, compaction.previous_upto + 1..=compaction.upto);
    let measured = rows.records(covered, |place, record| -> Result<(), Found> {
        let Place::Update { seq, .. } = place else { return Ok(()) };
        expected += 1;
        if seq != expected {
            return Err(Damage::MissingUpdate { seq: expected }.into());
        }
        bytes += match unseal(place, record).map_err(|what| update(seq, what))? {
            (Kind::Update, payload) => payload.len() as u64,
            (Kind::Stub, payload) => Stub::decode(payload).map_err(|what| update(seq, what))?.len,
            _ => return Err(update(seq, "the record is of another kind").into()),
        };
        Ok(())
    });
    measured.map_err(|found| found.about(doc))?;
    if expected != compaction.upto {
        return Err(Found::Damage(Damage::MissingUpdate { seq: expected + 1 }).about(doc));
    }
    Ok(Covered { id: entry.id, bytes })
}

/// The names after a name, in order, whatever they lead to.
pub(super) fn names(rows: &impl Rows, after: Option<&DocName>, limit: usize) -> Result<Vec<StoredName>, Fault> {
    let after = after.map(DocName::as_str);
    let mut names = rows.names(Names::Documents, after, limit)?;
    names.extend(rows.names(Names::Graves, after, limit)?);
    names.sort_unstable();
    names.truncate(limit);
    let mut found = Vec::new();
    for name in names {
        let Ok(name) = DocName::parse(&name) else { continue };
        match find(rows, &name) {
            Ok(Some(entry)) if entry.is_grave => {
                found.push(StoredName::Tombstone { name, generation: entry.header.generation });
            }
            Ok(Some(entry)) => found.push(StoredName::Document(info(entry.header))),
            Ok(None) => {}
            Err(Fault::Document(StoreError::Corrupt { doc: name, what })) => {
                found.push(StoredName::Damaged(DamagedDocument { name, what }));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

/// What stops the reading of one document.
pub(super) enum Found {
    Damage(Damage),
    Engine(Fault),
}

impl Found {
    /// The fault, told about a document. Pages that the engine cannot read are that document's damage.
    fn about(self, doc: &DocName) -> Fault {
        let what = match self {
            Self::Damage(what) => what,
            Self::Engine(Fault::Pages(cause)) => Damage::Engine(cause),
            Self::Engine(fault) => return fault,
        };
        Fault::Document(StoreError::Corrupt { doc: doc.clone(), what })
    }
}

impl From<Damage> for Found {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<Fault> for Found {
    fn from(fault: Fault) -> Self {
        Self::Engine(fault)
    }
}

fn tail(rows: &impl Rows, id: u64, first: u64, head: u64) -> Result<Vec<Bytes>, Found> {
    let mut updates = Vec::new();
    let mut next = first;
    rows.records(Span::numbers(Table::Updates, id, first..=u64::MAX), |place, record| {
        let Place::Update { seq, .. } = place else { return Ok(()) };
        if seq > head {
            return Err(Found::from(Damage::BeyondHead { seq }));
        }
        if seq != next {
            return Err(Damage::MissingUpdate { seq: next }.into());
        }
        updates.push(whole_update(rows, place, seq, record)?);
        next += 1;
        Ok(())
    })?;
    if next <= head {
        return Err(Damage::MissingUpdate { seq: next }.into());
    }
    Ok(updates)
}

/// The update that a record of the tail is or stands for.
pub(super) fn whole_update(rows: &impl Rows, place: Place, seq: u64, record: &[u8]) -> Result<Bytes, Found> {
    match unseal(place, record).map_err(|what| update(seq, what))? {
        (Kind::Update, payload) => Ok(Bytes::copy_from_slice(payload)),
        (Kind::Stub, payload) => {
            big_update(rows, place.doc(), seq, Stub::decode(payload).map_err(|what| update(seq, what))?)
        }
        _ => Err(update(seq, "the record is of another kind").into()),
    }
}

fn big_update(rows: &impl Rows, id: u64, seq: u64, stub: Stub) -> Result<Bytes, Found> {
    let mut pieces = Pieces::new(stub.len);
    rows.records(Span::numbers(Table::UpdateChunks, id, seq..=seq), |place, record| -> Result<(), Found> {
        let piece = unseal_as(place, Kind::UpdateChunk, record);
        Ok(pieces.add(place, piece).map_err(|what| update(seq, what))?)
    })?;
    Ok(pieces.finish().map_err(|what| update(seq, what))?)
}

pub(super) fn snapshot_bytes(rows: &impl Rows, id: u64, snapshot: Snapshot) -> Result<Bytes, Found> {
    let number = snapshot.number;
    let mut pieces = Pieces::new(snapshot.len);
    rows.records(Span::numbers(Table::SnapshotChunks, id, number..=number), |place, record| -> Result<(), Found> {
        let piece = unseal_as(place, Kind::SnapshotChunk, record);
        Ok(pieces.add(place, piece).map_err(Damage::Snapshot)?)
    })?;
    Ok(pieces.finish().map_err(Damage::Snapshot)?)
}

pub(super) fn ancestors(rows: &impl Rows, id: u64, len: u64) -> Result<Bytes, Found> {
    if len == 0 {
        return Ok(Bytes::new());
    }
    let mut pieces = Pieces::new(len);
    rows.records(Span::of(Table::AncestorsChunks, id), |place, record| -> Result<(), Found> {
        let piece = unseal_as(place, Kind::AncestorsChunk, record);
        Ok(pieces.add(place, piece).map_err(Damage::Ancestors)?)
    })?;
    Ok(pieces.finish().map_err(Damage::Ancestors)?)
}

/// Bytes put together from chunks numbered from 0, which must have the announced length in the end.
struct Pieces {
    bytes: BytesMut,
    len: u64,
    next: u32,
}

impl Pieces {
    /// Allocates by what is announced, but not without bound: a checksum vouches for it, memory is still memory.
    fn new(len: u64) -> Self {
        let expected = usize::try_from(len).unwrap_or(usize::MAX);
        Self { bytes: BytesMut::with_capacity(expected.min(1 << 28)), len, next: 0 }
    }

    fn add(&mut self, place: Place, piece: Result<&[u8], &'static str>) -> Result<(), &'static str> {
        if place.chunk() != Some(self.next) {
            return Err("a piece is missing");
        }
        self.next += 1;
        self.bytes.extend_from_slice(piece?);
        Ok(())
    }

    fn finish(self) -> Result<Bytes, &'static str> {
        if self.bytes.len() as u64 == self.len { Ok(self.bytes.freeze()) } else { Err("its length is wrong") }
    }
}

fn info(header: Header) -> DocumentInfo {
    DocumentInfo {
        generation: header.generation,
        head: header.head,
        snapshot_upto: header.snapshot_upto(),
        bytes: header.bytes(),
        created: SystemTime::UNIX_EPOCH + Duration::from_millis(header.created),
        updated: SystemTime::UNIX_EPOCH + Duration::from_millis(header.updated),
        name: header.name,
    }
}

pub(super) fn update(seq: u64, what: &'static str) -> Damage {
    Damage::Update { seq, what }
}
