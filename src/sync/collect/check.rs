//! The check of a collection: id by id, what was there before against what is there after.
//!
//! It shares no code with what it checks: it cuts nothing, writes nothing and builds no index. A place without content, or
//! with blanks, is right when the content is deleted. An id without a place is right when the type around it is gone, and that is
//! told by what it refers to: its parent is empty, or a neighbour has no place either.

use std::str::EncodeUtf16;

use crate::lib0::Reader;
use crate::sync::any::Trust;
use crate::sync::block::{Block, Body, Id, Item, Parent};
use crate::sync::content::Content;
use crate::sync::id_set::IdSet;
use crate::sync::scan::{Section, UpdateRef};

/// Whether `collected` is `merged` less deleted content: the same ids, all that is not deleted in the same place with
/// the same content, and no deletion lost or invented.
///
/// `merged` must come from [`merge`](crate::sync::merge()) and be complete, as a stored document is. It takes time in
/// proportion to the blocks, and memory for the deletions.
///
/// ```
/// use ydock::sync::is_collection_of;
///
/// let merged = [1, 1, 7, 0, 4, 1, 1, b't', 2, b'a', b'b', 1, 7, 1, 0, 1];
/// let collected = [1, 2, 7, 0, 1, 1, 1, b't', 1, 0x84, 7, 0, 1, b'b', 1, 7, 1, 0, 1];
/// assert!(is_collection_of(&collected, &merged));
/// let other = [1, 2, 7, 0, 1, 1, 1, b't', 1, 0x84, 7, 0, 1, b'c', 1, 7, 1, 0, 1];
/// assert!(!is_collection_of(&other, &merged));
/// ```
#[must_use]
pub fn is_collection_of(collected: &[u8], merged: &[u8]) -> bool {
    let (Ok(before), Ok(after)) = (UpdateRef::parse(merged), UpdateRef::parse(collected)) else { return false };
    let gone = Gone::new(&before, &after);
    if !gone.agrees() {
        return false;
    }
    let (mut before, mut after) = (before.sections(), after.sections());
    loop {
        match (before.next(), after.next()) {
            (None, None) => return true,
            (Some(before), Some(after)) => {
                if before.client != after.client || !gone.explains(before, after) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// What may be missing.
struct Gone {
    deleted_before: IdSet,
    deleted_after: IdSet,
    /// Ids that have no content after, and those of them that have no place either.
    without_content: IdSet,
    without_place: IdSet,
}

impl Gone {
    fn new(before: &UpdateRef<'_>, after: &UpdateRef<'_>) -> Self {
        let (mut without_content, mut without_place) = (IdSet::new(), IdSet::new());
        for block in after.blocks() {
            let place = match &block.body {
                Body::Item(Item { content: Content::Deleted, .. }) => None,
                Body::Collected => Some(&mut without_place),
                _ => continue,
            };
            for set in place.into_iter().chain([&mut without_content]) {
                set.insert(block.id.client, block.id.clock..block.end());
            }
        }
        let (deleted_before, deleted_after) = (before.deletes().into(), after.deletes().into());
        Self { deleted_before, deleted_after, without_content, without_place }
    }

    /// Whether all deletions are still there, and the further ones are of ids without a place.
    fn agrees(&self) -> bool {
        let mut allowed = self.deleted_before.clone();
        allowed.union(&self.without_place);
        self.deleted_before.is_subset(&self.deleted_after) && self.deleted_after.is_subset(&allowed)
    }

    /// Whether nothing is missing of one client's blocks but what may be.
    fn explains(&self, before: Section<'_>, after: Section<'_>) -> bool {
        let (mut before, mut after) = (Walk::new(before), Walk::new(after));
        loop {
            let (one, other) = match (before.part(), after.part()) {
                (None, None) => return true,
                (Some(one), Some(other)) if one.at == other.at => (one, other),
                _ => return false,
            };
            let border = self.deleted_before.next_border(one.at);
            let len = one.left().min(other.left()).min(border - one.at.clock);
            if !self.explains_part(one, other, len) {
                return false;
            }
            one.at.clock += len;
            other.at.clock += len;
        }
    }

    /// Of parts that are deleted as a whole or not at all.
    fn explains_part(&self, before: &mut Part<'_>, after: &mut Part<'_>, len: u32) -> bool {
        let Id { client, clock } = before.at;
        let is_deleted = self.deleted_before.contains(before.at);
        match (before.item(), after.item()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(item), None) => {
                before.rest.skip(len);
                self.is_inside_gone(&item) && self.deleted_after.contains_range(client, clock..clock + len)
            }
            (Some(one), Some(other)) => {
                // Not the mark of keyed items: readers heed it only where the key is given.
                let same_place = (one.origin, one.right_origin, one.parent, one.key)
                    == (other.origin, other.right_origin, other.parent, other.key);
                same_place
                    && match (one.content, other.content) {
                        (Content::Deleted, Content::Deleted) => true,
                        (_, Content::Deleted) => {
                            before.rest.skip(len);
                            is_deleted
                        }
                        _ if before.block.id == after.block.id && before.block.raw == after.block.raw => true,
                        (one, other) if one.kind() != other.kind() => false,
                        _ if is_deleted => before.rest.is_blanked_in(&mut after.rest, len),
                        _ => before.rest.starts_as(&mut after.rest, len),
                    }
            }
        }
    }

    /// Whether an item can have lost its place, going by what it refers to.
    fn is_inside_gone(&self, item: &Item<'_>) -> bool {
        matches!(item.parent, Some(Parent::Item(id)) if self.without_content.contains(id))
            || item.origin.iter().chain(&item.right_origin).any(|id| self.without_place.contains(*id))
    }
}

/// A way through the blocks of one client, in steps of any length.
struct Walk<'a> {
    section: Section<'a>,
    part: Option<Part<'a>>,
}

impl<'a> Walk<'a> {
    fn new(section: Section<'a>) -> Self {
        Self { section, part: None }
    }

    /// What has not been walked of the present block, or the next block.
    fn part(&mut self) -> Option<&mut Part<'a>> {
        if self.part.as_ref().is_none_or(|part| part.left() == 0) {
            let next = self.section.find(|block| !matches!(block.body, Body::Skip));
            self.part = next.map(Part::new);
        }
        self.part.as_mut()
    }
}

/// The rest of a block.
struct Part<'a> {
    block: Block<'a>,
    /// The first id of the rest.
    at: Id,
    rest: Rest<'a>,
}

