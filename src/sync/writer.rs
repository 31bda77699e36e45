//! The writer of updates: takes blocks in order of their clocks, one client after the other.
//!
//! Neighbours that could have been made as one block become one, so that a text typed key by key ends up about as
//! small as in Yjs. Splitting such a block gives exactly the blocks that went in, so nothing is lost.

use super::block::{Block, Body, HAS_KEY, HAS_ORIGIN, HAS_RIGHT_ORIGIN, Id, Item, Parent};
use super::content::{self, Content};
use super::fragment::Fragment;
use super::id_set::IdSet;
use crate::ids::ClientId;
use crate::lib0::{write_text, write_var_uint};

/// An update in the making, in one buffer: a large document is in memory once.
#[derive(Debug, Default)]
pub(super) struct UpdateWriter<'a> {
    /// Room for the number of sections, the finished sections, and room for a head with the blocks of the open section.
    out: Vec<u8>,
    sections: u64,
    section: Option<Section>,
    waiting: Option<Waiting<'a>>,
    /// The content of the waiting block.
    pieces: Vec<Piece<'a>>,
}

#[derive(Debug)]
struct Section {
    client: ClientId,
    start: u32,
    blocks: u64,
    /// Where the room for its head begins.
    at: usize,
}

/// The last block, not yet written because the next one may join it.
#[derive(Debug)]
struct Waiting<'a> {
    first: Fragment<'a>,
    len: u32,
    list: List,
}

#[derive(Debug)]
struct Piece<'a> {
    bytes: &'a [u8],
    half_before: bool,
    half_after: bool,
}

/// Whether a block stands under a key. Blocks with an origin inherit it and do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Unkeyed,
    Keyed,
    Unknown,
}

impl<'a> UpdateWriter<'a> {
    /// Adds a block at or after the end of what the client has so far; a hole before it becomes a skip.
    pub(super) fn push(&mut self, fragment: Fragment<'a>) {
        let id = fragment.block.id;
        if self.section.as_ref().is_none_or(|section| section.client != id.client) {
            self.finish_section();
            let at = self.out.len().max(COUNT);
            self.out.resize(at + HEAD, 0);
            self.section = Some(Section { client: id.client, start: id.clock, blocks: 0, at });
        }
        let end = self.waiting.as_ref().map_or(id.clock, Waiting::end);
        if end < id.clock {
            self.put(Block { id: Id { clock: end, ..id }, len: id.clock - end, body: Body::Skip, raw: &[] }.into());
        }
        self.put(fragment);
    }

    /// The update with these deletions.
    pub(super) fn finish(mut self, deletes: &IdSet) -> Vec<u8> {
        self.finish_section();
        let mut out = self.out;
        let mut count = Vec::with_capacity(MAX_INTEGER);
        write_var_uint(&mut count, self.sections);
        out.splice(..COUNT.min(out.len()), count);
        deletes.encode(&mut out);
        out.shrink_to_fit();
        out
    }

    fn put(&mut self, fragment: Fragment<'a>) {
        if let Some(waiting) = &mut self.waiting
            && waiting.admits(&fragment)
        {
            waiting.len += fragment.block.len;
            waiting.first.whole = false;
            self.pieces.extend(Piece::of(&fragment));
            return;
        }
        let list = List::of(&fragment.block, self.waiting.as_ref());
        self.write_waiting();
        self.waiting = Some(Waiting { first: fragment, len: fragment.block.len, list });
        self.pieces.extend(Piece::of(&fragment));
    }

    fn write_waiting(&mut self) {
        let Some(waiting) = self.waiting.take() else { return };
        let out = &mut self.out;
        if waiting.first.whole && !waiting.first.block.raw.is_empty() {
            out.extend_from_slice(waiting.first.block.raw);
        } else {
            match &waiting.first.block.body {
                Body::Collected => write_length(out, content::GC, waiting.len),
                Body::Skip => write_length(out, content::SKIP, waiting.len),
                Body::Item(item) => write_item(out, item, waiting.len, &self.pieces),
            }
        }
        self.pieces.clear();
        if let Some(section) = &mut self.section {
            section.blocks += 1;
        }
    }

    fn finish_section(&mut self) {
        self.write_waiting();
        if let Some(section) = self.section.take() {
            let mut head = Vec::with_capacity(HEAD);
            write_var_uint(&mut head, section.blocks);
            write_var_uint(&mut head, section.client.value());
            write_var_uint(&mut head, section.start.into());
            debug_assert!(head.len() <= HEAD);
            self.out.splice(section.at..section.at + HEAD, head);
            self.sections += 1;
        }
    }
}

