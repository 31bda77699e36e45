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
    database: &'static str,
    is_new: bool,
    _lock: File,
}

impl DataDirectory {
    /// Creates or recognises the directory, which keeps everything in the file `database`, and locks it.
    pub(super) fn open(path: &Path, kind: StoreKind, database: &'static str) -> Result<Self, StoreError> {
        create(path).map_err(|error| unusable(path, error))?;
        recognise(path, kind, database)?;
        let lock = lock(path)?;
        // Whoever held the lock until now may have been the first to write here.
        let is_new = recognise(path, kind, database)? == Found::Nothing;
        if is_new {
            start_afresh(path, kind, database).map_err(|error| unusable(path, error))?;
        }
        Ok(Self { path: path.to_owned(), database, is_new, _lock: lock })
    }

    /// The path of the directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the database file.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(self.database)
    }

    /// Whether nothing was ever stored here.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Tells that the database is there. From now on the directory is not recognised without it.
    pub(super) fn complete(&self) -> Result<(), StoreError> {
        let complete = || {
            if self.is_new {
                sync(&self.path)?;
                fs::rename(self.path.join(NEW_FORMAT_FILE), self.path.join(FORMAT_FILE))?;
            }
            sync(&self.path)
        };
        complete().map_err(|error| unusable(&self.path, error))
    }
}

/// Puts another file in the place of a database, which is kept under a new name that is returned.
pub(super) fn replace(database: &Path, by: &Path) -> io::Result<PathBuf> {
    let name = database.file_name().unwrap_or_default().display();
    let kept = (1..=MAX_KEPT)
        .map(|number| database.with_file_name(format!("{name}.damaged-{number}")))
        .find(|path| !path.exists())
        .ok_or(ErrorKind::AlreadyExists)?;
    let directory = database.parent().unwrap_or(Path::new("."));
    File::open(by)?.sync_all()?;
    // A hard link first, so that there is a database at every moment.
    fs::hard_link(database, &kept)?;
    sync(directory)?;
    fs::rename(by, database)?;
    sync(directory)?;
    Ok(kept)
}

/// What a data directory says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataFormat {
    /// The number of its format, one that this version reads.
    pub format: u32,
    /// The engine that keeps its documents.
    pub kind: StoreKind,
}

impl DataFormat {
    /// Reads what a directory says of itself; `None` when it holds no store. Nothing is opened or created.
    ///
    /// # Errors
    /// When the directory cannot be read, or holds something that this version does not know.
    pub fn of(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some((format, engine)) = read_format(path)? else { return Ok(None) };
        let unknown = |error: super::UnknownStoreKind| StoreError::Foreign {
            path: path.to_owned(),
            what: format!("it belongs to the engine {:?}, which this version does not know", error.0),
        };
        Ok(Some(Self { format, kind: engine.parse().map_err(unknown)? }))
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

fn recognise(path: &Path, kind: StoreKind, database: &str) -> Result<Found, StoreError> {
    let Some((_, engine)) = read_format(path)? else { return recognise_without_format(path, database) };
    let foreign = |what: String| StoreError::Foreign { path: path.to_owned(), what };
    if engine != kind.to_string() {
        return Err(foreign(format!("it belongs to the engine {engine:?}, not {:?}", kind.to_string())));
    }
    if !path.join(database).exists() {
        return Err(foreign(format!("its file {database} is missing; restore it from a backup")));
    }
    Ok(Found::Ours)
}

/// The number and the engine in the format file; `None` without one.
fn read_format(path: &Path) -> Result<Option<(u32, String)>, StoreError> {
    let foreign = |what: String| StoreError::Foreign { path: path.to_owned(), what };
    let text = match fs::read(path.join(FORMAT_FILE)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, error)),
    };
    let fields = text.trim_end().strip_prefix(FORMAT_PREFIX).and_then(|rest| rest.split_once(ENGINE_PREFIX));
    let Some((Ok(found), engine)) = fields.map(|(number, engine)| (number.parse::<u32>(), engine)) else {
        return Err(foreign(format!("its {FORMAT_FILE} file is not one of ours")));
    };
    if found > FORMAT {
        return Err(StoreError::FormatVersion { path: path.to_owned(), found, max: FORMAT });
    }
    Ok(Some((found, engine.to_owned())))
}

