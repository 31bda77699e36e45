//! Blocks: the smallest pieces of an update, each with the ids of its content and the place that it claims.

use super::any::Trust;
use super::content::{self, Content};
use super::scan::ScanError;
use crate::ids::ClientId;
use crate::lib0::{DecodeError, Reader, write_var_uint};

/// The id of one unit of content: the `clock`-th that `client` made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Who made it.
    pub client: ClientId,
    /// Its number among all that this client made, from 0, below [`CLOCK_END`].
    pub clock: u32,
}

/// The first number that is no clock: 2³¹, where other readers start to overflow.
pub const CLOCK_END: u32 = 1 << 31;

/// A run of consecutive ids that were made together.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// The first id.
    pub id: Id,
    /// The number of ids, at least 1.
    pub len: u32,
    /// What stands there.
    pub body: Body<'a>,
    /// The block's own bytes in the update.
    pub(super) raw: &'a [u8],
}

/// What stands at the ids of a block.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// Content that was collected together with the type that held it.
    Collected,
    /// Nothing: these ids are missing from the update.
    Skip,
    /// Content with a place.
    Item(Item<'a>),
}

/// Content and the place that it claims.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// What stood to the left when it was made.
    pub origin: Option<Id>,
    /// What stood to the right when it was made.
    pub right_origin: Option<Id>,
    /// The type that holds it; only given without origins, else it is theirs.
    pub parent: Option<Parent<'a>>,
    /// The key in the parent; only given with it.
    pub key: Option<&'a str>,
    /// Whether the writer marked the item as keyed. Readers ignore the mark where `parent` is not given.
    pub(super) marked_keyed: bool,
    /// What it holds.
    pub content: Content<'a>,
}

/// The type that holds an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent<'a> {
    /// A top-level type of the document.
    Root(&'a str),
    /// The type that another item holds.
    Item(Id),
}

impl Id {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ScanError> {
        Ok(Self { client: read_client(reader)?, clock: read_clock(reader)? })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        write_var_uint(out, self.client.value());
        write_var_uint(out, self.clock.into());
    }
}

impl<'a> Block<'a> {
    /// Reads the block that starts at `id`.
    pub(super) fn read(id: Id, reader: &mut Reader<'a>, trust: Trust) -> Result<Self, ScanError> {
        let start = *reader;
        let (body, len) = match reader.byte()? {
            content::GC => (Body::Collected, reader.var_uint()?),
            content::SKIP => (Body::Skip, reader.var_uint()?),
            info => {
                let (item, len) = Item::read(info, reader, trust)?;
                (Body::Item(item), len)
            }
        };
        match u32::try_from(len).ok().filter(|len| *len <= CLOCK_END - 1 - id.clock) {
            Some(0) => Err(ScanError::EmptyBlock),
            Some(len) => Ok(Self { id, len, body, raw: start.until(reader) }),
            None => Err(ScanError::ClockTooLarge),
        }
    }

    /// The clock after its last one.
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.id.clock + self.len
    }
}

impl<'a> Item<'a> {
    fn read(info: u8, reader: &mut Reader<'a>, trust: Trust) -> Result<(Self, u64), ScanError> {
        let origin = if info & HAS_ORIGIN == 0 { None } else { Some(Id::read(reader)?) };
        let right_origin = if info & HAS_RIGHT_ORIGIN == 0 { None } else { Some(Id::read(reader)?) };
        let marked_keyed = info & HAS_KEY != 0;
        let (mut parent, mut key) = (None, None);
        if origin.is_none() && right_origin.is_none() {
            parent = Some(match reader.var_uint()? {
                0 => Parent::Item(Id::read(reader)?),
                1 => Parent::Root(reader.text()?),
                _ => return Err(ScanError::UnknownParent),
            });
            if marked_keyed {
                key = Some(reader.text()?);
            }
        }
        let (content, len) = Content::read(info & KIND, reader, trust)?;
        Ok((Self { origin, right_origin, parent, key, marked_keyed, content }, len))
    }

    /// The ids that must be known before this item.
    pub(super) fn dependencies(&self) -> impl Iterator<Item = Id> + use<> {
        let parent = match self.parent {
            Some(Parent::Item(id)) => Some(id),
            _ => None,
        };
        [self.origin, self.right_origin, parent].into_iter().flatten()
    }
}

pub(super) fn read_client(reader: &mut Reader<'_>) -> Result<ClientId, ScanError> {
    Ok(ClientId::new(reader.var_uint()?).ok_or(DecodeError::IntegerTooLarge)?)
}

pub(super) fn read_clock(reader: &mut Reader<'_>) -> Result<u32, ScanError> {
    match u32::try_from(reader.var_uint()?) {
        Ok(clock) if clock < CLOCK_END => Ok(clock),
        _ => Err(ScanError::ClockTooLarge),
    }
}

const KIND: u8 = 0x1f;
pub(super) const HAS_KEY: u8 = 0x20;
pub(super) const HAS_RIGHT_ORIGIN: u8 = 0x40;
pub(super) const HAS_ORIGIN: u8 = 0x80;
