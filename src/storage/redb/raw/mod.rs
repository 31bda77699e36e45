//! Reading a database file without redb: what redb refuses as damaged, record by record.
//!
//! redb trusts its tree as a whole: one page that does not match its checksum, and after an unclean stop the file is
//! refused. Our records carry checksums of their own, so whatever can be reached in the tree, or found by looking at every
//! page, is known to be right or wrong alone. Nothing here writes to the file that is read, and nothing in it is trusted:
//! every offset and length is checked before it is used.
//!
//! The layout is the one that redb documents as its file format 3.
//!
//! - `pages`: the file's header and its pages; `tree`: walking one tree; `scan`: looking at every page;
//! - `check`: whether redb's own books are sound, which redb does not look at after an orderly close;
//! - `gather`: which rows there are, by table; `rebuild`: a new file from them.

mod check;
mod gather;
mod pages;
mod rebuild;
mod scan;
mod tree;

use std::path::Path;

pub use rebuild::Rebuilt;
pub(super) use rebuild::{Acceptance, RebuildError, rebuild};

/// Whether the file says that whoever wrote to it last did not close it.
pub(super) fn was_left_open(path: &Path) -> bool {
    pages::Pages::open(path).is_ok_and(|pages| pages.were_left_open())
}

/// Whether redb's own books, and the branches of our tables, are sound; a file that cannot be read is left to redb's own
/// words.
pub(super) fn is_way_sound(path: &Path) -> bool {
    let check = |pages| Ok(check::are_books_sound(&pages)? && check::are_branches_sound(&pages)?);
    pages::Pages::open(path).and_then(check).unwrap_or(true)
}
