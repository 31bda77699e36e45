//! Making what sled has written durable: it only asks the system to begin writing.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The files of a sled database.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    /// Those that were synced at least once; a name stands for one content, but for that of the log.
    known: Mutex<HashSet<OsString>>,
}

impl Files {
    pub(super) fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), known: Mutex::default() }
    }

    /// Syncs the log, and every other file that is new, and the directories of those.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(self.directory.join(LOG))?.sync_all()?;
        self.sync_new(&self.directory)?;
        self.sync_new(&self.directory.join(BLOBS))
    }

    fn sync_new(&self, directory: &Path) -> io::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_new = false;
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let path = entry.path();
            if known.contains(path.as_os_str()) || !entry.file_type()?.is_file() {
                continue;
            }
            match File::open(&path) {
                Ok(file) => file.sync_all()?,
                // sled replaces its snapshots of the page table.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
            known.insert(path.into_os_string());
            is_new = true;
        }
        if is_new { File::open(directory)?.sync_all() } else { Ok(()) }
    }
}

/// sled's log, which holds everything but long values.
const LOG: &str = "db";
/// The directory of long values.
pub(super) const BLOBS: &str = "blobs";
