//! Whether the pages by which redb finds its way match their checksums: its own books, and the branches of our tables.
//!
//! After an orderly close redb takes them as they are. One flipped bit in its books makes it take a page that is in use for
//! a free one, and the next write goes over documents that nothing was wrong with. One in a key of a branch may be of no
//! consequence to who reads on from leaf to leaf, but the next write goes into the wrong leaf. What lies in the leaves has
//! checksums of ours and is looked at when it is read.

use std::io;

use twox_hash::XxHash3_128;

use super::pages::{Pages, Root};
use super::tree::{self, Shape, leaf};

/// Follows every tree of redb's own. They are small: a bit or so for each page of the file.
pub(super) fn are_books_sound(pages: &Pages) -> io::Result<bool> {
    are_tables_sound(pages, pages.system_root(), |root, shape| is_sound(pages, root, shape, &mut |_| {}))
}

/// Follows every tree of ours down to its leaves, which are not read: a page in a hundred or so.
pub(super) fn are_branches_sound(pages: &Pages) -> io::Result<bool> {
    are_tables_sound(pages, pages.root(), |root, shape| is_sound_above_leaves(pages, root, shape))
}

/// Whether a table of tables is sound, and each table that it names.
fn are_tables_sound(
    pages: &Pages,
    root: Option<Root>,
    mut is_table_sound: impl FnMut(Root, Shape) -> io::Result<bool>,
) -> io::Result<bool> {
    let Some(root) = root else { return Ok(true) };
    let mut tables = Vec::new();
    let any = Shape { key: None, value: None };
    if !is_sound(pages, root, any, &mut |value| tables.push(table(value)))? {
        return Ok(false);
    }
    for table in tables {
        match table {
            Some((Some(root), shape)) if !is_table_sound(root, shape)? => return Ok(false),
            Some(_) => {}
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn is_sound_above_leaves(pages: &Pages, root: Root, shape: Shape) -> io::Result<bool> {
    let mut left = pages.count();
    let mut waiting = vec![(root, branches_above_a_leaf(pages, root)?)];
    while let Some((Root { page: number, checksum }, height)) = waiting.pop() {
        if height == 0 {
            continue;
        }
        let Some(rest) = left.checked_sub(1) else { return Ok(false) };
        left = rest;
        let Some(page) = pages.page(number)? else { return Ok(false) };
        let content = tree::end_of_content(&page, shape).and_then(|end| page.get(..end));
        let Some(content) = content.filter(|content| content.first() == Some(&tree::BRANCH)) else { return Ok(false) };
        if XxHash3_128::oneshot(content) != checksum {
            return Ok(false);
        }
        let Some(children) = tree::children_with_checksums(content) else { return Ok(false) };
        waiting.extend(children.map(|(page, checksum)| (Root { page, checksum }, height - 1)));
    }
    Ok(true)
}

/// How high the tree is above its leaves: it is as high everywhere.
fn branches_above_a_leaf(pages: &Pages, root: Root) -> io::Result<u32> {
    let (mut number, mut height) = (root.page, 0);
    while height < HIGHEST {
        let Some(page) = pages.page(number)? else { break };
        let first = if page.first() == Some(&tree::BRANCH) { tree::children_with_checksums(&page) } else { None };
        let Some((child, _)) = first.and_then(|mut children| children.next()) else { break };
        (number, height) = (child, height + 1);
    }
    Ok(height)
}

/// Whether every page of a tree is what its parent says; visits the values on the way.
fn is_sound(pages: &Pages, root: Root, shape: Shape, visit: &mut dyn FnMut(&[u8])) -> io::Result<bool> {
    // A tree with more pages than the file leads back to itself.
    let mut left = pages.count();
    let mut waiting = vec![root];
    while let Some(Root { page: number, checksum }) = waiting.pop() {
        let Some(rest) = left.checked_sub(1) else { return Ok(false) };
        left = rest;
        let (Some(offset), Some(page)) = (pages.offset(number), pages.page(number)?) else { return Ok(false) };
        let Some(content) = tree::end_of_content(&page, shape).and_then(|end| page.get(..end)) else {
            return Ok(false);
        };
        if XxHash3_128::oneshot(content) != checksum {
            return Ok(false);
        }
        if content.first() == Some(&tree::LEAF) {
            leaf(content, offset, shape, &mut |row| visit(row.value));
        } else {
            let Some(children) = tree::children_with_checksums(content) else { return Ok(false) };
            waiting.extend(children.map(|(page, checksum)| Root { page, checksum }));
        }
    }
    Ok(true)
}

/// The root and the shape of a table, from its description in the table of tables.
fn table(description: &[u8]) -> Option<(Option<Root>, Shape)> {
    let width = |at: usize| {
        let width = description.get(at + 1..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))?;
        Some(if description.get(at)? == &0 { None } else { usize::try_from(width).ok() })
    };
    let shape = Shape { key: width(KEY_WIDTH)?, value: width(VALUE_WIDTH)? };
    let root = match description.get(HAS_ROOT)? {
        0 => None,
        _ => Some(Root::read(description, ROOT)?),
    };
    Some((root, shape))
}

/// A branch has at least two children, so no tree of a file is as high.
const HIGHEST: u32 = 64;
// In the description of a table: its type (1 byte), its number of rows (8), whether it has a root (1), page, checksum and
// length of the root (32), and for keys and values whether they have a fixed width (1), and which (4).
const HAS_ROOT: usize = 9;
const ROOT: usize = 10;
const KEY_WIDTH: usize = ROOT + 32;
const VALUE_WIDTH: usize = KEY_WIDTH + 5;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;
    use std::path::Path;

    use redb::{Database, TableDefinition};

    use super::*;

    const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("table");

    fn fill(path: &Path) {
        let database = Database::create(path).unwrap();
        for round in 0..40_u64 {
            let mut txn = database.begin_write().unwrap();
            txn.set_two_phase_commit(true);
            {
                let mut table = txn.open_table(TABLE).unwrap();
                for key in 0..50 {
                    table.insert(key * round, &vec![7; 1000 + 10 * usize::try_from(key).unwrap()][..]).unwrap();
                }
            }
            txn.commit().unwrap();
        }
        database.close().unwrap();
    }

    fn is_sound(path: &Path) -> bool {
        are_books_sound(&Pages::open(path).unwrap()).unwrap()
    }

    #[test]
    fn a_flip_in_the_books_is_found_and_one_in_a_document_is_not_looked_for() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("documents.redb");
        fill(&path);
        assert!(is_sound(&path));
        let pages = Pages::open(&path).unwrap();
        let root = pages.system_root().unwrap();
        let offset = pages.offset(root.page).unwrap();
        let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        let flip = |offset: u64| {
            let mut byte = [0];
            file.read_exact_at(&mut byte, offset).unwrap();
            file.write_all_at(&[byte[0] ^ 0x10], offset).unwrap();
        };
        for at in [0, 2, 5, 20, 100] {
            flip(offset + at);
            assert!(!is_sound(&path), "flipped at {at}");
            flip(offset + at);
            assert!(is_sound(&path));
        }
        let content = std::fs::read(&path).unwrap();
        let value = content.windows(900).position(|window| window.iter().all(|byte| *byte == 7)).unwrap();
        flip(value as u64 + 100);
        assert!(is_sound(&path));
    }

    #[test]
    fn every_table_of_the_books_is_looked_at() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("documents.redb");
        fill(&path);
        let pages = Pages::open(&path).unwrap();
        let mut tables = Vec::new();
        let any = Shape { key: None, value: None };
        let root = pages.system_root().unwrap();
        assert!(super::is_sound(&pages, root, any, &mut |value| tables.extend(table(value).unwrap().0)).unwrap());
        assert!(!tables.is_empty(), "the state of the allocator is kept in one");
        let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        for root in tables {
            let offset = pages.offset(root.page).unwrap() + 6;
            let mut byte = [0];
            file.read_exact_at(&mut byte, offset).unwrap();
            file.write_all_at(&[!byte[0]], offset).unwrap();
            assert!(!is_sound(&path));
            file.write_all_at(&byte, offset).unwrap();
        }
        assert!(is_sound(&path));
    }

    #[test]
    fn a_flip_in_a_branch_of_our_tables_is_found_and_one_in_a_leaf_is_not_looked_for() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("documents.redb");
        fill(&path);
        let pages = Pages::open(&path).unwrap();
        let sound = || are_branches_sound(&Pages::open(&path).unwrap()).unwrap();
        assert!(sound());
        let mut roots = Vec::new();
        let any = Shape { key: None, value: None };
        assert!(
            super::is_sound(&pages, pages.root().unwrap(), any, &mut |value| roots.extend(table(value).unwrap().0))
                .unwrap()
        );
        let root = *roots.first().unwrap();
        assert!(branches_above_a_leaf(&pages, root).unwrap() > 0, "the table has branches");
        let branch = pages.page(root.page).unwrap().unwrap();
        let shape = Shape { key: Some(8), value: None };
        let (offset, end) = (pages.offset(root.page).unwrap(), tree::end_of_content(&branch, shape).unwrap());
        let mut leaf = root.page;
        for _ in 0..branches_above_a_leaf(&pages, root).unwrap() {
            let page = pages.page(leaf).unwrap().unwrap();
            leaf = tree::children_with_checksums(&page).unwrap().last().unwrap().0;
        }
        let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        let flipped = |at: u64| {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 4], at).unwrap();
            let sound = sound();
            file.write_all_at(&byte, at).unwrap();
            !sound
        };
        for at in [2, 8, 20, end as u64 - 8, end as u64 - 1] {
            assert!(flipped(offset + at), "flipped at {at} of {end}");
        }
        assert!(!flipped(pages.offset(leaf).unwrap() + 40));
        assert!(sound());
    }
}
