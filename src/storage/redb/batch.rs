//! One transaction of appends and deletions, of any number of documents, each accepted or refused on its own.

use std::collections::HashMap;
use std::time::SystemTime;

use bytes::Bytes;
use redb::{ReadableTable, WriteTransaction};

use super::engine::{Engine, Fault, Volume};
use super::header::{Header, Snapshot};
use super::schema::{ANCESTORS, BIG, BytesTable, Entry, SNAPSHOTS, TAIL, TRASH, TRASH_DOCUMENT, Tables};
use super::stub::{Stub, pieces};
use crate::ids::{DocName, Generation};
use crate::storage::record::{Kind, MAX_PAYLOAD, Place, seal};
use crate::storage::{Damage, Restoration, StoreError, StoredDocument};

/// A change of one document.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) doc: DocName,
    pub(super) generation: Generation,
    pub(super) change: Change,
}

/// What a [`Write`] does.
#[derive(Debug)]
pub(super) enum Change {
    /// Adds updates; answered with the head.
    Append(Vec<Bytes>),
    /// Leaves a tombstone with these ancestors; answered with the new generation's number.
    Delete(Bytes),
    /// Stores a whole document under a name of which nothing is stored; answered with the head.
    Restore(Box<Restoration>),
}

/// The answer to one [`Write`].
pub(super) type Answer = Result<u64, StoreError>;

impl Write {
    pub(super) fn records(&self) -> usize {
        match &self.change {
            Change::Append(updates) => updates.len(),
            Change::Delete(_) => 1,
            Change::Restore(restoration) => restoration.document.bytes.tail.len(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match &self.change {
            Change::Append(updates) => updates.iter().map(Bytes::len).sum(),
            Change::Delete(ancestors) => ancestors.len(),
            Change::Restore(restoration) => restoration.document.bytes.len(),
        }
    }
}

/// Applies the writes in order. The answers hold once the transaction is committed.
///
/// # Errors
/// The transaction must be given up. [`Fault::Document`] names the one document whose damage stands in the way.
pub(super) fn apply<'w>(
    engine: &Engine,
    txn: &WriteTransaction,
    writes: impl Iterator<Item = &'w Write>,
) -> Result<(Vec<Answer>, Volume), Fault> {
    let mut batch = Batch {
        tables: Tables::open(txn)?,
        tail: txn.open_table(TAIL)?,
        txn,
        documents: HashMap::new(),
        next_id: None,
        now: now_millis(),
        volume: Volume::default(),
    };
    let answers = writes.map(|write| batch.write(engine, write)).collect::<Result<_, _>>()?;
    Ok((answers, batch.finish()?))
}

/// Milliseconds since 1970, as headers keep them.
pub(super) fn now_millis() -> u64 {
    millis(SystemTime::now())
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

struct Batch<'txn> {
    txn: &'txn WriteTransaction,
    tables: Tables<'txn>,
    tail: BytesTable<'txn, (u64, u64)>,
    documents: HashMap<DocName, Touched>,
    next_id: Option<u64>,
    now: u64,
    volume: Volume,
}

/// A document as the batch leaves it.
struct Touched {
    id: u64,
    header: Header,
    /// What the name led to before the batch: an id, and whether as a grave.
    found: Option<(u64, bool)>,
    is_changed: bool,
}

impl Batch<'_> {
    fn write(&mut self, engine: &Engine, write: &Write) -> Result<Answer, Fault> {
        let taken = match self.documents.remove(&write.doc) {
            Some(document) => Ok(document),
            None => self.find(&write.doc),
        };
        let mut document = match taken {
            Ok(document) => document,
            Err(Fault::Document(error)) => {
                engine.notice_damage(&error);
                return Ok(Err(error));
            }
            Err(fault) => return Err(fault),
        };
        let answer = match &write.change {
            Change::Restore(restoration) => match document.found {
                None if !document.is_changed => Ok(self.restore(&mut document, restoration)?),
                _ => Err(document.header.conflict()),
            },
            _ if document.header.generation != write.generation => Err(document.header.conflict()),
            Change::Append(updates) => match engine.check_quarantine(&write.doc) {
                Ok(()) => Ok(self.append(&mut document, updates)?),
                Err(error) => Err(error),
            },
            Change::Delete(ancestors) => Ok(self.delete(&mut document, ancestors)?),
        };
        self.documents.insert(write.doc.clone(), document);
        Ok(answer)
    }

    /// The document as it is stored, or a new one with a new id.
    fn find(&mut self, doc: &DocName) -> Result<Touched, Fault> {
        Ok(match self.tables.find(doc)? {
            Some(Entry { id, is_grave, header }) => {
                Touched { id, header, found: Some((id, is_grave)), is_changed: false }
            }
            None => Touched {
                id: self.new_id()?,
                header: Header::empty(doc.clone(), Generation::FIRST),
                found: None,
                is_changed: false,
            },
        })
    }

    fn new_id(&mut self) -> Result<u64, Fault> {
        let id = match self.next_id {
            Some(id) => id,
            None => self.tables.headers.last()?.map_or(1, |(last, _)| last.value() + 1),
        };
        self.next_id = Some(id + 1);
        Ok(id)
    }

