//! Reads a backup from bytes as they come.

use bytes::{Buf, Bytes, BytesMut};
use crc32c::crc32c_append;

use super::error::{BackupError, BackupPlace};
use super::format::{
    BackupInfo, BackupTotals, DocumentHead, End, FRAME, Kind, MAGIC, MAX_PAYLOAD, MORE, Missing, OPENING, Trailer,
    VERSION, checksum, decode, time,
};
use crate::ids::{DocName, Generation};
use crate::storage::{Restoration, StoredDocument};
use crate::sync::DocumentBytes;

/// Takes the bytes of a backup in any portions and gives its documents.
///
/// ```
/// use ydock::storage::{BackupInfo, BackupReader, BackupWriter};
///
/// let info = BackupInfo { version: "1".into(), engine: "redb".into(), begun: 0, names: 0, bytes: 0 };
/// let file = BackupWriter::new(&info).finish();
/// let mut reader = BackupReader::new();
/// reader.push(&file);
/// assert!(reader.item()?.is_none());
/// assert_eq!(reader.finish()?.documents, 0);
/// # Ok::<(), ydock::storage::BackupError>(())
/// ```
#[derive(Debug)]
pub struct BackupReader {
    limit: u64,
    buffer: BytesMut,
    position: u64,
    frames: u64,
    checksum: u32,
    info: Option<BackupInfo>,
    totals: BackupTotals,
    last: Option<DocName>,
    state: State,
}

/// What a backup holds under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackupItem {
    /// A document or a tombstone.
    Document {
        /// Its name.
        name: DocName,
        /// All of it.
        restoration: Restoration,
        /// Whether a room held updates of it that were not durable.
        unsaved: bool,
    },
    /// A document that could not be read when the backup was made.
    Missing {
        /// Its name.
        name: DocName,
        /// Why it is missing.
        what: String,
    },
}

#[derive(Debug)]
enum State {
    Opening,
    Begin,
    Between,
    Inside(Box<Inside>),
    Ended,
}

/// A document of which not everything has come.
#[derive(Debug)]
struct Inside {
    head: DocumentHead,
    ancestors: Option<Bytes>,
    bytes: DocumentBytes,
    /// What has come of content and ancestors, in bytes.
    length: u64,
    /// The pieces of a value that is not complete.
    value: Option<(Kind, BytesMut)>,
}

struct Frame {
    position: u64,
    kind: Kind,
    more: bool,
    payload: Bytes,
}

