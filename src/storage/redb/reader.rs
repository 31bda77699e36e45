//! Reading documents, each in one read transaction, with every record checked.

use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use redb::ReadTransaction;

use super::engine::Fault;
use super::header::{Header, Snapshot};
use super::schema::{ANCESTORS, BIG, GRAVES, NAMES, SNAPSHOTS, TAIL, find_in};
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
pub(super) fn load(txn: &ReadTransaction, doc: &DocName) -> Result<StoredDocument, Fault> {
    let Some(entry) = find_in(txn, doc)? else { return Ok(StoredDocument::default()) };
    let (id, header) = (entry.id, entry.header);
    let read = || -> Result<_, Found> {
        let ancestors = ancestors(txn, id, header.ancestors_len)?;
        let snapshot = header.snapshot.map(|snapshot| snapshot_bytes(txn, id, snapshot)).transpose()?;
        let tail = tail(txn, id, header.snapshot_upto() + 1, header.head)?;
        Ok((ancestors, DocumentBytes { snapshot, tail }))
    };
    let (ancestors, bytes) = read().map_err(|found| found.about(doc))?;
    let snapshot_upto = header.snapshot_upto();
    Ok(StoredDocument { generation: header.generation, ancestors, snapshot_upto, head: header.head, bytes })
}

/// What is known about the document without reading it.
pub(super) fn stat(txn: &ReadTransaction, doc: &DocName) -> Result<Option<DocumentInfo>, Fault> {
    Ok(find_in(txn, doc)?.filter(|entry| !entry.is_grave).map(|entry| info(entry.header)))
}

