//! The file as pages, and its header.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// A database file, open for reading.
#[derive(Debug)]
pub(super) struct Pages {
    file: File,
    len: u64,
    region_len: u64,
    region_head: u64,
    /// The root of the last commit.
    root: Option<Root>,
    /// The root of redb's own tables.
    system_root: Option<Root>,
    were_left_open: bool,
}

/// Where a page lies: region, index in units of its own size, and order, packed as redb does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PageNumber(u64);

/// The root of a tree, and what its content must hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) page: PageNumber,
    pub(super) checksum: u128,
}

impl Pages {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let mut head = [0; HEAD];
        let known = head.len().min(usize::try_from(len).unwrap_or(usize::MAX));
        if let Some(head) = head.get_mut(..known) {
            file.read_exact_at(head, 0)?;
        }
        let god = head.get(GOD_BYTE).copied().unwrap_or_default();
        let page = PAGE as u64;
        let (newer, region_head, region_len) = if head.starts_with(MAGIC) {
            let region_head = u64::from(number(&head, REGION_HEADER_PAGES)) * page;
            let region_len = region_head + u64::from(number(&head, REGION_DATA_PAGES)) * page;
            (usize::from(god & PRIMARY_BIT != 0), region_head, region_len)
        } else {
            // The slots tell their order too, and the first region begins with its pages.
            (usize::from(transaction(&head, 1) > transaction(&head, 0)), 0, len)
        };
        let (root, system_root) = (root(&head, newer), system_root(&head, newer));
        let were_left_open = god & RECOVERY_REQUIRED != 0;
        Ok(Self { file, len, region_len, region_head, root, system_root, were_left_open })
    }

    /// The root of the table of tables, as the last commit has it. It was durable before it became the last one, so the
    /// commit before it is never the right one.
    pub(super) fn root(&self) -> Option<Root> {
        self.root
    }

    /// The root of the table of redb's own tables, as the last commit has it.
    pub(super) fn system_root(&self) -> Option<Root> {
        self.system_root
    }

    /// Whether the last writer did not close the file.
    pub(super) fn were_left_open(&self) -> bool {
        self.were_left_open
    }

    /// How many pages of the smallest size the file has.
    pub(super) fn count(&self) -> u64 {
        self.len.div_ceil(PAGE as u64)
    }

    /// Where a page begins; `None` outside the file.
    pub(super) fn offset(&self, page: PageNumber) -> Option<u64> {
        let PageNumber(packed) = page;
        let order = packed >> 59;
        if order > MAX_ORDER {
            return None;
        }
        let index = packed & (0x000f_ffff >> order);
        let region = (packed >> 20) & 0x000f_ffff;
        let in_region = self.region_head + index * ((PAGE as u64) << order);
        let offset = PAGE as u64 + region * self.region_len + in_region;
        (offset < self.len).then_some(offset)
    }

    /// The bytes of a page, fewer when the file ends before.
    pub(super) fn page(&self, page: PageNumber) -> io::Result<Option<Vec<u8>>> {
        let Some(offset) = self.offset(page) else { return Ok(None) };
        let PageNumber(packed) = page;
        self.bytes(offset, PAGE << (packed >> 59)).map(Some)
    }

    /// Up to so many bytes from an offset on.
    pub(super) fn bytes(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let rest = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; len.min(rest)];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

impl PageNumber {
    pub(super) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let bytes = bytes.get(at..)?.first_chunk::<8>()?;
        Some(Self(u64::from_le_bytes(*bytes)))
    }
}

impl Root {
    pub(super) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let page = PageNumber::read(bytes, at)?;
        let checksum = bytes.get(at + 8..)?.first_chunk().map(|bytes| u128::from_le_bytes(*bytes))?;
        Some(Self { page, checksum })
    }
}

fn system_root(head: &[u8], slot: usize) -> Option<Root> {
    let slot = head.get(SLOTS + slot * SLOT..)?;
    if slot.get(SYSTEM_ROOT_IS_THERE) == Some(&0) { None } else { Root::read(slot, SYSTEM_ROOT) }
}

fn root(head: &[u8], slot: usize) -> Option<Root> {
    let slot = head.get(SLOTS + slot * SLOT..)?;
    if slot.get(ROOT_IS_THERE) == Some(&0) { None } else { Root::read(slot, ROOT) }
}

/// The number of the transaction in a slot.
fn transaction(head: &[u8], slot: usize) -> u64 {
    let bytes = head.get(SLOTS + slot * SLOT + TRANSACTION..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn number(head: &[u8], at: usize) -> u32 {
    head.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The size of the smallest page; a page of order n has 2ⁿ times as many bytes.
pub(super) const PAGE: usize = 4096;
/// Our longest record needs a page of order 4; what claims to be much larger is damage.
const MAX_ORDER: u64 = 8;
/// The header and both commit slots.
const HEAD: usize = 320;
/// What a file of redb begins with.
const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";
const GOD_BYTE: usize = 9;
const PRIMARY_BIT: u8 = 1;
const RECOVERY_REQUIRED: u8 = 2;
const REGION_HEADER_PAGES: usize = 16;
const REGION_DATA_PAGES: usize = 20;
const SLOTS: usize = 64;
const SLOT: usize = 128;
const ROOT_IS_THERE: usize = 1;
const SYSTEM_ROOT_IS_THERE: usize = 2;
const ROOT: usize = 8;
const SYSTEM_ROOT: usize = 40;
const TRANSACTION: usize = 104;