impl BackupReader {
    /// At the beginning of a backup, with documents of at most 4 GiB.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(LARGEST_DOCUMENT)
    }

    /// The same with another bound on the bytes of a document.
    #[must_use]
    pub fn with_limit(limit: u64) -> Self {
        Self {
            limit,
            buffer: BytesMut::new(),
            position: 0,
            frames: 0,
            checksum: 0,
            info: None,
            totals: BackupTotals::default(),
            last: None,
            state: State::Opening,
        }
    }

    /// Takes the next bytes. All that is in them should be asked for before more are brought.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next document in the bytes that have come; `None` when more are needed, or none are to come.
    ///
    /// # Errors
    /// When the bytes are no backup, or not as they were written. Nothing that is returned later means anything.
    pub fn item(&mut self) -> Result<Option<BackupItem>, BackupError> {
        if matches!(self.state, State::Opening) && !self.opening()? {
            return Ok(None);
        }
        while let Some(frame) = self.frame()? {
            if let Some(item) = self.take(frame)? {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// What the backup says of itself, once that has come.
    #[must_use]
    pub fn info(&self) -> Option<&BackupInfo> {
        self.info.as_ref()
    }

    /// What has been read so far.
    #[must_use]
    pub const fn totals(&self) -> &BackupTotals {
        &self.totals
    }

    /// No more bytes come: tells what was in the backup.
    ///
    /// # Errors
    /// When its end is missing.
    pub fn finish(self) -> Result<BackupTotals, BackupError> {
        match self.state {
            State::Ended if self.buffer.is_empty() => Ok(self.totals),
            State::Ended => Err(self.damaged("something follows its end")),
            State::Opening if !MAGIC.starts_with(self.buffer.get(..MAGIC.len()).unwrap_or(&self.buffer)) => {
                Err(BackupError::Foreign)
            }
            State::Opening if self.buffer.is_empty() => Err(BackupError::Foreign),
            _ => {
                let position = self.position + self.buffer.len() as u64;
                Err(BackupError::Incomplete(BackupPlace { position, doc: self.doc() }))
            }
        }
    }

    /// Reads magic and version; whether they have come.
    fn opening(&mut self) -> Result<bool, BackupError> {
        let Some((opening, _)) = self.buffer.split_first_chunk::<OPENING>() else { return Ok(false) };
        let Some(mut version) = opening.strip_prefix(MAGIC.as_slice()) else { return Err(BackupError::Foreign) };
        let found = version.get_u32_le();
        if found != VERSION {
            return Err(BackupError::Version { found, max: VERSION });
        }
        self.consume(OPENING);
        self.state = State::Begin;
        Ok(true)
    }

    /// The next frame, checked for itself.
    fn frame(&mut self) -> Result<Option<Frame>, BackupError> {
        if matches!(self.state, State::Ended) && !self.buffer.is_empty() {
            return Err(self.damaged("something follows its end"));
        }
        let Some((mut head, _)) = self.buffer.split_first_chunk::<FRAME>().map(|(head, rest)| (&head[..], rest)) else {
            return Ok(None);
        };
        let (length, kind, sum) = (head.get_u32_le(), head.get_u8(), head.get_u32_le());
        let Some(end) = usize::try_from(length).ok().filter(|length| *length <= MAX_PAYLOAD).map(|len| len + FRAME)
        else {
            return Err(self.damaged("a frame claims to be longer than any is"));
        };
        let Some(payload) = self.buffer.get(FRAME..end) else { return Ok(None) };
        if checksum(self.position, length, kind, payload) != sum {
            return Err(self.damaged("a frame does not match its checksum"));
        }
        let Some(known) = Kind::of(kind & !MORE) else { return Err(self.damaged("a frame is of an unknown kind")) };
        let position = self.position;
        if known == Kind::Trailer {
            // It tells the checksum of what comes before it.
            let payload = Bytes::copy_from_slice(payload);
            self.trailer(&payload)?;
            self.consume(end);
            return Ok(None);
        }
        let mut frame = self.consume(end);
        frame.advance(FRAME);
        self.frames += 1;
        Ok(Some(Frame { position, kind: known, more: kind & MORE != 0, payload: frame }))
    }

    fn consume(&mut self, length: usize) -> Bytes {
        let bytes = self.buffer.split_to(length).freeze();
        self.checksum = crc32c_append(self.checksum, &bytes);
        self.position += length as u64;
        bytes
    }

    fn take(&mut self, frame: Frame) -> Result<Option<BackupItem>, BackupError> {
        let is_piece = matches!(frame.kind, Kind::Ancestors | Kind::Snapshot | Kind::Update);
        if frame.more && !is_piece {
            return Err(self.damaged_at(frame.position, "a frame is cut where none is"));
        }
        let state = std::mem::replace(&mut self.state, State::Between);
        match (state, frame.kind) {
            (_, Kind::GivenUp) => {
                let reason = String::from_utf8_lossy(&frame.payload).into_owned();
                Err(BackupError::GivenUp { reason: reason.replace(char::is_control, " ") })
            }
            (State::Begin, Kind::Begin) => {
                self.info = Some(self.read(&frame)?);
                Ok(None)
            }
            (State::Between, Kind::Head) => {
                let head = self.read(&frame)?;
                self.head(head, frame.position)?;
                Ok(None)
            }
            (State::Between, Kind::Missing) => {
                let Missing { name, what } = self.read(&frame)?;
                self.name(&name, frame.position)?;
                self.totals.missing += 1;
                Ok(Some(BackupItem::Missing { name, what }))
            }
            (State::Inside(mut inside), _) if is_piece => {
                let taken = inside.piece(frame.kind, frame.more, frame.payload);
                self.state = State::Inside(inside);
                taken.map(|()| None).map_err(|what| self.damaged_at(frame.position, what))
            }
            (State::Inside(inside), Kind::End) => {
                let end = self.read(&frame)?;
                let item = inside.end(end).map_err(|what| self.damaged_at(frame.position, what))?;
                self.count(&end, &item);
                Ok(Some(item))
            }
            _ => Err(self.damaged_at(frame.position, "a frame stands where none of its kind may")),
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&self, frame: &Frame) -> Result<T, BackupError> {
        decode(&frame.payload).ok_or_else(|| self.damaged_at(frame.position, "a frame cannot be decoded"))
    }

    fn head(&mut self, head: DocumentHead, position: u64) -> Result<(), BackupError> {
        self.name(&head.name, position)?;
        if head.generation < Generation::FIRST || head.snapshot_upto > head.head {
            return Err(self.damaged_at(position, "the numbers of a document contradict each other"));
        }
        let bytes = head.bytes.saturating_add(head.ancestors);
        if bytes > self.limit {
            return Err(BackupError::TooLarge { doc: head.name, bytes, limit: self.limit });
        }
        let inside = Inside { head, ancestors: None, bytes: DocumentBytes::default(), length: 0, value: None };
        self.state = State::Inside(Box::new(inside));
        Ok(())
    }

    /// Names come in order, so that none comes twice.
    fn name(&mut self, name: &DocName, position: u64) -> Result<(), BackupError> {
        if self.last.as_ref().is_some_and(|last| last >= name) {
            return Err(self.damaged_at(position, "the documents are not in order"));
        }
        self.last = Some(name.clone());
        Ok(())
    }

    fn count(&mut self, end: &End, item: &BackupItem) {
        let is_document = matches!(item, BackupItem::Document { restoration, .. } if restoration.document.head > 0);
        *if is_document { &mut self.totals.documents } else { &mut self.totals.tombstones } += 1;
        self.totals.updates += end.updates;
        self.totals.bytes += end.bytes;
    }

    fn trailer(&mut self, payload: &[u8]) -> Result<(), BackupError> {
        let expected = Trailer { totals: self.totals, frames: self.frames, checksum: self.checksum };
        match (&self.state, decode::<Trailer>(payload)) {
            (State::Between, Some(trailer)) if trailer == expected => {
                self.state = State::Ended;
                Ok(())
            }
            _ => Err(self.damaged("its trailer does not match what comes before it")),
        }
    }

    fn doc(&self) -> Option<DocName> {
        self.last.clone()
    }

    fn damaged(&self, what: &'static str) -> BackupError {
        self.damaged_at(self.position, what)
    }

    fn damaged_at(&self, position: u64, what: &'static str) -> BackupError {
        BackupError::Damaged { place: BackupPlace { position, doc: self.doc() }, what }
    }
}

impl Default for BackupReader {
    fn default() -> Self {
        Self::new()
    }
}

impl Inside {
    fn piece(&mut self, kind: Kind, more: bool, payload: Bytes) -> Result<(), &'static str> {
        self.length += payload.len() as u64;
        if self.length > self.head.bytes + self.head.ancestors {
            return Err("a document is longer than it says");
        }
        let value = match (self.value.take(), more) {
            (None, false) => payload,
            (None, true) => {
                self.value = Some((kind, BytesMut::from(payload)));
                return Ok(());
            }
            (Some((begun, _)), _) if begun != kind => return Err("a value ends as another one"),
            (Some((_, mut value)), more) => {
                value.extend_from_slice(&payload);
                if more {
                    self.value = Some((kind, value));
                    return Ok(());
                }
                value.freeze()
            }
        };
        let begins = self.bytes.is_empty();
        match kind {
            Kind::Ancestors if begins && self.ancestors.is_none() => self.ancestors = Some(value),
            Kind::Snapshot if begins => self.bytes.snapshot = Some(value),
            Kind::Update => self.bytes.tail.push(value),
            _ => return Err("the parts of a document are not in order"),
        }
        Ok(())
    }

    fn end(self, end: End) -> Result<BackupItem, &'static str> {
        let Self { head, ancestors, bytes, value, .. } = self;
        let ancestors = ancestors.unwrap_or_default();
        let updates = bytes.tail.len() as u64;
        let is_whole = value.is_none()
            && ancestors.len() as u64 == head.ancestors
            && bytes.len() as u64 == head.bytes
            && bytes.snapshot.is_some() == (head.snapshot_upto > 0)
            && head.head.checked_sub(head.snapshot_upto) == Some(updates)
            && end == End { updates, bytes: head.bytes };
        if !is_whole {
            return Err("a document is not all there");
        }
        let DocumentHead { name, generation, head, snapshot_upto, created, updated, unsaved, .. } = head;
        let document = StoredDocument { generation, ancestors, snapshot_upto, head, bytes };
        let restoration = Restoration { document, created: time(created), updated: time(updated) };
        Ok(BackupItem::Document { name, restoration, unsaved })
    }
}

/// The most that a reader holds of one document, in bytes.
const LARGEST_DOCUMENT: u64 = 4 << 30;
