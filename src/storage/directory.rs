//! The data directory: created when missing, recognised before anything in it is opened, held by one process.
//!
//! Nothing is written into a directory that is not ours, is newer than we are, or is in use.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{StoreError, StoreKind};

/// A data directory of ours, locked until this is dropped.
#[derive(Debug)]
pub(super) struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Creates or recognises the directory, and locks it.
    pub(super) fn open(path: &Path, kind: StoreKind) -> Result<Self, StoreError> {
        create(path).map_err(|error| unusable(path, error))?;
        recognise(path, kind)?;
        let lock = lock(path)?;
        // Whoever held the lock until now may have been the first to write here.
        if recognise(path, kind)? == Found::Nothing {
            write_format(path, kind).map_err(|error| unusable(path, error))?;
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The path of a file in the directory.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the files created in the directory so far survive a power cut.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        sync(&self.path).map_err(|error| unusable(&self.path, error))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Ours,
}

fn create(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync(parent),
        _ => Ok(()),
    }
}

fn recognise(path: &Path, kind: StoreKind) -> Result<Found, StoreError> {
    let foreign = |what: String| StoreError::Foreign { path: path.to_owned(), what };
    let text = match fs::read(path.join(FORMAT_FILE)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return recognise_without_format(path),
        Err(error) => return Err(unusable(path, error)),
    };
    let fields = text.trim_end().strip_prefix(FORMAT_PREFIX).and_then(|rest| rest.split_once(ENGINE_PREFIX));
    let Some((Ok(found), engine)) = fields.map(|(number, engine)| (number.parse::<u32>(), engine)) else {
        return Err(foreign(format!("its {FORMAT_FILE} file is not one of ours")));
    };
    if found > FORMAT {
        return Err(StoreError::FormatVersion { path: path.to_owned(), found, max: FORMAT });
    }
    if engine != kind.to_string() {
        return Err(foreign(format!("it belongs to the engine {engine:?}, not {:?}", kind.to_string())));
    }
    Ok(Found::Ours)
}

/// A directory without a format file is ours only while it holds nothing but what a start that was cut short leaves.
fn recognise_without_format(path: &Path) -> Result<Found, StoreError> {
    for entry in fs::read_dir(path).map_err(|error| unusable(path, error))? {
        let name = entry.map_err(|error| unusable(path, error))?.file_name();
        if name != LOCK_FILE && name != NEW_FORMAT_FILE {
            let what = format!("it has no {FORMAT_FILE} file and holds {}", name.display());
            return Err(StoreError::Foreign { path: path.to_owned(), what });
        }
    }
    Ok(Found::Nothing)
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK_FILE));
    let file = open.map_err(|error| unusable(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(unusable(path, error)),
    }
}

fn write_format(path: &Path, kind: StoreKind) -> io::Result<()> {
    let new = path.join(NEW_FORMAT_FILE);
    let mut file = File::create(&new)?;
    writeln!(file, "{FORMAT_PREFIX}{FORMAT}{ENGINE_PREFIX}{kind}")?;
    file.sync_all()?;
    fs::rename(&new, path.join(FORMAT_FILE))?;
    sync(path)
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn unusable(path: &Path, error: io::Error) -> StoreError {
    StoreError::Directory { path: path.to_owned(), source: Arc::new(error) }
}

/// The newest format of the data directory that this version reads, and the one that it writes.
const FORMAT: u32 = 1;
const FORMAT_FILE: &str = "FORMAT";
const NEW_FORMAT_FILE: &str = "FORMAT.new";
const LOCK_FILE: &str = "LOCK";
const FORMAT_PREFIX: &str = "ydock data, format ";
const ENGINE_PREFIX: &str = ", engine ";

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_missing_directory_is_created_and_recognised_again() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a/b");
        drop(DataDirectory::open(&path, StoreKind::Redb).unwrap());
        assert_eq!(fs::read_to_string(path.join("FORMAT")).unwrap(), "ydock data, format 1, engine redb\n");
        drop(DataDirectory::open(&path, StoreKind::Redb).unwrap());
        assert_eq!(names(&path), ["FORMAT", "LOCK"]);
    }

    #[test]
    fn a_directory_serves_one_holder_at_a_time() {
        let scratch = tempfile::tempdir().unwrap();
        let first = DataDirectory::open(scratch.path(), StoreKind::Redb).unwrap();
        let second = DataDirectory::open(scratch.path(), StoreKind::Redb);
        assert!(matches!(&second, Err(StoreError::Locked { path }) if path == scratch.path()), "{second:?}");
        drop(first);
        assert!(DataDirectory::open(scratch.path(), StoreKind::Redb).is_ok());
    }

    #[test]
    fn what_is_not_ours_or_newer_is_refused_untouched() {
        for (file, content) in [("photo.jpg", "x"), ("FORMAT", "something else"), ("FORMAT", "")] {
            let scratch = tempfile::tempdir().unwrap();
            fs::write(scratch.path().join(file), content).unwrap();
            let opened = DataDirectory::open(scratch.path(), StoreKind::Redb);
            assert!(matches!(opened, Err(StoreError::Foreign { .. })), "{file} {content:?}: {opened:?}");
            assert_eq!(names(scratch.path()), [file]);
        }
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("FORMAT"), "ydock data, format 2, engine redb\n").unwrap();
        let opened = DataDirectory::open(scratch.path(), StoreKind::Redb);
        assert!(matches!(opened, Err(StoreError::FormatVersion { found: 2, max: 1, .. })), "{opened:?}");
        assert_eq!(names(scratch.path()), ["FORMAT"]);
    }

    #[test]
    fn a_path_that_cannot_be_a_directory_is_named_in_the_error() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("file"), "").unwrap();
        let error = DataDirectory::open(&scratch.path().join("file/data"), StoreKind::Redb).unwrap_err();
        assert!(matches!(&error, StoreError::Directory { .. }) && error.to_string().contains("file/data"), "{error}");
    }
}
