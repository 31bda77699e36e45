//! The rewriting: blocks go through one by one, cut at the borders of what is gone, and lose what is gone.

use std::iter::Peekable;
use std::ops::Range;

use crate::sync::block::{Block, Body, Id, Item, Parent};
use crate::sync::content::Content;
use crate::sync::fragment::Fragment;
use crate::sync::gate::DocumentIndex;
use crate::sync::id_set::IdSet;
use crate::sync::merge::merge;
use crate::sync::scan::{ScanError, UpdateRef};
use crate::sync::writer::UpdateWriter;

/// Merges updates into one without the content that they delete.
///
/// What is visible, the state vector and the places of all ids stay. The deletions grow by what is inside of deleted
/// types. As in Yjs with `gc: true` an undo of others, a version or a snapshot that needs deleted content no longer has
/// it; whoever wants these takes [`merge`](crate::sync::merge()) alone.
///
/// It takes time in proportion to the blocks, and the memory of the result twice over; where types were deleted also that
/// of a [`DocumentIndex`], about 14 bytes a block. What waits for something that the updates lack stays as it is.
///
/// # Errors
/// When one of them is no update.
///
/// ```
/// use ydock::sync::collect;
///
/// // Client 7 types "secret" into the text "t" and deletes it.
/// let typed = [1, 1, 7, 0, 4, 1, 1, b't', 6, b's', b'e', b'c', b'r', b'e', b't', 0];
/// let deleted = [0, 1, 7, 1, 0, 6];
/// assert_eq!(collect([&typed[..], &deleted])?, [1, 1, 7, 0, 1, 1, 1, b't', 6, 1, 7, 1, 0, 6]);
/// # Ok::<(), ydock::sync::ScanError>(())
/// ```
pub fn collect<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, ScanError> {
    collect_merged(&merge(updates)?)
}

/// As [`collect`], for what was merged already.
pub(crate) fn collect_merged(merged: &[u8]) -> Result<Vec<u8>, ScanError> {
    let update = UpdateRef::parse(merged)?;
    let mut deleted = IdSet::from(update.deletes());
    let buried = buried_in(&update, &deleted);
    let mut writer = UpdateWriter::default();
    let mut sections = update.sections();
    while let Some(mut section) = sections.enter() {
        let mut deleted = Marks::new(deleted.ranges(section.client));
        let mut buried = Marks::new(buried.ranges(section.client));
        for block in section.by_ref().filter(|block| !matches!(block.body, Body::Skip)) {
            if buried.end_of_range_at(block.id.clock).is_some_and(|end| end >= block.end()) {
                writer.push(Fragment::from(block).collected());
            } else if matches!(&block.body, Body::Item(item) if !matches!(item.content, Content::Deleted)) {
                empty(block, &mut deleted, &mut writer);
            } else {
                writer.push(block.into());
            }
        }
        sections.leave(section);
    }
    deleted.union(&buried);
    Ok(writer.finish(&deleted))
}

/// What is inside of deleted types, as far as the update holds all that it refers to.
fn buried_in(update: &UpdateRef<'_>, deleted: &IdSet) -> IdSet {
    // Without a deleted type that has held something there is nothing; texts need no index.
    let is_inside_gone = |block: &Block<'_>| match &block.body {
        Body::Item(item) => matches!(item.parent, Some(Parent::Item(id)) if deleted.contains(id)),
        _ => false,
    };
    let mut index = DocumentIndex::new();
    // What the gate refuses, nobody should have stored: then every item stays in its place.
    if update.blocks().any(|block| is_inside_gone(&block)) && index.integrate(update.as_bytes()).is_ok() {
        index.buried()
    } else {
        IdSet::new()
    }
}

/// Writes a block without the content of what is deleted in it.
fn empty<'a>(block: Block<'a>, deleted: &mut Marks<impl Iterator<Item = Range<u32>>>, writer: &mut UpdateWriter<'a>) {
    let mut rest = Some(Fragment::from(block));
    while let Some(fragment) = rest.take() {
        let Block { id, .. } = fragment.block;
        let (is_deleted, end) = match deleted.end_of_range_at(id.clock) {
            Some(end) => (true, end),
            None => (false, deleted.start_of_next(id.clock)),
        };
        let part = if end < fragment.block.end() {
            let (part, next) = fragment.split(end - id.clock);
            rest = Some(next);
            part
        } else {
            fragment
        };
        writer.push(match is_deleted.then(|| blanks_for(&part.block, &block)).flatten() {
            Some(blanks) => part.with_text(blanks),
            None if is_deleted => part.emptied(),
            None => part,
        });
    }
}

/// Blanks that take the place of a deleted part of a text, if they are shorter than what it takes to cut it out.
///
/// Yjs always cuts, and so makes most texts that are typed with a few wrong keys longer than they were.
fn blanks_for(part: &Block<'_>, block: &Block<'_>) -> Option<&'static [u8]> {
    let Body::Item(Item { content: Content::String(_), right_origin, marked_keyed: false, .. }) = &block.body else {
        return None;
    };
    let cuts = usize::from(part.id.clock > block.id.clock) + usize::from(part.end() < block.end());
    // Behind each cut there is a block with its kind, origins and length.
    let cost = cuts * (2 + id_width(part.id) + right_origin.map_or(0, id_width));
    BLANKS.get(..usize::try_from(part.len).ok()?).filter(|blanks| blanks.len() <= cost)
}

/// How many bytes an id takes.
fn id_width(id: Id) -> usize {
    let width = |number: u64| 1 + usize::try_from(number.checked_ilog2().unwrap_or(0) / 7).unwrap_or(0);
    width(id.client.value()) + width(id.clock.into())
}

/// Ranges of one client, asked for with clocks that never fall.
struct Marks<I: Iterator<Item = Range<u32>>> {
    ranges: Peekable<I>,
}

impl<I: Iterator<Item = Range<u32>>> Marks<I> {
    fn new(ranges: I) -> Self {
        Self { ranges: ranges.peekable() }
    }

    /// The end of the range that holds the clock.
    fn end_of_range_at(&mut self, clock: u32) -> Option<u32> {
        self.pass(clock);
        self.ranges.peek().filter(|range| range.start <= clock).map(|range| range.end)
    }

    /// The start of the first range after the clock.
    fn start_of_next(&mut self, clock: u32) -> u32 {
        self.pass(clock);
        self.ranges.peek().map_or(u32::MAX, |range| range.start)
    }

    fn pass(&mut self, clock: u32) {
        while self.ranges.next_if(|range| range.end <= clock).is_some() {}
    }
}

/// More than any cut can cost.
const BLANKS: &[u8] = &[b' '; 64];