impl Waiting<'_> {
    fn end(&self) -> u32 {
        self.first.block.id.clock + self.len
    }

    /// Whether a block that follows directly can become part of this one.
    fn admits(&self, next: &Fragment<'_>) -> bool {
        match (&self.first.block.body, &next.block.body) {
            (Body::Collected, Body::Collected) | (Body::Skip, Body::Skip) => true,
            (Body::Item(this), Body::Item(next_item)) => {
                let last = Id { clock: self.end() - 1, ..self.first.block.id };
                next_item.origin == Some(last)
                    && next_item.right_origin == this.right_origin
                    && match (&this.content, &next_item.content) {
                        (Content::Deleted, Content::Deleted) => true,
                        (Content::String(_), Content::String(_)) => self.list != List::Keyed && !next_item.marked_keyed,
                        // Values under one key replace each other; readers expect a block of several only when all
                        // of them are gone, and a list that inherits from elsewhere might be one.
                        (Content::Any(_), Content::Any(_)) | (Content::Json(_), Content::Json(_)) => {
                            self.list == List::Unkeyed && !next_item.marked_keyed
                        }
                        _ => false,
                    }
            }
            _ => false,
        }
    }
}

impl List {
    fn of(block: &Block<'_>, before: Option<&Waiting<'_>>) -> Self {
        match &block.body {
            Body::Item(item) if item.marked_keyed => Self::Keyed,
            Body::Item(Item { parent: Some(_), .. }) => Self::Unkeyed,
            Body::Item(Item { origin: Some(origin), .. }) => before
                .filter(|before| origin.client == block.id.client && origin.clock + 1 == before.end())
                .map_or(Self::Unknown, |before| before.list),
            _ => Self::Unknown,
        }
    }
}

impl<'a> Piece<'a> {
    fn of(fragment: &Fragment<'a>) -> Option<Self> {
        let Body::Item(item) = &fragment.block.body else { return None };
        match item.content {
            Content::String(bytes) | Content::Any(bytes) | Content::Json(bytes) => {
                Some(Self { bytes, half_before: fragment.half_before, half_after: fragment.half_after })
            }
            _ => None,
        }
    }
}

fn write_length(out: &mut Vec<u8>, kind: u8, len: u32) {
    out.push(kind);
    write_var_uint(out, len.into());
}

fn write_item(out: &mut Vec<u8>, item: &Item<'_>, len: u32, pieces: &[Piece<'_>]) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    out.push(
        item.content.kind()
            | flag(item.origin.is_some(), HAS_ORIGIN)
            | flag(item.right_origin.is_some(), HAS_RIGHT_ORIGIN)
            | flag(item.marked_keyed, HAS_KEY),
    );
    for id in item.origin.iter().chain(&item.right_origin) {
        id.write(out);
    }
    match item.parent {
        Some(Parent::Root(name)) => {
            write_var_uint(out, 1);
            write_text(out, name);
        }
        Some(Parent::Item(id)) => {
            write_var_uint(out, 0);
            id.write(out);
        }
        None => {}
    }
    if let Some(key) = item.key {
        write_text(out, key);
    }
    write_content(out, &item.content, len, pieces);
}

/// Writes content that can be split or joined; blocks with any other are copied as they are.
fn write_content(out: &mut Vec<u8>, content: &Content<'_>, len: u32, pieces: &[Piece<'_>]) {
    if matches!(content, Content::String(_)) {
        let replaced = |piece: &Piece<'_>| usize::from(piece.half_before) + usize::from(piece.half_after);
        let bytes: usize = pieces.iter().map(|piece| piece.bytes.len() + replaced(piece) * REPLACEMENT.len()).sum();
        write_var_uint(out, bytes as u64);
    } else {
        write_var_uint(out, len.into());
    }
    for piece in pieces {
        if piece.half_before {
            out.extend_from_slice(REPLACEMENT);
        }
        out.extend_from_slice(piece.bytes);
        if piece.half_after {
            out.extend_from_slice(REPLACEMENT);
        }
    }
}

/// The bytes of the number of sections, if there are not many.
const COUNT: usize = 1;
/// The most that an integer takes.
const MAX_INTEGER: usize = 10;
/// The most that the head of a section takes: the number of its blocks, its client and its first clock.
const HEAD: usize = 3 * MAX_INTEGER;
/// U+FFFD in UTF-8: what half a surrogate pair becomes.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
