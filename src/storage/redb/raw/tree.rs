//! Walking one tree from its root, past whatever cannot be read.

use std::collections::HashSet;
use std::io;

use super::pages::{PageNumber, Pages};

/// The widths of keys and values in a tree; `None` when each has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) key: Option<usize>,
    pub(super) value: Option<usize>,
}

/// One key and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
    /// Where the value lies in the file.
    pub(super) offset: u64,
}

/// Visits every row that can be reached from a root. Returns how many pages could not be read.
pub(super) fn walk(pages: &Pages, root: PageNumber, shape: Shape, visit: &mut dyn FnMut(Row<'_>)) -> io::Result<u64> {
    let mut unreadable = 0;
    let mut seen = HashSet::new();
    let mut waiting = vec![root];
    while let Some(number) = waiting.pop() {
        // A damaged branch may lead back to a page above it.
        if !seen.insert(number) {
            unreadable += 1;
            continue;
        }
        let (Some(offset), Some(page)) = (pages.offset(number), pages.page(number)?) else {
            unreadable += 1;
            continue;
        };
        match page.first() {
            Some(&LEAF) => unreadable += u64::from(!leaf(&page, offset, shape, visit)),
            Some(&BRANCH) => match children(&page) {
                Some(children) => waiting.extend(children),
                None => unreadable += 1,
            },
            _ => unreadable += 1,
        }
    }
    Ok(unreadable)
}

/// Visits the rows of a leaf that lies at `offset`. Returns whether all of them could be found.
pub(super) fn leaf(page: &[u8], offset: u64, shape: Shape, visit: &mut dyn FnMut(Row<'_>)) -> bool {
    let Some(count) = count(page) else { return false };
    let key_ends = if shape.key.is_none() { count } else { 0 };
    let value_ends = if shape.value.is_none() { count } else { 0 };
    let keys = HEAD + END * (key_ends + value_ends);
    let key_end = |index: usize| match shape.key {
        Some(width) => Some(keys + width * (index + 1)),
        None => end(page, index),
    };
    let Some(values) = count.checked_sub(1).and_then(key_end) else { return false };
    let value_end = |index: usize| match shape.value {
        Some(width) => Some(values + width * (index + 1)),
        None => end(page, key_ends + index),
    };
    let mut all = true;
    let (mut key_start, mut value_start) = (Some(keys), Some(values));
    for index in 0..count {
        let (key_stop, value_stop) = (key_end(index), value_end(index));
        let cut = |start: Option<usize>, stop: Option<usize>| page.get(start?..stop?);
        match (cut(key_start, key_stop), cut(value_start, value_stop), value_start) {
            (Some(key), Some(value), Some(start)) => visit(Row { key, value, offset: offset + start as u64 }),
            _ => all = false,
        }
        (key_start, value_start) = (key_stop, value_stop);
    }
    all
}

fn children(page: &[u8]) -> Option<impl Iterator<Item = PageNumber>> {
    let children = count(page)? + 1;
    let numbers = page.get(BRANCH_HEAD + CHECKSUM * children..)?;
    (numbers.len() >= 8 * children).then(move || (0..children).filter_map(move |at| PageNumber::read(numbers, 8 * at)))
}

/// The children of a branch with what their contents must hash to.
pub(super) fn children_with_checksums(page: &[u8]) -> Option<impl Iterator<Item = (PageNumber, u128)>> {
    let checksums = page.get(BRANCH_HEAD..)?;
    let children = children(page)?;
    let checksum = |at: usize| checksums.get(CHECKSUM * at..)?.first_chunk().map(|bytes| u128::from_le_bytes(*bytes));
    Some(children.enumerate().filter_map(move |(at, child)| Some((child, checksum(at)?))))
}

/// Where the content of a page ends, which its checksum covers.
pub(super) fn end_of_content(page: &[u8], shape: Shape) -> Option<usize> {
    let count = count(page)?;
    let last = count.checked_sub(1)?;
    match *page.first()? {
        LEAF => {
            let key_ends = if shape.key.is_none() { count } else { 0 };
            let value_ends = if shape.value.is_none() { count } else { 0 };
            let keys = HEAD + END * (key_ends + value_ends);
            let values = shape.key.map_or_else(|| end(page, last), |width| Some(keys + width * count))?;
            shape.value.map_or_else(|| end(page, key_ends + last), |width| Some(values + width * count))
        }
        BRANCH => {
            let keys = BRANCH_HEAD + (CHECKSUM + 8) * (count + 1);
            match shape.key {
                Some(width) => Some(keys + width * count),
                None => page.get(keys + END * last..)?.first_chunk().map(|end| u32::from_le_bytes(*end) as usize),
            }
        }
        _ => None,
    }
}

/// How many rows a leaf or keys a branch has.
fn count(page: &[u8]) -> Option<usize> {
    page.get(2..)?.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)))
}

fn end(page: &[u8], index: usize) -> Option<usize> {
    let bytes = page.get(HEAD + END * index..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

pub(super) const LEAF: u8 = 1;
pub(super) const BRANCH: u8 = 2;
/// Bytes of a leaf before the ends of its keys and values.
const HEAD: usize = 4;
const END: usize = 4;
/// Bytes of a branch before the checksums of its children.
const BRANCH_HEAD: usize = 8;
const CHECKSUM: usize = 16;
