//! The keys of the tree: a letter for the table, then numbers in big endian, so that sled's order is that of the numbers.

use std::ops::RangeInclusive;

use crate::storage::durable::{Names, Span, Table, TrashKey};
use crate::storage::record::Place;

/// The row that tells the format.
pub(super) const FORMAT_KEY: &[u8] = b"Mformat";
/// The letter of headers.
pub(super) const HEADER: u8 = b'H';
const TRASH: u8 = b'X';

/// The letter of a table of names.
pub(super) const fn letter(names: Names) -> u8 {
    match names {
        Names::Documents => b'N',
        Names::Graves => b'G',
    }
}

pub(super) fn name(names: Names, name: &str) -> Vec<u8> {
    let mut key = vec![letter(names)];
    key.extend_from_slice(name.as_bytes());
    key
}

pub(super) fn place(place: Place) -> Vec<u8> {
    match place {
        Place::Header { doc } => key(HEADER, doc, None, None),
        Place::Update { doc, seq } => key(b'T', doc, Some(seq), None),
        Place::UpdateChunk { doc, seq, chunk } => key(b'B', doc, Some(seq), Some(chunk)),
        Place::SnapshotChunk { doc, number, chunk } => key(b'S', doc, Some(number), Some(chunk)),
        Place::AncestorsChunk { doc, chunk } => key(b'A', doc, None, Some(chunk)),
    }
}

/// The place that a key of records means.
pub(super) fn read_place(key: &[u8]) -> Option<Place> {
    let (letter, rest) = key.split_first()?;
    let long = |at: usize| rest.get(at..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
    let short = |at: usize| rest.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    let doc = long(0)?;
    Some(match (*letter, rest.len()) {
        (HEADER, 8) => Place::Header { doc },
        (b'T', 16) => Place::Update { doc, seq: long(8)? },
        (b'B', 20) => Place::UpdateChunk { doc, seq: long(8)?, chunk: short(16)? },
        (b'S', 20) => Place::SnapshotChunk { doc, number: long(8)?, chunk: short(16)? },
        (b'A', 12) => Place::AncestorsChunk { doc, chunk: short(8)? },
        _ => return None,
    })
}

/// The first and the last key of a run.
pub(super) fn span(span: &Span) -> RangeInclusive<Vec<u8>> {
    let (first, last) = (*span.docs.start(), *span.docs.end());
    let (from, to) = (*span.numbers.start(), *span.numbers.end());
    match span.table {
        Table::Updates => key(b'T', first, Some(from), None)..=key(b'T', last, Some(to), None),
        Table::UpdateChunks => key(b'B', first, Some(from), Some(0))..=key(b'B', last, Some(to), Some(u32::MAX)),
        Table::SnapshotChunks => key(b'S', first, Some(from), Some(0))..=key(b'S', last, Some(to), Some(u32::MAX)),
        Table::AncestorsChunks => key(b'A', first, None, Some(0))..=key(b'A', last, None, Some(u32::MAX)),
    }
}

/// All keys with a letter, whose rest is at most so many bytes long.
pub(super) fn all(letter: u8, longest: usize) -> RangeInclusive<Vec<u8>> {
    let mut last = vec![letter];
    last.resize(1 + longest, 0xff);
    vec![letter]..=last
}

pub(super) fn trash((id, what, number): TrashKey) -> Vec<u8> {
    let mut key = vec![TRASH];
    key.extend_from_slice(&id.to_be_bytes());
    key.push(what);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

pub(super) fn read_trash(key: &[u8]) -> Option<TrashKey> {
    let id = key.get(1..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))?;
    let number = key.get(10..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))?;
    Some((id, *key.get(9)?, number))
}

fn key(letter: u8, doc: u64, middle: Option<u64>, chunk: Option<u32>) -> Vec<u8> {
    let mut key = Vec::with_capacity(21);
    key.push(letter);
    key.extend_from_slice(&doc.to_be_bytes());
    key.extend(middle.iter().flat_map(|number| number.to_be_bytes()));
    key.extend(chunk.iter().flat_map(|number| number.to_be_bytes()));
    key
}
