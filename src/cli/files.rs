//! Files that a command writes: whole and durable, or not there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Stdout, Write};
use std::path::{Path, PathBuf};

use super::error::CommandError;
use crate::shutdown::Tasks;

/// Something that is being written and counts once it is complete.
#[derive(Debug)]
pub(super) enum Output {
    /// Nobody can take back what was written.
    Stdout(Stdout),
    /// A file beside the one that it becomes.
    File { part: PathBuf, path: PathBuf, file: File, replaces: bool, is_complete: bool },
}

impl Output {
    /// Begins a file; `-` is stdout. One that is there is replaced only on request.
    pub(super) fn begin(path: &Path, replaces: bool) -> Result<Self, CommandError> {
        if is_standard(path) {
            return Ok(Self::Stdout(io::stdout()));
        }
        if !replaces && path.exists() {
            return Err(CommandError::Exists { path: path.to_owned() });
        }
        let part = beside(path, "part");
        let file = open_part(&part).map_err(|source| CommandError::Write { path: part.clone(), source })?;
        Ok(Self::File { part, path: path.to_owned(), file, replaces, is_complete: false })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        match self {
            Self::Stdout(out) => out.write_all(bytes).map_err(CommandError::Output),
            Self::File { part, file, .. } => {
                file.write_all(bytes).map_err(|source| CommandError::Write { path: part.clone(), source })
            }
        }
    }

    /// Makes the file durable and gives it its name.
    pub(super) fn complete(mut self) -> Result<(), CommandError> {
        match &mut self {
            Self::Stdout(out) => out.flush().map_err(CommandError::Output),
            Self::File { part, path, file, replaces, is_complete } => {
                let finish = || {
                    file.sync_all()?;
                    if *replaces {
                        fs::rename(&*part, &*path)?;
                    } else {
                        give_name(part, path)?;
                    }
                    sync_parent(path)
                };
                finish().map_err(|source| CommandError::Write { path: path.clone(), source })?;
                *is_complete = true;
                Ok(())
            }
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Self::File { part, is_complete: false, .. } = self {
            let _is_gone_already = fs::remove_file(part).is_err();
        }
    }
}

/// A part that is there was left behind by a command that was killed, unless one still writes it.
fn open_part(part: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(part)?;
    match file.try_lock() {
        Ok(()) => file.set_len(0).map(|()| file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(ErrorKind::ResourceBusy, "another command is writing it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Renames a file unless there is another one of the name.
fn give_name(part: &Path, path: &Path) -> io::Result<()> {
    // Unlike a rename, a link replaces nothing that has come meanwhile.
    match fs::hard_link(part, path) {
        Ok(()) => fs::remove_file(part),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // Many file systems on sticks and in networks have no links.
        Err(_) if path.exists() => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(part, path),
    }
}

/// Something that is being read, on a thread of its own: whoever waits for a pipe can be interrupted.
pub(super) struct Input {
    file: Option<Box<dyn Read + Send>>,
    path: PathBuf,
    tasks: Tasks,
}

impl Input {
    /// Opens a file; `-` is stdin.
    pub(super) fn open(path: &Path) -> Result<Self, CommandError> {
        let file: Box<dyn Read + Send> = if is_standard(path) {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(|source| CommandError::Read { path: path.to_owned(), source })?)
        };
        Ok(Self { file: Some(file), path: path.to_owned(), tasks: Tasks::new() })
    }

    /// Reads on, at most so many bytes; none at the end.
    pub(super) async fn read(&mut self, most: usize) -> Result<Vec<u8>, CommandError> {
        let Some(mut file) = self.file.take() else { return Ok(Vec::new()) };
        let read = self.tasks.run_blocking(move || {
            let mut buffer = vec![0; most];
            let read = file.read(&mut buffer);
            (file, read.map(|read| buffer.get(..read).unwrap_or_default().to_vec()))
        });
        let Some((file, portion)) = read.await else { return Ok(Vec::new()) };
        self.file = Some(file);
        portion.map_err(|source| CommandError::Read { path: self.path.clone(), source })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

pub(super) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// A path in the same directory: the name with an ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    path.with_file_name(name)
}

pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
