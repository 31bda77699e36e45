//! Makes the bytes of a backup.

use std::vec;

use bytes::{BufMut, Bytes, BytesMut};
use crc32c::crc32c_append;

use super::format::{
    BackupInfo, BackupTotals, DocumentHead, End, FRAME, Kind, MAGIC, MAX_PAYLOAD, MAX_REASON, MORE, Missing, Trailer,
    VERSION, checksum, encode, millis,
};
use crate::ids::DocName;
use crate::storage::Restoration;

/// Turns documents into a backup. Each method gives the next bytes of the file; names must come in the order of their bytes,
/// each once.
#[derive(Debug)]
pub struct BackupWriter {
    buffer: BytesMut,
    position: u64,
    frames: u64,
    checksum: u32,
    totals: BackupTotals,
}

impl BackupWriter {
    /// A backup that says this of itself.
    #[must_use]
    pub fn new(info: &BackupInfo) -> Self {
        let (buffer, totals) = (BytesMut::new(), BackupTotals::default());
        let mut writer = Self { buffer, position: 0, frames: 0, checksum: 0, totals };
        writer.put(MAGIC);
        writer.put(&VERSION.to_le_bytes());
        writer.frame(Kind::Begin as u8, &encode(info));
        writer
    }

    /// Adds a document or a tombstone. The bytes come as they are taken, and all must be taken.
    ///
    /// `unsaved` tells that a room held updates of it that were not durable.
    pub fn document(&mut self, name: &DocName, restoration: &Restoration, unsaved: bool) -> Chunks<'_> {
        let document = &restoration.document;
        let (updates, bytes) = (document.bytes.tail.len() as u64, document.bytes.len() as u64);
        let head = DocumentHead {
            name: name.clone(),
            generation: document.generation,
            head: document.head,
            snapshot_upto: document.snapshot_upto,
            ancestors: document.ancestors.len() as u64,
            bytes,
            created: millis(restoration.created),
            updated: millis(restoration.updated),
            unsaved,
        };
        let mut frames = vec![(Kind::Head as u8, encode(&head).into())];
        if !document.ancestors.is_empty() {
            pieces(Kind::Ancestors, &document.ancestors, &mut frames);
        }
        if let Some(snapshot) = &document.bytes.snapshot {
            pieces(Kind::Snapshot, snapshot, &mut frames);
        }
        for update in &document.bytes.tail {
            pieces(Kind::Update, update, &mut frames);
        }
        frames.push((Kind::End as u8, encode(&End { updates, bytes }).into()));
        self.totals.updates += updates;
        self.totals.bytes += bytes;
        *if document.head == 0 { &mut self.totals.tombstones } else { &mut self.totals.documents } += 1;
        Chunks { writer: self, frames: frames.into_iter() }
    }

    /// Names a document that could not be read.
    pub fn missing(&mut self, name: &DocName, what: &str) {
        self.totals.missing += 1;
        let missing = Missing { name: name.clone(), what: cut(what).to_owned() };
        self.frame(Kind::Missing as u8, &encode(&missing));
    }

    /// Ends the backup so that it is complete; gives its last bytes.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        let trailer = Trailer { totals: self.totals, frames: self.frames, checksum: self.checksum };
        self.frame(Kind::Trailer as u8, &encode(&trailer));
        self.buffer.freeze()
    }

    /// Ends the backup so that every reader refuses it with this reason; gives its last bytes.
    #[must_use]
    pub fn give_up(mut self, reason: &str) -> Bytes {
        self.frame(Kind::GivenUp as u8, cut(reason).as_bytes());
        self.buffer.freeze()
    }

    fn frame(&mut self, kind: u8, payload: &[u8]) {
        // No payload is longer than a piece.
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut frame = [0; FRAME];
        let mut head = frame.as_mut_slice();
        head.put_u32_le(length);
        head.put_u8(kind);
        head.put_u32_le(checksum(self.position, length, kind, payload));
        self.put(&frame);
        self.put(payload);
        self.frames += 1;
    }

    fn put(&mut self, bytes: &[u8]) {
        self.buffer.put_slice(bytes);
        self.checksum = crc32c_append(self.checksum, bytes);
        self.position += bytes.len() as u64;
    }
}

/// The bytes of a document in a backup, in portions worth writing. The last few are kept for what comes next.
#[derive(Debug)]
pub struct Chunks<'a> {
    writer: &'a mut BackupWriter,
    frames: vec::IntoIter<(u8, Bytes)>,
}

impl Iterator for Chunks<'_> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        for (kind, payload) in self.frames.by_ref() {
            self.writer.frame(kind, &payload);
            if self.writer.buffer.len() >= CHUNK {
                return Some(self.writer.buffer.split().freeze());
            }
        }
        None
    }
}

/// Cuts a value into frames; an empty one is one empty frame.
fn pieces(kind: Kind, value: &Bytes, frames: &mut Vec<(u8, Bytes)>) {
    let mut rest = value.clone();
    while rest.len() > MAX_PAYLOAD {
        frames.push((kind as u8 | MORE, rest.split_to(MAX_PAYLOAD)));
    }
    frames.push((kind as u8, rest));
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_REASON)).unwrap_or_default()
}

/// Bytes are given out when there are at least so many.
const CHUNK: usize = 64 * 1024;
