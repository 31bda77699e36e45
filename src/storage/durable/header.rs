//! The header of a document: the one structure of the disk format that is encoded with bincode, and only here.
//!
//! bincode is positional and decodes a flipped byte without noticing, so its bytes stand inside a
//! [record](crate::storage::record) with a version and a checksum. A change of [`Header`] is a new record version.

use serde::{Deserialize, Serialize};

use crate::ids::{DocName, Generation};
use crate::storage::record::{FRAME, Kind, Place, seal_in_place, unseal_as};
use crate::storage::{Compaction, Damage, StoreError};

/// Everything about a document but its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::storage) struct Header {
    pub(in crate::storage) name: DocName,
    pub(in crate::storage) generation: Generation,
    /// The sequence number of the last update; 0 in a tombstone.
    pub(in crate::storage) head: u64,
    /// The number that the next snapshot gets; no number is used twice.
    pub(in crate::storage) next_snapshot: u64,
    pub(in crate::storage) snapshot: Option<Snapshot>,
    /// The sum of the lengths of the updates above the snapshot.
    pub(in crate::storage) tail_bytes: u64,
    pub(in crate::storage) ancestors_len: u64,
    /// Milliseconds since 1970.
    pub(in crate::storage) created: u64,
    pub(in crate::storage) updated: u64,
}

/// Which rows are the snapshot, and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::storage) struct Snapshot {
    pub(in crate::storage) number: u64,
    pub(in crate::storage) upto: u64,
    pub(in crate::storage) len: u64,
}

impl Header {
    /// The header of a name that has no updates.
    pub(in crate::storage) fn empty(name: DocName, generation: Generation) -> Self {
        Self {
            name,
            generation,
            head: 0,
            next_snapshot: 1,
            snapshot: None,
            tail_bytes: 0,
            ancestors_len: 0,
            created: 0,
            updated: 0,
        }
    }

    /// The sequence number up to which the snapshot reaches; 0 without one.
    pub(in crate::storage) fn snapshot_upto(&self) -> u64 {
        self.snapshot.map_or(0, |snapshot| snapshot.upto)
    }

    /// The lengths of snapshot and tail together.
    pub(in crate::storage) fn bytes(&self) -> u64 {
        self.tail_bytes + self.snapshot.map_or(0, |snapshot| snapshot.len)
    }

    /// The error that tells a caller where the document stands.
    pub(in crate::storage) fn conflict(&self) -> StoreError {
        StoreError::Conflict {
            doc: self.name.clone(),
            generation: self.generation,
            head: self.head,
            snapshot_upto: self.snapshot_upto(),
        }
    }

    /// Refuses a compaction that was made from another state than this one.
    pub(in crate::storage) fn check(&self, compaction: &Compaction) -> Result<(), StoreError> {
        let Compaction { generation, previous_upto, upto, .. } = *compaction;
        let fits = generation == self.generation
            && previous_upto == self.snapshot_upto()
            && (previous_upto.max(1)..=self.head).contains(&upto);
        if fits { Ok(()) } else { Err(self.conflict()) }
    }

    pub(in crate::storage) fn encode(&self, doc: u64) -> Result<Vec<u8>, bincode::error::EncodeError> {
        let mut record = Vec::new();
        self.encode_into(doc, &mut record)?;
        Ok(record)
    }

    /// Makes `record` the header's record.
    pub(super) fn encode_into(&self, doc: u64, record: &mut Vec<u8>) -> Result<(), bincode::error::EncodeError> {
        record.clear();
        record.extend_from_slice(&[0; FRAME]);
        bincode::serde::encode_into_std_write(self, record, CONFIG)?;
        seal_in_place(record, Place::Header { doc }, Kind::Header);
        Ok(())
    }

    /// Reads the header of the document with this name, which must be in it.
    pub(in crate::storage) fn decode(doc: u64, name: &DocName, record: &[u8]) -> Result<Self, Damage> {
        let header = Self::decode_any(doc, record)?;
        if header.name == *name { Ok(header) } else { Err(Damage::Header("it belongs to another name")) }
    }

    /// Reads a header, whatever name is in it.
    pub(in crate::storage) fn decode_any(doc: u64, record: &[u8]) -> Result<Self, Damage> {
        let payload = unseal_as(Place::Header { doc }, Kind::Header, record).map_err(Damage::Header)?;
        let Ok((header, read)) = bincode::serde::decode_from_slice::<Self, _>(payload, CONFIG) else {
            return Err(Damage::Header("it cannot be decoded"));
        };
        if read != payload.len() {
            return Err(Damage::Header("it is longer than it should be"));
        }
        if header.snapshot_upto() > header.head {
            return Err(Damage::Header("its snapshot reaches above its head"));
        }
        Ok(header)
    }
}

/// Bounds what a decoder allocates; a header is at most a name and a few numbers.
const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<4096>,
> = bincode::config::standard().with_limit::<4096>();

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let snapshot = Some(Snapshot { number: 3, upto: 600, len: 70_000 });
        let empty = Header::empty(DocName::parse("a/b").unwrap(), Generation(2));
        Header { head: 1000, next_snapshot: 4, snapshot, tail_bytes: 1, created: 5, updated: 6, ..empty }
    }

    #[test]
    fn a_header_has_the_documented_bytes() {
        let bytes = header().encode(7).unwrap();
        let expected = [3, b'a', b'/', b'b', 2, 251, 0xe8, 3, 4, 1, 3, 251, 88, 2, 252, 0x70, 0x11, 1, 0, 1, 0, 5, 6];
        assert_eq!(bytes[6..], expected);
    }

    #[test]
    fn a_header_reads_back_under_its_id_and_name_only() {
        let header = header();
        let bytes = header.encode(7).unwrap();
        assert_eq!(Header::decode(7, &header.name, &bytes).unwrap(), header);
        assert!(Header::decode(8, &header.name, &bytes).is_err());
        assert!(Header::decode(7, &DocName::parse("a/c").unwrap(), &bytes).is_err());
    }

    #[test]
    fn the_longest_name_fits() {
        let name = DocName::parse(&"x".repeat(DocName::MAX_BYTES)).unwrap();
        let header = Header { head: u64::MAX, ..Header::empty(name, Generation(u64::MAX)) };
        let bytes = header.encode(u64::MAX).unwrap();
        assert_eq!(Header::decode(u64::MAX, &header.name, &bytes).unwrap(), header);
    }
}