/// The documents after a name, in order; damaged headers are reported to `damaged` and left out.
pub(super) fn list(
    txn: &ReadTransaction,
    after: Option<&DocName>,
    limit: usize,
    damaged: impl Fn(&StoreError),
) -> Result<Vec<DocumentInfo>, Fault> {
    let names = txn.open_table(NAMES)?;
    let after = after.map_or(Bound::Unbounded, |name| Bound::Excluded(name.as_str()));
    let mut found = Vec::new();
    for row in names.range::<&str>((after, Bound::Unbounded))? {
        if found.len() >= limit {
            break;
        }
        let (name, _) = row?;
        let Ok(name) = DocName::parse(name.value()) else { continue };
        match stat(txn, &name) {
            Ok(info) => found.extend(info),
            Err(Fault::Document(error)) => damaged(&error),
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

/// Checks that a compaction fits the document, and measures what it replaces.
pub(super) fn measure(txn: &ReadTransaction, doc: &DocName, compaction: &Compaction) -> Result<Covered, Fault> {
    let Some(entry) = find_in(txn, doc)? else {
        let nothing = Header::empty(doc.clone(), Generation::FIRST);
        return Err(Fault::Document(nothing.conflict()));
    };
    entry.header.check(compaction).map_err(Fault::Document)?;
    let mut bytes = 0;
    let mut expected = compaction.previous_upto;
    let table = txn.open_table(TAIL)?;
    for row in table.range((entry.id, compaction.previous_upto + 1)..=(entry.id, compaction.upto))? {
        let (key, record) = row?;
        let (doc_id, seq) = key.value();
        expected += 1;
        let measured = match unseal(Place::Update { doc: doc_id, seq }, record.value()) {
            _ if seq != expected => Err(Damage::MissingUpdate { seq: expected }),
            Ok((Kind::Update, payload)) => Ok(payload.len() as u64),
            Ok((Kind::Stub, payload)) => Stub::decode(payload).map(|stub| stub.len).map_err(|what| update(seq, what)),
            Ok(_) => Err(update(seq, "the record is of another kind")),
            Err(what) => Err(update(seq, what)),
        };
        bytes += measured.map_err(|what| Found::Damage(what).about(doc))?;
    }
    if expected != compaction.upto {
        return Err(Found::Damage(Damage::MissingUpdate { seq: expected + 1 }).about(doc));
    }
    Ok(Covered { id: entry.id, bytes })
}

/// The names after a name, in order, whatever they lead to.
pub(super) fn names(txn: &ReadTransaction, after: Option<&DocName>, limit: usize) -> Result<Vec<StoredName>, Fault> {
    let from = after.map_or(Bound::Unbounded, |name| Bound::Excluded(name.as_str()));
    let (names, graves) = (txn.open_table(NAMES)?, txn.open_table(GRAVES)?);
    let mut names = names.range::<&str>((from, Bound::Unbounded))?.peekable();
    let mut graves = graves.range::<&str>((from, Bound::Unbounded))?.peekable();
    let mut found = Vec::new();
    while found.len() < limit {
        let is_grave = match (names.peek(), graves.peek()) {
            (None, None) => break,
            (Some(_), None) => false,
            (None, Some(_)) => true,
            (Some(Ok(name)), Some(Ok(grave))) => grave.0.value() < name.0.value(),
            // What cannot be read is found out by taking it.
            (Some(name), Some(_)) => name.is_ok(),
        };
        let Some(row) = (if is_grave { graves.next() } else { names.next() }) else { break };
        let Ok(name) = DocName::parse(row?.0.value()) else { continue };
        match find_in(txn, &name) {
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
    Engine(redb::Error),
}

impl Found {
    /// The fault, told about a document. Pages that the engine cannot read are that document's damage.
    fn about(self, doc: &DocName) -> Fault {
        let what = match self {
            Self::Damage(what) => what,
            Self::Engine(error @ redb::Error::Corrupted(_)) => Damage::Engine(Arc::new(error)),
            Self::Engine(error) => return Fault::Engine(error),
        };
        Fault::Document(StoreError::Corrupt { doc: doc.clone(), what })
    }
}

impl From<Damage> for Found {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<redb::StorageError> for Found {
    fn from(error: redb::StorageError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<redb::TableError> for Found {
    fn from(error: redb::TableError) -> Self {
        Self::Engine(error.into())
    }
}

fn tail(txn: &ReadTransaction, id: u64, first: u64, head: u64) -> Result<Vec<Bytes>, Found> {
    let table = txn.open_table(TAIL)?;
    let mut updates = Vec::new();
    let mut next = first;
    for row in table.range((id, first)..=(id, u64::MAX))? {
        let (key, record) = row?;
        let (_, seq) = key.value();
        if seq > head {
            return Err(Damage::BeyondHead { seq }.into());
        }
        if seq != next {
            return Err(Damage::MissingUpdate { seq: next }.into());
        }
        let unsealed = unseal(Place::Update { doc: id, seq }, record.value());
        updates.push(match unsealed.map_err(|what| update(seq, what))? {
            (Kind::Update, payload) => Bytes::copy_from_slice(payload),
            (Kind::Stub, payload) => {
                let stub = Stub::decode(payload).map_err(|what| update(seq, what))?;
                big_update(txn, id, seq, stub)?
            }
            _ => return Err(update(seq, "the record is of another kind").into()),
        });
        next += 1;
    }
    if next <= head {
        return Err(Damage::MissingUpdate { seq: next }.into());
    }
    Ok(updates)
}

pub(super) fn big_update(txn: &ReadTransaction, id: u64, seq: u64, stub: Stub) -> Result<Bytes, Found> {
    let table = txn.open_table(BIG)?;
    let mut pieces = Pieces::new(stub.len);
    for row in table.range((id, seq, 0)..=(id, seq, u32::MAX))? {
        let (key, record) = row?;
        let place = Place::UpdateChunk { doc: id, seq, chunk: key.value().2 };
        pieces
            .add(key.value().2, unseal_as(place, Kind::UpdateChunk, record.value()))
            .map_err(|what| update(seq, what))?;
    }
    Ok(pieces.finish().map_err(|what| update(seq, what))?)
}

pub(super) fn snapshot_bytes(txn: &ReadTransaction, id: u64, snapshot: Snapshot) -> Result<Bytes, Found> {
    let number = snapshot.number;
    let table = txn.open_table(SNAPSHOTS)?;
    let mut pieces = Pieces::new(snapshot.len);
    for row in table.range((id, number, 0)..=(id, number, u32::MAX))? {
        let (key, record) = row?;
        let place = Place::SnapshotChunk { doc: id, number, chunk: key.value().2 };
        let piece = unseal_as(place, Kind::SnapshotChunk, record.value());
        pieces.add(key.value().2, piece).map_err(Damage::Snapshot)?;
    }
    Ok(pieces.finish().map_err(Damage::Snapshot)?)
}

pub(super) fn ancestors(txn: &ReadTransaction, id: u64, len: u64) -> Result<Bytes, Found> {
    if len == 0 {
        return Ok(Bytes::new());
    }
    let table = txn.open_table(ANCESTORS)?;
    let mut pieces = Pieces::new(len);
    for row in table.range((id, 0)..=(id, u32::MAX))? {
        let (key, record) = row?;
        let place = Place::AncestorsChunk { doc: id, chunk: key.value().1 };
        let piece = unseal_as(place, Kind::AncestorsChunk, record.value());
        pieces.add(key.value().1, piece).map_err(Damage::Ancestors)?;
    }
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

    fn add(&mut self, chunk: u32, piece: Result<&[u8], &'static str>) -> Result<(), &'static str> {
        if chunk != self.next {
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