    fn append(&mut self, document: &mut Touched, updates: &[Bytes]) -> Result<u64, Fault> {
        let (id, header) = (document.id, &mut document.header);
        for update in updates {
            let seq = header.head + 1;
            let record = if update.len() > MAX_PAYLOAD {
                self.append_pieces(id, seq, update)?
            } else {
                seal(Place::Update { doc: id, seq }, Kind::Update, update)
            };
            if self.tail.insert((id, seq), record.as_slice())?.is_some() {
                // Giving up the transaction brings back what was just overwritten.
                let what = Damage::BeyondHead { seq };
                return Err(Fault::Document(StoreError::Corrupt { doc: header.name.clone(), what }));
            }
            header.head = seq;
            header.tail_bytes += update.len() as u64;
            self.volume.records += 1;
            self.volume.bytes += update.len() as u64;
        }
        if !updates.is_empty() {
            header.updated = self.now;
            header.created = if header.created == 0 { self.now } else { header.created };
            document.is_changed = true;
        }
        Ok(header.head)
    }

    /// Stores a long update in pieces and returns the stub that stands for it.
    fn append_pieces(&mut self, id: u64, seq: u64, update: &Bytes) -> Result<Vec<u8>, Fault> {
        let mut table = self.txn.open_table(BIG)?;
        for (chunk, piece) in pieces(update) {
            let place = Place::UpdateChunk { doc: id, seq, chunk };
            table.insert((id, seq, chunk), seal(place, Kind::UpdateChunk, piece).as_slice())?;
        }
        let stub = Stub { len: update.len() as u64 };
        Ok(seal(Place::Update { doc: id, seq }, Kind::Stub, &stub.encode()))
    }

    /// Leaves a tombstone under a new id, so that no row of the old one can ever be taken for the successor's.
    fn delete(&mut self, document: &mut Touched, ancestors: &Bytes) -> Result<u64, Fault> {
        let id = self.new_id()?;
        let old = std::mem::replace(&mut document.id, id);
        self.tables.headers.remove(old)?;
        self.txn.open_table(TRASH)?.insert((old, TRASH_DOCUMENT, 0), ())?;
        self.write_ancestors(id, ancestors)?;
        let generation = document.header.generation.next();
        document.header = Header::empty(document.header.name.clone(), generation);
        document.header.ancestors_len = ancestors.len() as u64;
        document.is_changed = true;
        Ok(generation.0)
    }

    /// Gives a new name everything that a document of another store has.
    fn restore(&mut self, document: &mut Touched, restoration: &Restoration) -> Result<u64, Fault> {
        let StoredDocument { generation, ancestors, snapshot_upto, head, bytes } = &restoration.document;
        self.write_ancestors(document.id, ancestors)?;
        let header = &mut document.header;
        header.generation = *generation;
        header.ancestors_len = ancestors.len() as u64;
        if let Some(snapshot) = &bytes.snapshot {
            let number = header.next_snapshot;
            header.next_snapshot += 1;
            header.snapshot = Some(Snapshot { number, upto: *snapshot_upto, len: snapshot.len() as u64 });
            let mut table = self.txn.open_table(SNAPSHOTS)?;
            for (chunk, piece) in pieces(snapshot) {
                let place = Place::SnapshotChunk { doc: document.id, number, chunk };
                table.insert((document.id, number, chunk), seal(place, Kind::SnapshotChunk, piece).as_slice())?;
            }
            self.volume.bytes += snapshot.len() as u64;
        }
        header.head = *snapshot_upto;
        self.append(document, &bytes.tail)?;
        if *head > 0 {
            document.header.created = millis(restoration.created);
            document.header.updated = millis(restoration.updated);
        }
        // A name without updates that was never deleted needs no header.
        document.is_changed = *head > 0 || *generation > Generation::FIRST;
        Ok(*head)
    }

    fn write_ancestors(&mut self, id: u64, ancestors: &Bytes) -> Result<(), Fault> {
        let mut table = self.txn.open_table(ANCESTORS)?;
        for (chunk, piece) in pieces(ancestors) {
            let place = Place::AncestorsChunk { doc: id, chunk };
            table.insert((id, chunk), seal(place, Kind::AncestorsChunk, piece).as_slice())?;
        }
        self.volume.bytes += ancestors.len() as u64;
        Ok(())
    }

    /// Writes the headers of the changed documents, and their names where those lead elsewhere now.
    fn finish(mut self) -> Result<Volume, Fault> {
        for (name, Touched { id, header, found, is_changed }) in self.documents {
            if !is_changed {
                continue;
            }
            self.tables.headers.insert(id, header.encode(id)?.as_slice())?;
            let is_grave = header.head == 0;
            if found == Some((id, is_grave)) {
                continue;
            }
            let Tables { names, graves, .. } = &mut self.tables;
            let (to, from) = if is_grave { (graves, names) } else { (names, graves) };
            to.insert(name.as_str(), id)?;
            from.remove(name.as_str())?;
        }
        Ok(self.volume)
    }
}
