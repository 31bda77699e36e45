//! Which rows there are in a damaged file: by the tree as far as it leads, then by looking at every page.

use std::collections::BTreeMap;
use std::io;

use super::pages::{PageNumber, Pages};
use super::scan::scan;
use super::tree::{Row, Shape, walk};
use crate::storage::record::{Place, unseal};

/// Where a record lies in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) len: usize,
    /// Whether the record matches its checksum.
    pub(super) is_sound: bool,
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The format that the file says that it has.
    pub(super) format: Option<u64>,
    pub(super) names: BTreeMap<String, u64>,
    pub(super) graves: BTreeMap<String, u64>,
    pub(super) records: BTreeMap<Place, Span>,
    /// Headers that no tree leads to any more: several may be found for one id, each as it was at some time.
    pub(super) stray_headers: Vec<(u64, Span)>,
    /// How many rows the tables of names and graves should have; `None` when that cannot be read.
    pub(super) declared_names: Option<u64>,
    /// Pages and rows that could not be read.
    pub(super) unreadable: u64,
    /// Records that the tree led to in a damaged state and that were found sound elsewhere.
    pub(super) healed: u64,
}

/// A table of ours, as the table of tables describes it.
struct Table {
    name: String,
    root: Option<PageNumber>,
    rows: u64,
}

impl Gathered {
    /// Follows the last commit, and looks at every page when that does not lead to everything.
    pub(super) fn from(pages: &Pages) -> io::Result<Self> {
        let mut gathered = Self::default();
        if let Some(root) = pages.root() {
            gathered.follow(pages, root.page)?;
        }
        let is_doubtful = gathered.unreadable > 0
            || gathered.declared_names.is_none()
            || gathered.records.values().any(|span| !span.is_sound);
        if is_doubtful {
            scan(pages, &mut |place, span| gathered.find(place, span))?;
        }
        Ok(gathered)
    }

    fn follow(&mut self, pages: &Pages, root: PageNumber) -> io::Result<()> {
        let mut tables = Vec::new();
        let any = Shape { key: None, value: None };
        self.unreadable += walk(pages, root, any, &mut |row| tables.extend(Table::read(row)))?;
        for table in &tables {
            self.follow_table(pages, table)?;
        }
        let length = |name| tables.iter().find(|table| table.name == name).map(|table| table.rows);
        self.declared_names = length("names").zip(length("graves")).map(|(names, graves)| names + graves);
        Ok(())
    }

    fn follow_table(&mut self, pages: &Pages, table: &Table) -> io::Result<()> {
        let Some(root) = table.root else { return Ok(()) };
        let name = table.name.as_str();
        let shape = match name {
            "meta" | "names" | "graves" => Shape { key: None, value: Some(8) },
            "headers" => Shape { key: Some(8), value: None },
            "tail" => Shape { key: Some(16), value: None },
            "big" | "snapshots" => Shape { key: Some(20), value: None },
            "ancestors" => Shape { key: Some(12), value: None },
            // What is in the trash is not taken along.
            _ => return Ok(()),
        };
        let mut rows = 0;
        let unreadable = walk(pages, root, shape, &mut |row| {
            rows += 1;
            self.row(name, row);
        })?;
        self.unreadable += unreadable + table.rows.saturating_sub(rows);
        Ok(())
    }

    fn row(&mut self, table: &str, row: Row<'_>) {
        let text = || String::from_utf8(row.key.to_vec()).ok();
        let value = || row.value.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        match table {
            "meta" => {
                if row.key == b"format" {
                    self.format = value();
                }
            }
            "names" => self.names.extend(text().zip(value())),
            "graves" => self.graves.extend(text().zip(value())),
            _ => {
                let Some(place) = place(table, row.key) else { return };
                let is_sound = unseal(place, row.value).is_ok();
                self.records.insert(place, Span { offset: row.offset, len: row.value.len(), is_sound });
            }
        }
    }

    /// Takes a sound record that lies somewhere in the file. Nothing is ever changed in place, and but for headers no
    /// key is used twice, so it is the one that the tree no longer leads to.
    fn find(&mut self, place: Place, span: Span) {
        match self.records.get_mut(&place) {
            Some(known) if known.is_sound => {}
            _ if matches!(place, Place::Header { .. }) => {
                let Place::Header { doc } = place else { return };
                self.stray_headers.push((doc, span));
            }
            Some(known) => {
                *known = span;
                self.healed += 1;
            }
            None => {
                self.records.insert(place, span);
            }
        }
    }
}

impl Table {
    fn read(row: Row<'_>) -> Option<Self> {
        let name = String::from_utf8(row.key.to_vec()).ok()?;
        let rows = row.value.get(TABLE_ROWS..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))?;
        let root = match row.value.get(TABLE_HAS_ROOT)? {
            0 => None,
            _ => Some(PageNumber::read(row.value, TABLE_ROOT)?),
        };
        Some(Self { name, root, rows })
    }
}

/// The place that a key of a table means.
pub(super) fn place(table: &str, key: &[u8]) -> Option<Place> {
    let long = |at: usize| key.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let short = |at: usize| key.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let doc = long(0)?;
    Some(match (table, key.len()) {
        ("headers", 8) => Place::Header { doc },
        ("tail", 16) => Place::Update { doc, seq: long(8)? },
        ("big", 20) => Place::UpdateChunk { doc, seq: long(8)?, chunk: short(16)? },
        ("snapshots", 20) => Place::SnapshotChunk { doc, number: long(8)?, chunk: short(16)? },
        ("ancestors", 12) => Place::AncestorsChunk { doc, chunk: short(8)? },
        _ => return None,
    })
}

/// In the description of a table: its type, its number of rows, whether it has a root, the root.
const TABLE_ROWS: usize = 1;
const TABLE_HAS_ROOT: usize = 9;
const TABLE_ROOT: usize = 10;
