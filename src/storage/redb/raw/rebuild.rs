//! A new file from what can be read of a damaged one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use redb::{Database, Durability, WriteTransaction};
use thiserror::Error;

use super::gather::{Gathered, Span};
use super::pages::Pages;
use crate::ids::DocName;
use crate::storage::durable::Header;
use crate::storage::record::Place;
use crate::storage::redb::schema::{self, ANCESTORS, BIG, GRAVES, HEADERS, NAMES, SNAPSHOTS, TAIL};

/// Whether a file may be rebuilt in which even the names of some documents are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage::redb) enum Acceptance {
    /// Only when every name is known, so that whatever is lost is noticed by who asks for it.
    AllNames,
    /// Whatever can be found.
    Anything,
}

/// What could be read of a damaged database.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// Documents and tombstones.
    pub names: u64,
    /// Documents whose header is lost.
    pub without_header: Vec<DocName>,
    /// Documents of which not even the name is known; `None` when that cannot be told.
    pub lost_names: Option<u64>,
    /// Records copied, damaged ones included: they show which document is damaged.
    pub records: u64,
    /// Of those, the damaged ones.
    pub damaged_records: u64,
    /// Records that were damaged where the tree led to and sound elsewhere.
    pub healed_records: u64,
    /// Pages and rows that could not be read.
    pub unreadable: u64,
}

/// Why nothing was rebuilt.
#[derive(Debug, Error)]
pub(in crate::storage::redb) enum RebuildError {
    /// The damaged file cannot be read.
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    /// The new file cannot be written.
    #[error("the new file cannot be written")]
    Write(#[from] redb::Error),
    /// There is no record of ours in it.
    #[error("no document was found in it")]
    Nothing,
    /// It is of another format.
    #[error("it has format {0}")]
    Format(u64),
    /// Names are lost.
    #[error("the names of {} are lost", .0.map_or_else(|| "some documents".to_owned(), |lost| format!("{lost} documents")))]
    LostNames(Option<u64>),
}

/// Writes what can be read of the file `from` into a new file `to`.
pub(in crate::storage::redb) fn rebuild(
    from: &Path,
    to: &Path,
    acceptance: Acceptance,
) -> Result<Rebuilt, RebuildError> {
    let pages = Pages::open(from)?;
    let gathered = Gathered::from(&pages)?;
    if let Some(format) = gathered.format.filter(|format| *format != schema::FORMAT) {
        return Err(RebuildError::Format(format));
    }
    let index = Index::of(&pages, &gathered)?;
    if index.entries.is_empty() && gathered.declared_names != Some(0) {
        return Err(RebuildError::Nothing);
    }
    let lost_names = gathered.declared_names.map(|names| names.saturating_sub(index.entries.len() as u64));
    if acceptance == Acceptance::AllNames && lost_names != Some(0) {
        return Err(RebuildError::LostNames(lost_names));
    }
    let database = Database::create(to).map_err(redb::Error::from)?;
    let mut copy = Copy { pages: &pages, database: &database, index: &index, rebuilt: Rebuilt::default() };
    copy.names()?;
    copy.records(&gathered.records)?;
    let mut rebuilt = copy.rebuilt;
    database.close().map_err(redb::Error::from)?;
    rebuilt.lost_names = lost_names;
    rebuilt.unreadable = gathered.unreadable;
    rebuilt.healed_records = gathered.healed;
    Ok(rebuilt)
}

/// Which names there are, and what their headers say.
struct Index {
    entries: BTreeMap<DocName, u64>,
    ids: BTreeSet<u64>,
    headers: BTreeMap<u64, (Header, Span)>,
    graves: BTreeSet<u64>,
}

impl Index {
    fn of(pages: &Pages, gathered: &Gathered) -> Result<Self, RebuildError> {
        let mut headers = BTreeMap::new();
        for (place, span) in &gathered.records {
            if let Place::Header { doc } = *place {
                add_header(pages, &mut headers, doc, *span)?;
            }
        }
        let mut strays = BTreeMap::new();
        for (id, span) in gathered.stray_headers.iter().filter(|(id, _)| !headers.contains_key(id)) {
            add_header(pages, &mut strays, *id, *span)?;
        }
        let mut index = Self { entries: BTreeMap::new(), ids: BTreeSet::new(), headers, graves: BTreeSet::new() };
        index.add_named(gathered);
        index.add_unnamed(gathered, names_of(&index.headers));
        index.add_unnamed(gathered, names_of(&strays));
        index.ids = index.entries.values().copied().collect();
        Ok(index)
    }

    /// Names that lead to their header, or to none that can be read.
    fn add_named(&mut self, gathered: &Gathered) {
        let graves = gathered.graves.iter().map(|row| (row, true));
        for ((name, id), is_grave) in gathered.names.iter().map(|row| (row, false)).chain(graves) {
            let Ok(name) = DocName::parse(name) else { continue };
            if self.headers.get(id).is_some_and(|(header, _)| header.name != name) {
                continue;
            }
            self.add(name, *id, is_grave);
        }
    }

    /// Documents whose name is known from a header alone. One that no tree leads to may have been deleted: it counts
    /// only as long as names are missing, and the greatest id is the latest. Its header may be an old one, and is not
    /// taken along.
    fn add_unnamed(&mut self, gathered: &Gathered, found: Vec<(u64, DocName, bool)>) {
        for (id, name, is_grave) in found {
            let is_missing = gathered.declared_names.is_none_or(|names| (self.entries.len() as u64) < names);
            if is_missing && !self.entries.contains_key(&name) {
                self.add(name, id, is_grave);
            }
        }
    }

