//! The scanner: proves that bytes are one well-formed Yjs v1 update, and walks them.
//!
//! It refuses nothing that any version of Yjs or yrs honestly writes, and nothing that passes makes a decoder of
//! either throw. It allocates only for updates whose clients come in no order, and never more than their size.

use thiserror::Error;

use super::any::{Trust, check_count};
use super::block::{Block, CLOCK_END, Id, read_client, read_clock};
use crate::ids::ClientId;
use crate::lib0::{DecodeError, Reader};

/// Why bytes are no well-formed update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// A number, length or text is malformed or runs past the end.
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    /// Something follows the last deletion.
    #[error("bytes follow the end of the update")]
    TrailingBytes,
    /// A client is named without any block.
    #[error("a client section is empty")]
    EmptySection,
    /// A client has more than one section; readers would lose one of them.
    #[error("a client has two sections")]
    RepeatedClient,
    /// A block has no content.
    #[error("a block has no length")]
    EmptyBlock,
    /// A clock reaches [`CLOCK_END`].
    #[error("a clock is too large")]
    ClockTooLarge,
    /// No version of Yjs writes a block of this kind.
    #[error("the block kind {0} is unknown")]
    UnknownBlockKind(u8),
    /// No supported version of Yjs writes a shared type of this kind.
    #[error("the shared type {0} is unknown")]
    UnknownType(u64),
    /// A parent is neither a name nor an id.
    #[error("a parent is neither a name nor an id")]
    UnknownParent,
    /// A value has a tag that lib0 does not know.
    #[error("the value tag {0} is unknown")]
    UnknownValue(u8),
    /// A format, an embed or an old value is not JSON.
    #[error("a json text is invalid")]
    InvalidJson,
    /// A value is nested too deeply.
    #[error("a value is nested too deeply")]
    TooDeep,
    /// The options of a sub-document are none that Yjs writes.
    #[error("the options of a sub-document are invalid")]
    SubdocumentOptions,
}

/// A well-formed update.
///
/// ```
/// use ydock::sync::UpdateRef;
///
/// let update = [1, 1, 7, 0, 4, 1, 1, b't', 1, b'a', 0];
/// let update = UpdateRef::parse(&update)?;
/// assert_eq!(update.blocks().map(|block| block.len).sum::<u32>(), 1);
/// assert!(UpdateRef::parse(&[1, 1, 7, 0, 4]).is_err());
/// # Ok::<(), ydock::sync::ScanError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct UpdateRef<'a> {
    bytes: &'a [u8],
    section_count: u64,
    sections: Reader<'a>,
    deleting_clients: u64,
    deletes: Reader<'a>,
}

/// The sections of an update, one for each client, as they come.
#[derive(Debug, Clone)]
pub struct Sections<'a> {
    left: u64,
    reader: Reader<'a>,
}

/// The blocks of one client, in order of their clocks.
#[derive(Debug, Clone)]
pub struct Section<'a> {
    /// Who made them.
    pub client: ClientId,
    clock: u32,
    left: u64,
    reader: Reader<'a>,
}

/// The deletions of an update, as they come: not sorted, perhaps overlapping or empty.
#[derive(Debug, Clone)]
pub struct Deletes<'a> {
    clients_left: u64,
    client: Option<ClientId>,
    ranges_left: u64,
    reader: Reader<'a>,
}

/// A range of deleted ids of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Who made what is deleted.
    pub client: ClientId,
    /// The first clock.
    pub start: u32,
    /// The clock after the last, at least `start`.
    pub end: u32,
}

impl<'a> UpdateRef<'a> {
    /// Checks bytes as a whole: syntax, bounds, JSON, UTF-8, nesting.
    ///
    /// # Errors
    /// When they are no well-formed update.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ScanError> {
        Self::parse_with(bytes, |_, _| {})
    }

    /// As [`parse`](Self::parse), and hands out each section on the way, with the clock after its last block.
    pub(super) fn parse_with(bytes: &'a [u8], mut found: impl FnMut(Section<'a>, u32)) -> Result<Self, ScanError> {
        let mut reader = Reader::new(bytes);
        let section_count = reader.var_uint()?;
        check_count(&reader, section_count, LEAST_SECTION)?;
        let sections = reader;
        let mut order = ClientOrder::default();
        for _ in 0..section_count {
            let section = Section::read(&mut reader)?;
            order.add(section.client);
            let mut walk = section.clone();
            while walk.next_block(Trust::Outside)?.is_some() {}
            reader = walk.reader;
            found(section, walk.clock);
        }
        let deleting_clients = reader.var_uint()?;
        check_count(&reader, deleting_clients, LEAST_DELETING_CLIENT)?;
        let update = Self { bytes, section_count, sections, deleting_clients, deletes: reader };
        if order.broken && has_repeated_client(update.sections()) {
            return Err(ScanError::RepeatedClient);
        }
        let mut deletes = update.deletes();
        while deletes.next_deletion()?.is_some() {}
        if deletes.reader.is_empty() { Ok(update) } else { Err(ScanError::TrailingBytes) }
    }

    /// The bytes of the update.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The sections, one for each client.
    #[must_use]
    pub const fn sections(&self) -> Sections<'a> {
        Sections { left: self.section_count, reader: self.sections }
    }

    /// All blocks, section after section.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        // Not through `Sections::next`, which would walk every section twice.
        let mut sections = self.sections();
        let mut section = sections.enter();
        std::iter::from_fn(move || {
            loop {
                if let Some(block) = section.as_mut()?.next() {
                    return Some(block);
                }
                sections.leave(section.take()?);
                section = sections.enter();
            }
        })
    }

    /// All deletions.
    #[must_use]
    pub const fn deletes(&self) -> Deletes<'a> {
        Deletes { clients_left: self.deleting_clients, client: None, ranges_left: 0, reader: self.deletes }
    }

    /// Whether it has neither blocks nor deletions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.section_count == 0 && self.deletes().all(|deletion| deletion.start == deletion.end)
    }
}

