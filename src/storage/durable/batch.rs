//! One transaction of appends and deletions, of any number of documents, each accepted or refused on its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use thiserror::Error;

use super::engine::{Fault, Volume};
use super::entry::{Entry, find};
use super::header::{Header, Snapshot};
use super::quarantine::Quarantine;
use super::rows::{Changes, Names, TRASH_DOCUMENT};
use super::stub::{Stub, pieces};
use crate::ids::{DocName, Generation};
use crate::storage::record::{Kind, Place, seal, seal_into};
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

/// The documents that were written lately, as the last commit has left them: who writes goes on writing, and to find a name
/// and its header in the database costs as much as to put an update there.
#[derive(Debug, Default)]
pub(super) struct Recent {
    documents: HashMap<DocName, Touched>,
}

impl Recent {
    /// Something else is about to change the document.
    pub(super) fn forget(&mut self, doc: &DocName) {
        self.documents.remove(doc);
    }

    /// A commit has failed, or nobody knows whether it has.
    pub(super) fn forget_all(&mut self) {
        self.documents.clear();
    }
}

/// Applies the writes in order. The answers hold once the transaction is committed; if it is not, what is
/// [recent](Recent::forget_all) holds no more.
///
/// # Errors
/// The transaction must be given up. [`Fault::Document`] names the one document whose damage stands in the way.
pub(super) fn apply<'w>(
    quarantine: &Quarantine,
    recent: &mut Recent,
    rows: &mut impl Changes,
    writes: impl Iterator<Item = &'w Write>,
) -> Result<(Vec<Answer>, Volume), Fault> {
    if recent.documents.len() >= MOST_RECENT {
        recent.forget_all();
    }
    let documents = &mut recent.documents;
    let (changed, record, volume) = (Vec::new(), Vec::new(), Volume::default());
    let mut batch = Batch { rows, documents, changed, next_id: None, now: now_millis(), volume, record };
    let answers = writes.map(|write| batch.write(quarantine, write)).collect::<Result<_, _>>()?;
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

#[derive(Debug, Error)]
#[error("the greatest id of the database is taken")]
struct NoIdLeft;

struct Batch<'txn, R> {
    rows: &'txn mut R,
    documents: &'txn mut HashMap<DocName, Touched>,
    changed: Vec<DocName>,
    next_id: Option<u64>,
    now: u64,
    volume: Volume,
    /// Where small records are made.
    record: Vec<u8>,
}

/// A document as the batch leaves it.
#[derive(Debug)]
struct Touched {
    id: u64,
    header: Header,
    /// What the name led to before the batch: an id, and whether as a grave.
    found: Option<(u64, bool)>,
    is_changed: bool,
}

impl<R: Changes> Batch<'_, R> {
    fn write(&mut self, quarantine: &Quarantine, write: &Write) -> Result<Answer, Fault> {
        let taken = match self.documents.remove(&write.doc) {
            Some(document) => Ok(document),
            None => self.find(&write.doc),
        };
        let mut document = match taken {
            Ok(document) => document,
            Err(Fault::Document(error)) => {
                quarantine.notice(&error);
                return Ok(Err(error));
            }
            Err(fault) => return Err(fault),
        };
        let was_changed = document.is_changed;
        let answer = match &write.change {
            Change::Restore(restoration) => match document.found {
                None if !document.is_changed => Ok(self.restore(&mut document, restoration)?),
                _ => Err(document.header.conflict()),
            },
            _ if document.header.generation != write.generation => Err(document.header.conflict()),
            Change::Append(updates) => match quarantine.check(&write.doc) {
                Ok(()) => Ok(self.append(&mut document, updates)?),
                Err(error) => Err(error),
            },
            Change::Delete(ancestors) => Ok(self.delete(&mut document, ancestors)?),
        };
        match (was_changed, document.is_changed) {
            (false, true) => self.changed.push(write.doc.clone()),
            // The id that it would have got may be given to another.
            (_, false) if document.found.is_none() => return Ok(answer),
            _ => {}
        }
        self.documents.insert(write.doc.clone(), document);
        Ok(answer)
    }

    /// The document as it is stored, or a new one with a new id.
    fn find(&mut self, doc: &DocName) -> Result<Touched, Fault> {
        Ok(match find(self.rows, doc)? {
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
            None => self.rows.last_id()?.map_or(1, |last| last.saturating_add(1)),
        };
        // Only an altered key can be as great.
        let Some(next) = id.checked_add(1) else { return Err(Fault::Engine(StoreError::Failed(Arc::new(NoIdLeft)))) };
        self.next_id = Some(next);
        Ok(id)
    }

    fn append(&mut self, document: &mut Touched, updates: &[Bytes]) -> Result<u64, Fault> {
        let (id, header) = (document.id, &mut document.header);
        for update in updates {
            let seq = header.head + 1;
            let place = Place::Update { doc: id, seq };
            if update.len() > R::MAX_PAYLOAD {
                let stub = self.append_pieces(id, seq, update)?;
                seal_into(&mut self.record, place, Kind::Stub, &stub.encode());
            } else {
                seal_into(&mut self.record, place, Kind::Update, update);
            }
            if !self.rows.put_new(place, &self.record)? {
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
    fn append_pieces(&mut self, id: u64, seq: u64, update: &Bytes) -> Result<Stub, Fault> {
        for (chunk, piece) in pieces(update, R::MAX_PAYLOAD) {
            let place = Place::UpdateChunk { doc: id, seq, chunk };
            self.rows.put(place, &seal(place, Kind::UpdateChunk, piece))?;
        }
        Ok(Stub { len: update.len() as u64 })
    }

    /// Leaves a tombstone under a new id, so that no row of the old one can ever be taken for the successor's.
    fn delete(&mut self, document: &mut Touched, ancestors: &Bytes) -> Result<u64, Fault> {
        let id = self.new_id()?;
        let old = std::mem::replace(&mut document.id, id);
        self.rows.remove_header(old)?;
        self.rows.put_trash((old, TRASH_DOCUMENT, 0))?;
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
            for (chunk, piece) in pieces(snapshot, R::MAX_PAYLOAD) {
                let place = Place::SnapshotChunk { doc: document.id, number, chunk };
                self.rows.put(place, &seal(place, Kind::SnapshotChunk, piece))?;
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
        for (chunk, piece) in pieces(ancestors, R::MAX_PAYLOAD) {
            let place = Place::AncestorsChunk { doc: id, chunk };
            self.rows.put(place, &seal(place, Kind::AncestorsChunk, piece))?;
        }
        self.volume.bytes += ancestors.len() as u64;
        Ok(())
    }

    /// Writes the headers of the changed documents, and their names where those lead elsewhere now.
    fn finish(mut self) -> Result<Volume, Fault> {
        for name in self.changed {
            let Some(Touched { id, header, found, is_changed }) = self.documents.get_mut(&name) else { continue };
            let id = *id;
            header.encode_into(id, &mut self.record)?;
            self.rows.put(Place::Header { doc: id }, &self.record)?;
            let is_grave = header.head == 0;
            *is_changed = false;
            if found.replace((id, is_grave)) == Some((id, is_grave)) {
                continue;
            }
            let (documents, graves) = (Names::Documents, Names::Graves);
            let (to, from) = if is_grave { (graves, documents) } else { (documents, graves) };
            self.rows.put_name(to, name.as_str(), id)?;
            self.rows.remove_name(from, name.as_str())?;
        }
        Ok(self.volume)
    }
}

/// From so many documents on, the recent ones are found anew: they take some 200 bytes each.
const MOST_RECENT: usize = 8192;
