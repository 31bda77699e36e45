//! One value in a store on disk: a version, a kind and a checksum before the bytes themselves.
//!
//! The checksum covers the place of the record too, so that bit rot, a record under a wrong key and a record of
//! another kind are all noticed. The layout is described in `docs/storage-format.md`.

use bytes::BufMut;
use crc32c::{crc32c, crc32c_append};

/// Where a record lies: its table and its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Header { doc: u64 },
    Update { doc: u64, seq: u64 },
    UpdateChunk { doc: u64, seq: u64, chunk: u32 },
    SnapshotChunk { doc: u64, number: u64, chunk: u32 },
    AncestorsChunk { doc: u64, chunk: u32 },
}

/// What the bytes of a record are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A Yjs v1 update.
    Update = 1,
    /// A piece of a snapshot, which is a Yjs v1 update.
    SnapshotChunk = 3,
    /// The length of an update that is kept in pieces elsewhere.
    Stub = 5,
    /// A piece of a Yjs v1 update.
    UpdateChunk = 6,
    /// A piece of an encoded state vector.
    AncestorsChunk = 7,
    /// The header of a document.
    Header = 8,
}

/// The bytes before the payload: version, kind, checksum.
pub(super) const FRAME: usize = 6;

impl Place {
    /// The id of the document.
    pub(super) const fn doc(self) -> u64 {
        let (Self::Header { doc }
        | Self::Update { doc, .. }
        | Self::UpdateChunk { doc, .. }
        | Self::SnapshotChunk { doc, .. }
        | Self::AncestorsChunk { doc, .. }) = self;
        doc
    }

    /// Which piece it is, where values are cut.
    pub(super) const fn chunk(self) -> Option<u32> {
        match self {
            Self::Header { .. } | Self::Update { .. } => None,
            Self::UpdateChunk { chunk, .. }
            | Self::SnapshotChunk { chunk, .. }
            | Self::AncestorsChunk { chunk, .. } => Some(chunk),
        }
    }
}

/// The record that holds `payload` at `place`.
pub(super) fn seal(place: Place, kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut record = Vec::new();
    seal_into(&mut record, place, kind, payload);
    record
}

/// Makes `record` the record that holds `payload` at `place`.
pub(super) fn seal_into(record: &mut Vec<u8>, place: Place, kind: Kind, payload: &[u8]) {
    record.clear();
    record.reserve_exact(FRAME + payload.len());
    record.extend_from_slice(&[0; FRAME]);
    record.extend_from_slice(payload);
    seal_in_place(record, place, kind);
}

/// Makes a record of a payload that stands behind [`FRAME`] bytes.
pub(super) fn seal_in_place(record: &mut [u8], place: Place, kind: Kind) {
    let Some((frame, payload)) = record.split_first_chunk_mut::<FRAME>() else { return };
    let [c0, c1, c2, c3] = checksum(place, kind as u8, payload).to_le_bytes();
    *frame = [VERSION, kind as u8, c0, c1, c2, c3];
}

/// The kind and the payload of the record found at `place`, or what is wrong with it.
pub(super) fn unseal(place: Place, record: &[u8]) -> Result<(Kind, &[u8]), &'static str> {
    let Some((&[version, kind, c0, c1, c2, c3], payload)) = record.split_first_chunk::<FRAME>() else {
        return Err("the record is too short");
    };
    if version != VERSION {
        return Err("the record has an unknown version");
    }
    if u32::from_le_bytes([c0, c1, c2, c3]) != checksum(place, kind, payload) {
        return Err("the record does not match its checksum");
    }
    Ok((Kind::from_byte(kind).ok_or("the record has an unknown kind")?, payload))
}

/// The payload of the record found at `place`, which must have the kind.
pub(super) fn unseal_as(place: Place, expected: Kind, record: &[u8]) -> Result<&[u8], &'static str> {
    let (kind, payload) = unseal(place, record)?;
    if kind == expected { Ok(payload) } else { Err("the record is of another kind") }
}

impl Kind {
    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Update,
            3 => Self::SnapshotChunk,
            5 => Self::Stub,
            6 => Self::UpdateChunk,
            7 => Self::AncestorsChunk,
            8 => Self::Header,
            _ => return None,
        })
    }
}

fn checksum(place: Place, kind: u8, payload: &[u8]) -> u32 {
    let (table, doc, middle, chunk) = match place {
        Place::Header { doc } => (b'H', doc, None, None),
        Place::Update { doc, seq } => (b'T', doc, Some(seq), None),
        Place::UpdateChunk { doc, seq, chunk } => (b'B', doc, Some(seq), Some(chunk)),
        Place::SnapshotChunk { doc, number, chunk } => (b'S', doc, Some(number), Some(chunk)),
        Place::AncestorsChunk { doc, chunk } => (b'A', doc, None, Some(chunk)),
    };
    let mut before = [0; LONGEST_BEFORE];
    let mut rest = &mut before[..];
    rest.put_u8(table);
    rest.put_u64(doc);
    if let Some(number) = middle {
        rest.put_u64(number);
    }
    if let Some(chunk) = chunk {
        rest.put_u32(chunk);
    }
    rest.put_slice(&[VERSION, kind]);
    let len = LONGEST_BEFORE - rest.len();
    crc32c_append(crc32c(before.get(..len).unwrap_or_default()), payload)
}

const VERSION: u8 = 1;
/// What a checksum covers before the payload: a letter, two numbers and a chunk, version and kind.
const LONGEST_BEFORE: usize = 1 + 8 + 8 + 4 + 2;

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place::Update { doc: 7, seq: 9 };

    #[test]
    fn a_record_has_the_documented_bytes() {
        assert_eq!(seal(PLACE, Kind::Update, b"yjs")[..2], [1, 1]);
        assert_eq!(seal(PLACE, Kind::Update, b"yjs")[6..], *b"yjs");
        let mut covered = vec![b'T', 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 1, 1];
        covered.extend_from_slice(b"yjs");
        assert_eq!(seal(PLACE, Kind::Update, b"yjs")[2..6], crc32c::crc32c(&covered).to_le_bytes());
    }

    #[test]
    fn a_record_reads_back_at_its_place_only() {
        let record = seal(PLACE, Kind::Update, b"yjs");
        assert_eq!(unseal(PLACE, &record), Ok((Kind::Update, &b"yjs"[..])));
        assert!(unseal(Place::Update { doc: 7, seq: 10 }, &record).is_err());
        assert!(unseal(Place::SnapshotChunk { doc: 7, number: 9, chunk: 0 }, &record).is_err());
        assert!(unseal_as(PLACE, Kind::Stub, &record).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let record = seal(PLACE, Kind::Update, b"yjs");
        for bit in 0..record.len() * 8 {
            let mut damaged = record.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(PLACE, &damaged).is_err(), "bit {bit}");
        }
        for len in 0..record.len() {
            assert!(unseal(PLACE, &record[..len]).is_err(), "length {len}");
        }
    }
}
