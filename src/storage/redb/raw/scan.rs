//! Looking at every page of a file for records of ours, whether or not anything leads there.

use std::io;

use super::gather::{Span, place};
use super::pages::{PAGE, Pages};
use super::tree::{LEAF, Shape, leaf};
use crate::storage::record::{Place, unseal};

/// Finds every record that matches its checksum.
pub(super) fn scan(pages: &Pages, found: &mut dyn FnMut(Place, Span)) -> io::Result<()> {
    for index in 0..pages.count() {
        let offset = index * PAGE as u64;
        let page = pages.bytes(offset, PAGE)?;
        if page.first() != Some(&LEAF) {
            continue;
        }
        // A page of a higher order begins as one of the lowest.
        let page = pages.bytes(offset, LONGEST)?;
        for (table, width) in TABLES {
            let shape = Shape { key: Some(width), value: None };
            leaf(&page, offset, shape, &mut |row| {
                let Some(place) = place(table, row.key) else { return };
                if unseal(place, row.value).is_ok() {
                    found(place, Span { offset: row.offset, len: row.value.len(), is_sound: true });
                }
            });
        }
    }
    Ok(())
}

/// The tables of records and the widths of their keys.
const TABLES: [(&str, usize); 5] = [("headers", 8), ("tail", 16), ("big", 20), ("snapshots", 20), ("ancestors", 12)];
/// More than the page has that holds the longest record, of 65 000 bytes.
const LONGEST: usize = 140_000;
