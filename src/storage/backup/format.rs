//! The bytes of a backup: magic, frames, and what is in those that hold no content.
//!
//! bincode notices neither a flipped byte nor another set of fields. The frame's checksum guards the one; the other is a
//! new version.

use std::time::{Duration, SystemTime};

use crc32c::crc32c_append;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ids::{DocName, Generation};

/// What a backup says of itself at its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupInfo {
    /// The version of the program that wrote it.
    pub version: String,
    /// The engine of the store that it was made from.
    pub engine: String,
    /// Milliseconds since 1970 when it was begun.
    pub begun: u64,
    /// Names, tombstones included, that the store had then.
    pub names: u64,
    /// Bytes of content that it had then.
    pub bytes: u64,
}

/// What is in a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupTotals {
    /// Documents.
    pub documents: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Updates that are in no snapshot.
    pub updates: u64,
    /// Bytes of snapshots and updates.
    pub bytes: u64,
    /// Documents that are named but could not be read when the backup was made.
    pub missing: u64,
}

/// What opens a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DocumentHead {
    pub(super) name: DocName,
    pub(super) generation: Generation,
    /// 0 in a tombstone.
    pub(super) head: u64,
    pub(super) snapshot_upto: u64,
    pub(super) ancestors: u64,
    /// The lengths of snapshot and updates together.
    pub(super) bytes: u64,
    /// Milliseconds since 1970.
    pub(super) created: u64,
    pub(super) updated: u64,
    /// Whether a room held updates that were not durable when the document was read.
    pub(super) unsaved: bool,
}

/// What closes a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) updates: u64,
    pub(super) bytes: u64,
}

/// A document that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Missing {
    pub(super) name: DocName,
    pub(super) what: String,
}

/// What closes a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trailer {
    pub(super) totals: BackupTotals,
    pub(super) frames: u64,
    /// The CRC-32C of every byte before the trailer's frame.
    pub(super) checksum: u32,
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Begin = 1,
    Head = 2,
    Ancestors = 3,
    Snapshot = 4,
    Update = 5,
    End = 6,
    Missing = 7,
    GivenUp = 8,
    Trailer = 9,
}

impl Kind {
    pub(super) const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Begin,
            2 => Self::Head,
            3 => Self::Ancestors,
            4 => Self::Snapshot,
            5 => Self::Update,
            6 => Self::End,
            7 => Self::Missing,
            8 => Self::GivenUp,
            9 => Self::Trailer,
            _ => return None,
        })
    }
}

/// The checksum of a frame: over its place in the file, its length, its kind and its payload.
pub(super) fn checksum(position: u64, length: u32, kind: u8, payload: &[u8]) -> u32 {
    let mut sum = crc32c_append(0, &position.to_le_bytes());
    sum = crc32c_append(sum, &length.to_le_bytes());
    sum = crc32c_append(sum, &[kind]);
    crc32c_append(sum, payload)
}

pub(super) fn encode(value: &impl Serialize) -> Vec<u8> {
    // Numbers and texts always have a form; an empty payload would be refused by every reader.
    bincode::serde::encode_to_vec(value, CONFIG).unwrap_or_default()
}

pub(super) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    match bincode::serde::decode_from_slice(payload, CONFIG) {
        Ok((value, read)) if read == payload.len() => Some(value),
        _ => None,
    }
}

pub(super) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The time that milliseconds since 1970 name; what no clock shows is 1970.
pub(super) fn time(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Bounds what a decoder allocates. The longest texts are a name of 1 KiB and a reason that is cut to 1 KiB.
const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<4096>,
> = bincode::config::standard().with_limit::<4096>();

/// What a backup begins with, followed by its version as 4 bytes.
pub(super) const MAGIC: &[u8; 12] = b"ydock backup";
/// The newest version that is read, and the one that is written.
pub(super) const VERSION: u32 = 1;
/// Magic and version.
pub(super) const OPENING: usize = 16;
/// The bytes of a frame before its payload: length, kind, checksum.
pub(super) const FRAME: usize = 9;
/// The longest payload of a frame.
pub(super) const MAX_PAYLOAD: usize = 1 << 20;
/// Set in the kind of a piece that is not the last of its value.
pub(super) const MORE: u8 = 0x80;
/// The longest text about something that went wrong, in bytes.
pub(super) const MAX_REASON: usize = 1024;