impl<'a> Sections<'a> {
    /// The next section. [`leave`](Self::leave) must follow before the one after it.
    pub(super) fn enter(&mut self) -> Option<Section<'a>> {
        self.left = self.left.checked_sub(1)?;
        // `parse` has read these bytes without an error.
        Section::read(&mut self.reader).ok()
    }

    /// Goes to the end of the section that was entered, from wherever its reader has come.
    pub(super) fn leave(&mut self, mut section: Section<'a>) {
        if self.left > 0 {
            while section.next().is_some() {}
            self.reader = section.reader;
        }
    }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Section<'a>;

    fn next(&mut self) -> Option<Section<'a>> {
        let section = self.enter()?;
        self.leave(section.clone());
        Some(section)
    }
}

impl<'a> Section<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ScanError> {
        let left = reader.var_uint()?;
        let client = read_client(reader)?;
        let clock = read_clock(reader)?;
        if left == 0 {
            return Err(ScanError::EmptySection);
        }
        check_count(reader, left, LEAST_BLOCK)?;
        Ok(Self { client, clock, left, reader: *reader })
    }

    /// The clock of its next block.
    #[must_use]
    pub const fn clock(&self) -> u32 {
        self.clock
    }

    fn next_block(&mut self, trust: Trust) -> Result<Option<Block<'a>>, ScanError> {
        if self.left == 0 {
            return Ok(None);
        }
        let block = Block::read(Id { client: self.client, clock: self.clock }, &mut self.reader, trust)?;
        self.left -= 1;
        self.clock = block.end();
        Ok(Some(block))
    }
}

impl<'a> Iterator for Section<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        self.next_block(Trust::Checked).ok().flatten()
    }
}

impl Deletes<'_> {
    fn next_deletion(&mut self) -> Result<Option<Deletion>, ScanError> {
        while self.ranges_left == 0 {
            if self.clients_left == 0 {
                return Ok(None);
            }
            self.clients_left -= 1;
            self.client = Some(read_client(&mut self.reader)?);
            self.ranges_left = self.reader.var_uint()?;
            check_count(&self.reader, self.ranges_left, LEAST_RANGE)?;
        }
        let Some(client) = self.client else { return Ok(None) };
        self.ranges_left -= 1;
        let start = read_clock(&mut self.reader)?;
        let len = u32::try_from(self.reader.var_uint()?).or(Err(ScanError::ClockTooLarge))?;
        let end = start.checked_add(len).filter(|end| *end < CLOCK_END).ok_or(ScanError::ClockTooLarge)?;
        Ok(Some(Deletion { client, start, end }))
    }
}

impl Iterator for Deletes<'_> {
    type Item = Deletion;

    fn next(&mut self) -> Option<Deletion> {
        self.next_deletion().ok().flatten()
    }
}

/// Notices when clients stop rising or falling: as long as they do, none comes twice.
#[derive(Default)]
struct ClientOrder {
    last: Option<ClientId>,
    rising: Option<bool>,
    broken: bool,
}

impl ClientOrder {
    fn add(&mut self, client: ClientId) {
        if let Some(last) = self.last.replace(client) {
            let rising = client > last;
            self.broken |= client == last || *self.rising.get_or_insert(rising) != rising;
        }
    }
}

fn has_repeated_client(sections: Sections<'_>) -> bool {
    let mut clients: Vec<_> = sections.map(|section| section.client).collect();
    clients.sort_unstable();
    clients.windows(2).any(|pair| pair.first() == pair.last())
}

