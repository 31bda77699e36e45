//! A copy of a data directory, made without touching it: what is done to the copy is not done to the original.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use super::directory::LOCK_FILE;
use super::{RESERVE, StoreError};

/// Copies a data directory, of which nobody may have the store open, into a new directory. Blocks while it does.
///
/// What the disk cannot read any more becomes zeros, which the checksums of the store tell from data. Returns how many
/// bytes that are.
///
/// # Errors
/// [`StoreError::Locked`] when the store is open; [`StoreError::Directory`] when a directory cannot be read or written.
pub fn duplicate(from: &Path, into: &Path) -> Result<u64, StoreError> {
    let failed =
        |path: &Path, error: io::Error| StoreError::Directory { path: path.to_owned(), source: Arc::new(error) };
    let _held = hold(from).map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::Locked { path: from.to_owned() },
        TryLockError::Error(error) => failed(from, error),
    })?;
    fs::create_dir(into).map_err(|error| failed(into, error))?;
    copy_directory(from, into).map_err(|error| failed(into, error))
}

/// Locks a directory without writing to it, which may be on a medium that cannot be written.
fn hold(directory: &Path) -> Result<Option<File>, TryLockError> {
    match File::open(directory.join(LOCK_FILE)) {
        Ok(file) => file.try_lock().map(|()| Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TryLockError::Error(error)),
    }
}

fn copy_directory(from: &Path, into: &Path) -> io::Result<u64> {
    let mut unreadable = 0;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name());
        if kind.is_dir() {
            fs::create_dir(into.join(&name))?;
            unreadable += copy_directory(&entry.path(), &into.join(&name))?;
        } else if kind.is_file() && name != LOCK_FILE && name != RESERVE {
            unreadable += copy_file(&entry.path(), &into.join(&name))?;
        }
    }
    Ok(unreadable)
}

fn copy_file(from: &Path, into: &Path) -> io::Result<u64> {
    if fs::copy(from, into).is_ok() {
        return Ok(0);
    }
    let (source, target) = (File::open(from)?, File::create(into)?);
    let length = source.metadata()?.len();
    target.set_len(length)?;
    let mut page = [0; PAGE];
    let (mut unreadable, mut offset) = (0, 0);
    while offset < length {
        let wanted = usize::try_from(length - offset).unwrap_or(PAGE).min(PAGE);
        let Some(part) = page.get_mut(..wanted) else { break };
        match source.read_exact_at(part, offset) {
            Ok(()) => target.write_all_at(part, offset)?,
            // Where nothing is written, there are zeros.
            Err(_) => unreadable += wanted as u64,
        }
        offset += wanted as u64;
    }
    Ok(unreadable)
}

/// What a disk loses at least when it cannot read.
const PAGE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_everything_but_the_lock_and_the_original_stays_as_it_is() {
        let scratch = tempfile::tempdir().unwrap();
        let (from, into) = (scratch.path().join("from"), scratch.path().join("into"));
        fs::create_dir_all(from.join("db/inner")).unwrap();
        for (file, content) in [("FORMAT", "f"), ("db/inner/segment", "s"), ("LOCK", ""), (RESERVE, "zeros")] {
            fs::write(from.join(file), content).unwrap();
        }
        let _socket = std::os::unix::net::UnixListener::bind(from.join("control.sock")).unwrap();
        assert_eq!(duplicate(&from, &into).unwrap(), 0);
        assert_eq!(fs::read_to_string(into.join("db/inner/segment")).unwrap(), "s");
        let mut names: Vec<_> = fs::read_dir(&into).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["FORMAT", "db"]);
        assert!(matches!(duplicate(&from, &into), Err(StoreError::Directory { .. })), "what is there is not replaced");
    }

    #[test]
    fn a_store_that_is_open_is_not_copied() {
        let scratch = tempfile::tempdir().unwrap();
        let lock = File::create(scratch.path().join(LOCK_FILE)).unwrap();
        lock.lock().unwrap();
        let into = scratch.path().join("into");
        assert!(matches!(duplicate(scratch.path(), &into), Err(StoreError::Locked { .. })));
        assert!(!into.exists());
    }
}