impl<'a> Part<'a> {
    fn new(block: Block<'a>) -> Self {
        Self { block, at: block.id, rest: Rest::of(&block.body) }
    }

    fn left(&self) -> u32 {
        self.block.end() - self.at.clock
    }

    /// The item that the rest would be if it stood alone; its content is still that of the whole block.
    fn item(&self) -> Option<Item<'a>> {
        match self.block.body {
            Body::Item(item) if self.at == self.block.id => Some(item),
            Body::Item(item) => {
                let origin = Some(Id { clock: self.at.clock - 1, ..self.at });
                Some(Item { origin, parent: None, key: None, ..item })
            }
            _ => None,
        }
    }
}

/// The content of the rest of a block, as far as content can be cut.
enum Rest<'a> {
    Units(EncodeUtf16<'a>),
    Values { reader: Reader<'a>, skip_one: SkipOne },
    Uncut,
}

/// Reads past a value; whether there was one.
type SkipOne = fn(&mut Reader<'_>) -> bool;

impl<'a> Rest<'a> {
    fn of(body: &Body<'a>) -> Self {
        let Body::Item(item) = body else { return Self::Uncut };
        match item.content {
            // The scanner has refused what is not UTF-8.
            Content::String(text) => Self::Units(std::str::from_utf8(text).unwrap_or_default().encode_utf16()),
            Content::Any(values) => {
                Self::Values { reader: Reader::new(values), skip_one: |reader| Trust::Checked.skip_any(reader).is_ok() }
            }
            Content::Json(values) => {
                Self::Values { reader: Reader::new(values), skip_one: |reader| reader.buffer().is_ok() }
            }
            _ => Self::Uncut,
        }
    }

    /// Passes over content; the bytes of values.
    fn skip(&mut self, len: u32) -> &'a [u8] {
        match self {
            Self::Units(units) => {
                let _ = (0..len).all(|_| units.next().is_some());
            }
            Self::Values { reader, skip_one } => {
                let start = *reader;
                let _ = (0..len).all(|_| skip_one(reader));
                return start.until(reader);
            }
            Self::Uncut => {}
        }
        &[]
    }

    /// Whether `after`, of the same kind, goes on with the same content; passes over it in both.
    fn starts_as(&mut self, after: &mut Rest<'_>, len: u32) -> bool {
        match (self, after) {
            (Self::Units(before), Rest::Units(after)) => (0..len).all(|n| {
                let (before, after) = (before.next(), after.next());
                let at_a_border = n == 0 || n + 1 == len;
                // Half a pair whose other half is gone cannot be written, in Yjs neither.
                before == after
                    || at_a_border && after == Some(REPLACEMENT) && before.is_some_and(|unit| unit & 0xf800 == 0xd800)
            }),
            (before @ Self::Values { .. }, after @ Rest::Values { .. }) => before.skip(len) == after.skip(len),
            _ => false,
        }
    }

    /// Whether `after`, of the same kind, goes on with blanks or the same content; passes over it in both.
    fn is_blanked_in(&mut self, after: &mut Rest<'_>, len: u32) -> bool {
        match (self, after) {
            (Self::Units(before), Rest::Units(after)) => (0..len).all(|_| {
                let (before, after) = (before.next(), after.next());
                before.is_some() && after == Some(BLANK) || before == after
            }),
            (before, after) => before.starts_as(after, len),
        }
    }
}

/// U+FFFD, which stands for half a surrogate pair.
const REPLACEMENT: u16 = 0xfffd;
/// What deleted text may have become.
const BLANK: u16 = 0x20;
