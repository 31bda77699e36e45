//! Room on the disk that is kept for the moment when there is no other.
//!
//! A full disk stops what would free space as well: compactions and deletions write before they free. The reserve is a file
//! that is given up then, and taken again once the disk has room for it twice.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// The file that keeps room.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    len: u64,
    is_held: bool,
}

impl Reserve {
    /// Takes the reserve of a data directory, smaller on a small disk. Without room for any, none is held.
    pub(super) fn of(directory: &Path, len: u64) -> Self {
        let path = directory.join(FILE);
        // What is there may be longer, or a part.
        let _is_taken_anew = fs::remove_file(&path).is_err();
        let len = len.min(free(directory) / SHARE);
        let mut reserve = Self { path, len, is_held: false };
        reserve.take();
        reserve
    }

    pub(super) const fn is_held(&self) -> bool {
        self.is_held
    }

    /// How much must be free before the room is taken again, in bytes.
    pub(super) const fn needs(&self) -> u64 {
        2 * self.len
    }

    /// Takes the room again if the disk has twice as much. Returns whether it is held.
    pub(super) fn take(&mut self) -> bool {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        if !self.is_held && self.len > 0 && free(directory) >= self.needs() {
            self.is_held = allocate(&self.path, self.len).is_ok();
            if !self.is_held {
                self.release();
            }
        }
        self.is_held
    }

    /// Gives the room up.
    pub(super) fn release(&mut self) {
        self.is_held = false;
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.path.display(), "the reserve on the disk cannot be given up");
        }
    }
}

fn free(directory: &Path) -> u64 {
    statvfs(directory).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn allocate(path: &Path, len: u64) -> io::Result<()> {
    let file = File::create(path)?;
    match fallocate(&file, FallocateFlags::empty(), 0, len) {
        Err(error) if error == rustix::io::Errno::OPNOTSUPP => write(&file, len),
        allocated => Ok(allocated?),
    }
}

/// Zeros would be enough for most file systems, but some keep none of them.
fn write(file: &File, len: u64) -> io::Result<()> {
    let page = vec![0x5a; 64 * 1024];
    for offset in (0..len).step_by(page.len()) {
        file.write_all_at(&page, offset)?;
    }
    file.sync_all()
}

/// The name of the file in the data directory.
const FILE: &str = "RESERVE";
/// At most one part in so many of what is free is taken.
const SHARE: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_given_up_and_taken_again() {
        let scratch = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::of(scratch.path(), 1 << 20);
        assert!(reserve.is_held());
        assert_eq!(fs::metadata(scratch.path().join("RESERVE")).unwrap().len(), 1 << 20);
        reserve.release();
        assert!(!reserve.is_held() && !scratch.path().join("RESERVE").exists());
        reserve.release();
        assert!(reserve.take() && reserve.is_held());
    }

    #[test]
    fn no_room_is_asked_for_when_none_is_wanted_or_there_is_no_place() {
        let scratch = tempfile::tempdir().unwrap();
        assert!(!Reserve::of(scratch.path(), 0).is_held());
        assert!(!Reserve::of(&scratch.path().join("missing"), 1 << 20).is_held());
    }
}
