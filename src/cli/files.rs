//! Files that a command writes: whole and durable, or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Stdout, Write};
use std::path::{Path, PathBuf};

use super::error::CommandError;

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
        // A part that is there was left behind by a command that was killed.
        let opened = OpenOptions::new().write(true).create(true).truncate(true).open(&part);
        let file = opened.map_err(|source| CommandError::Write { path: part.clone(), source })?;
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
                        // Unlike a rename, a link replaces nothing that has come meanwhile.
                        fs::hard_link(&*part, &*path)?;
                        fs::remove_file(&*part)?;
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

/// Opens a file to be read; `-` is stdin.
pub(super) fn input(path: &Path) -> Result<Box<dyn Read + Send>, CommandError> {
    if is_standard(path) {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).map_err(|source| CommandError::Read { path: path.to_owned(), source })?;
    Ok(Box::new(file))
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