/// A section takes at least its count, client, clock and one block.
const LEAST_SECTION: u64 = 3 + LEAST_BLOCK;
/// A block takes at least its kind and its length.
const LEAST_BLOCK: u64 = 2;
/// A deleting client takes at least itself and its count.
const LEAST_DELETING_CLIENT: u64 = 2;
/// A deletion takes at least its clock and its length.
const LEAST_RANGE: u64 = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_captured_update_is_read_as_what_it_is() {
        let bytes = [1, 1, 7, 0, 4, 1, 1, b't', 1, b'a', 1, 7, 1, 0, 1];
        let update = UpdateRef::parse(&bytes).unwrap();
        let block = update.blocks().next().unwrap();
        assert_eq!((block.id.client.value(), block.id.clock, block.len), (7, 0, 1));
        assert!(update.deletes().map(|deletion| (deletion.start, deletion.end)).eq([(0, 1)]));
        assert!(!update.is_empty() && UpdateRef::parse(&[0, 0]).unwrap().is_empty());
    }

    #[test]
    fn sections_may_come_in_any_order_but_each_client_once() {
        let gc = |client: u8| [1, client, 0, 0, 1];
        let update = |clients: &[u8]| {
            let sections = clients.iter().flat_map(|client| gc(*client));
            std::iter::once(u8::try_from(clients.len()).unwrap()).chain(sections).chain([0]).collect::<Vec<_>>()
        };
        for clients in [&[1, 2, 3][..], &[3, 2, 1], &[2, 3, 1], &[]] {
            let bytes = update(clients);
            let read = UpdateRef::parse(&bytes).unwrap();
            assert!(read.sections().map(|section| section.client.value()).eq(clients.iter().map(|c| u64::from(*c))));
            assert_eq!(read.blocks().count(), clients.len());
        }
        for clients in [&[1, 1][..], &[1, 2, 1], &[3, 1, 3], &[1, 3, 2, 3]] {
            assert_eq!(UpdateRef::parse(&update(clients)).err(), Some(ScanError::RepeatedClient), "{clients:?}");
        }
    }

    #[test]
    fn what_old_and_rare_writers_write_is_accepted() {
        let cases: [(&str, &[u8]); 7] = [
            (
                "values as json",
                &[1, 1, 5, 0, 2, 1, 1, b'a', 2, 1, b'1', 9, 117, 110, 100, 101, 102, 105, 110, 101, 100, 0],
            ),
            ("a skip between", &[1, 2, 5, 0, 10, 4, 0, 1, 0]),
            ("deletions unsorted, overlapping and empty", &[0, 2, 1, 3, 5, 2, 0, 6, 9, 0, 2, 0]),
            ("half a surrogate pair", &[1, 1, 5, 0, 4, 1, 1, b't', 3, 0xef, 0xbf, 0xbd, 0]),
            ("a key mark beside an origin", &[1, 1, 5, 1, 0xa8, 5, 0, 1, 126, 0]),
            ("an unnamed root", &[1, 1, 5, 0, 1, 1, 0, 3, 0]),
            ("a subdocument", &[1, 1, 5, 0, 0x29, 1, 1, b'm', 1, b'k', 1, b'g', 118, 0, 0]),
        ];
        for (name, bytes) in cases {
            assert_eq!(UpdateRef::parse(bytes).map(|_| ()), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_no_writer_writes_is_refused_with_the_reason() {
        let cases: [(&[u8], ScanError); 14] = [
            (&[0, 0, 0], ScanError::TrailingBytes),
            (&[1, 0, 1, 0, 0, 1, 0], ScanError::EmptySection),
            (&[1, 1, 1, 0, 0, 0, 0], ScanError::EmptyBlock),
            (&[1, 1, 1, 0, 4, 1, 1, b't', 0, 0], ScanError::EmptyBlock),
            (&[1, 1, 1, 0xff, 0xff, 0xff, 0xff, 7, 0, 1, 0], ScanError::ClockTooLarge),
            (&[1, 1, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xf, 0], ScanError::ClockTooLarge),
            (&[1, 1, 1, 0, 11, 1, 1, b't', 0, 0], ScanError::UnknownBlockKind(11)),
            (&[1, 1, 1, 0, 0x20, 1, 1, b't', 1, b'k', 1, 0], ScanError::UnknownBlockKind(0)),
            (&[1, 1, 1, 0, 7, 1, 1, b't', 7, 0], ScanError::UnknownType(7)),
            (&[1, 1, 1, 0, 4, 2, 1, b't', 1, b'a', 0], ScanError::UnknownParent),
            (&[1, 1, 1, 0, 5, 1, 1, b't', 1, b'x', 0], ScanError::InvalidJson),
            (&[1, 1, 1, 0, 8, 1, 1, b't', 1, 9, 0], ScanError::UnknownValue(9)),
            (&[1, 1, 1, 0, 4, 1, 1, b't', 1, 0xff, 0], ScanError::Encoding(DecodeError::NotUtf8)),
            (&[0x80, 0x84, 0xaf, 0x5f], ScanError::Encoding(DecodeError::Truncated)),
        ];
        for (bytes, reason) in cases {
            assert_eq!(UpdateRef::parse(bytes).err(), Some(reason), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_walk_as_parsed(bytes in proptest::collection::vec(0u8..16, 0..60)) {
            if let Ok(update) = UpdateRef::parse(&bytes) {
                let blocks = update.blocks().map(|block| block.raw.len()).sum::<usize>();
                prop_assert!(blocks <= bytes.len());
                prop_assert_eq!(update.sections().flatten().count(), update.blocks().count());
            }
        }
    }
}