    fn add(&mut self, name: DocName, id: u64, is_grave: bool) {
        if is_grave {
            self.graves.insert(id);
        }
        self.entries.insert(name, id);
    }

    /// Whether a record is part of a document, and not what a compaction or a deletion has left.
    fn needs(&self, place: Place) -> bool {
        let (Place::Header { doc }
        | Place::Update { doc, .. }
        | Place::UpdateChunk { doc, .. }
        | Place::SnapshotChunk { doc, .. }
        | Place::AncestorsChunk { doc, .. }) = place;
        if !self.ids.contains(&doc) {
            return false;
        }
        let Some((header, _)) = self.headers.get(&doc) else { return true };
        match place {
            Place::Update { seq, .. } | Place::UpdateChunk { seq, .. } => {
                seq > header.snapshot_upto() && seq <= header.head
            }
            Place::SnapshotChunk { number, .. } => header.snapshot.is_some_and(|snapshot| snapshot.number == number),
            Place::Header { .. } => false,
            Place::AncestorsChunk { .. } => true,
        }
    }
}

/// Ids, names, and whether they are tombstones; the greatest ids first.
fn names_of(headers: &BTreeMap<u64, (Header, Span)>) -> Vec<(u64, DocName, bool)> {
    headers.iter().rev().map(|(id, (header, _))| (*id, header.name.clone(), header.head == 0)).collect()
}

/// Adds a header if it can be read and is the newest of its id.
fn add_header(
    pages: &Pages,
    headers: &mut BTreeMap<u64, (Header, Span)>,
    id: u64,
    span: Span,
) -> Result<(), RebuildError> {
    let Ok(header) = Header::decode_any(id, &pages.bytes(span.offset, span.len)?) else { return Ok(()) };
    if headers.get(&id).is_none_or(|(known, _)| age(&header) > age(known)) {
        headers.insert(id, (header, span));
    }
    Ok(())
}

/// What grows with every change of a header.
fn age(header: &Header) -> (u64, u64, u64) {
    (header.head, header.snapshot_upto(), header.next_snapshot)
}

struct Copy<'a> {
    pages: &'a Pages,
    database: &'a Database,
    index: &'a Index,
    rebuilt: Rebuilt,
}

impl Copy<'_> {
    fn names(&mut self) -> Result<(), RebuildError> {
        let txn = begin(self.database)?;
        schema::create(&txn)?;
        {
            let mut names = txn.open_table(NAMES).map_err(redb::Error::from)?;
            let mut graves = txn.open_table(GRAVES).map_err(redb::Error::from)?;
            let mut headers = txn.open_table(HEADERS).map_err(redb::Error::from)?;
            for (name, id) in &self.index.entries {
                let table = if self.index.graves.contains(id) { &mut graves } else { &mut names };
                table.insert(name.as_str(), id).map_err(redb::Error::from)?;
                // An id whose header is lost must stay taken, and must not be read as anything.
                let header = if let Some((_, span)) = self.index.headers.get(id) {
                    self.pages.bytes(span.offset, span.len)?
                } else {
                    self.rebuilt.without_header.push(name.clone());
                    Vec::new()
                };
                headers.insert(id, header.as_slice()).map_err(redb::Error::from)?;
                self.rebuilt.names += 1;
            }
        }
        Ok(txn.commit().map_err(redb::Error::from)?)
    }

    fn records(&mut self, records: &BTreeMap<Place, Span>) -> Result<(), RebuildError> {
        let needed: Vec<_> = records.iter().filter(|(place, _)| self.index.needs(**place)).collect();
        let mut rest = needed.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let fit = rest.iter().take_while(|(_, span)| {
                bytes += span.len;
                bytes <= STEP_BYTES
            });
            let (step, later) = rest.split_at(fit.count().max(1).min(rest.len()));
            self.step(step)?;
            rest = later;
        }
        Ok(())
    }

    fn step(&mut self, step: &[(&Place, &Span)]) -> Result<(), RebuildError> {
        let txn = begin(self.database)?;
        for (place, span) in step {
            let record = self.pages.bytes(span.offset, span.len)?;
            insert(&txn, **place, &record)?;
            self.rebuilt.records += 1;
            self.rebuilt.damaged_records += u64::from(!span.is_sound);
        }
        Ok(txn.commit().map_err(redb::Error::from)?)
    }
}

fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut txn = database.begin_write()?;
    txn.set_durability(Durability::Immediate)?;
    Ok(txn)
}

fn insert(txn: &WriteTransaction, place: Place, record: &[u8]) -> Result<(), redb::Error> {
    match place {
        // Written with the names.
        Place::Header { .. } => {}
        Place::Update { doc, seq } => drop(txn.open_table(TAIL)?.insert((doc, seq), record)?),
        Place::UpdateChunk { doc, seq, chunk } => drop(txn.open_table(BIG)?.insert((doc, seq, chunk), record)?),
        Place::SnapshotChunk { doc, number, chunk } => {
            drop(txn.open_table(SNAPSHOTS)?.insert((doc, number, chunk), record)?);
        }
        Place::AncestorsChunk { doc, chunk } => drop(txn.open_table(ANCESTORS)?.insert((doc, chunk), record)?),
    }
    Ok(())
}

/// How many bytes of records one transaction copies, about.
const STEP_BYTES: usize = 4 << 20;