/// A directory without a format file is ours only while it holds nothing but what a first start that was cut short
/// leaves, and that is of no use to anyone.
fn recognise_without_format(path: &Path, database: &str) -> Result<Found, StoreError> {
    let was_started = path.join(NEW_FORMAT_FILE).exists();
    for entry in fs::read_dir(path).map_err(|error| unusable(path, error))? {
        let name = entry.map_err(|error| unusable(path, error))?.file_name();
        if name != LOCK_FILE && name != NEW_FORMAT_FILE && !(was_started && name == database) {
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

fn start_afresh(path: &Path, kind: StoreKind, database: &str) -> io::Result<()> {
    let mut file = File::create(path.join(NEW_FORMAT_FILE))?;
    writeln!(file, "{FORMAT_PREFIX}{FORMAT}{ENGINE_PREFIX}{kind}")?;
    file.sync_all()?;
    sync(path)?;
    let database = path.join(database);
    let removed = if database.is_dir() { fs::remove_dir_all(database) } else { fs::remove_file(database) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
/// Damaged files that are kept: a disk that damages more is of no use.
const MAX_KEPT: u32 = 20;
const NEW_FORMAT_FILE: &str = "FORMAT.new";
pub(super) const LOCK_FILE: &str = "LOCK";
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

    fn open(path: &Path) -> Result<DataDirectory, StoreError> {
        DataDirectory::open(path, StoreKind::Redb, "db")
    }

    #[test]
    fn a_missing_directory_is_created_and_recognised_again() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a/b");
        let directory = open(&path).unwrap();
        fs::write(directory.database(), "content").unwrap();
        directory.complete().unwrap();
        drop(directory);
        assert_eq!(fs::read_to_string(path.join("FORMAT")).unwrap(), "ydock data, format 1, engine redb\n");
        let directory = open(&path).unwrap();
        directory.complete().unwrap();
        assert_eq!(fs::read_to_string(directory.database()).unwrap(), "content");
        assert_eq!(names(&path), ["FORMAT", "LOCK", "db"]);
    }

    #[test]
    fn a_directory_serves_one_holder_at_a_time() {
        let scratch = tempfile::tempdir().unwrap();
        let first = open(scratch.path()).unwrap();
        let second = open(scratch.path());
        assert!(matches!(&second, Err(StoreError::Locked { path }) if path == scratch.path()), "{second:?}");
        drop(first);
        assert!(open(scratch.path()).is_ok());
    }

    #[test]
    fn a_first_start_that_was_cut_short_is_begun_again() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = open(scratch.path()).unwrap();
        fs::write(directory.database(), "half made").unwrap();
        drop(directory);
        let directory = open(scratch.path()).unwrap();
        assert!(!directory.database().exists());
        fs::create_dir_all(directory.database().join("half made")).unwrap();
        drop(directory);
        let directory = open(scratch.path()).unwrap();
        assert!(!directory.database().exists());
    }

    #[test]
    fn what_is_not_ours_or_newer_or_incomplete_is_refused_untouched() {
        let ours = "ydock data, format 1, engine redb\n";
        let cases = [("photo.jpg", "x"), ("db", "x"), ("FORMAT", "something else"), ("FORMAT", ""), ("FORMAT", ours)];
        for (file, content) in cases {
            let scratch = tempfile::tempdir().unwrap();
            fs::write(scratch.path().join(file), content).unwrap();
            let opened = open(scratch.path());
            assert!(matches!(opened, Err(StoreError::Foreign { .. })), "{file} {content:?}: {opened:?}");
            assert_eq!(names(scratch.path()), [file]);
        }
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("FORMAT"), "ydock data, format 2, engine redb\n").unwrap();
        let opened = open(scratch.path());
        assert!(matches!(opened, Err(StoreError::FormatVersion { found: 2, max: 1, .. })), "{opened:?}");
        assert_eq!(names(scratch.path()), ["FORMAT"]);
    }

    #[test]
    fn a_path_that_cannot_be_a_directory_is_named_in_the_error() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("file"), "").unwrap();
        let error = open(&scratch.path().join("file/data")).unwrap_err();
        assert!(matches!(&error, StoreError::Directory { .. }) && error.to_string().contains("file/data"), "{error}");
    }
}
