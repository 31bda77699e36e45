//! A disk that is full or may not be written for a while, and then takes writes again.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;

use crate::damage::files;
use crate::trial::{Trial, Where};

/// Where a store lies, and how its disk fails.
pub(crate) struct SmallDisk {
    scratch: TempDir,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A file system of its own in memory, which other files fill up.
    Mounted,
    /// A bound on the length of the files of a process.
    Bound,
    /// Files that nobody may change, whoever has them open.
    Immutable,
}

impl SmallDisk {
    /// A disk that can be filled up.
    pub(crate) fn new(trial: &Trial<'_>) -> Result<Self, String> {
        let scratch = TempDir::new().unwrap();
        if trial.place == Where::MayNotMount {
            return Ok(Self { scratch, kind: Kind::Bound });
        }
        run("mount", &["-t", "tmpfs", "-o", &format!("size={SIZE}"), "tmpfs"], scratch.path())?;
        Ok(Self { scratch, kind: Kind::Mounted })
    }

    /// A disk whose files can be made immutable, if that is possible here.
    pub(crate) fn immutable() -> Result<Self, String> {
        let disk = Self { scratch: TempDir::new().unwrap(), kind: Kind::Immutable };
        let path = disk.scratch.path().join("trial");
        let mut file = File::create(&path).unwrap();
        run("chattr", &["+i"], &path)?;
        let is_refused = file.write_all(b"x").is_err();
        run("chattr", &["-i"], &path)?;
        fs::remove_file(&path).unwrap();
        if is_refused { Ok(disk) } else { Err("open files can be written although they are immutable".to_owned()) }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// What kind of disk it is, for people.
    pub(crate) fn description(&self) -> &'static str {
        match self.kind {
            Kind::Mounted => "a small file system in memory, filled up",
            Kind::Bound => "a bound on the length of files",
            Kind::Immutable => "files made immutable",
        }
    }

    /// Lets writes of a process fail from now on.
    pub(crate) fn fail(&self, process: Option<Pid>) -> Result<(), String> {
        match self.kind {
            Kind::Mounted => {
                let mut ballast = File::create(self.ballast()).unwrap();
                let piece = vec![1; 1 << 16];
                while ballast.write_all(&piece).is_ok() {}
                Ok(())
            }
            Kind::Bound => {
                let longest =
                    files(&self.data()).iter().map(|file| fs::metadata(file).unwrap().len()).max().unwrap_or(0);
                let limit = Rlimit { current: Some(longest), maximum: None };
                prlimit(process, Resource::Fsize, limit).map(|_| ()).map_err(|error| error.to_string())
            }
            Kind::Immutable => self.mark("+i"),
        }
    }

    /// Marks every file and then the directory, or the other way round; a socket can have no marks.
    fn mark(&self, mark: &str) -> Result<(), String> {
        let mut paths = files(&self.data());
        paths.push(self.data());
        if mark == "-i" {
            paths.reverse();
        }
        paths.iter().try_for_each(|path| run("chattr", &[mark], path))
    }

    /// Lets writes work again.
    pub(crate) fn repair(&self, process: Option<Pid>) -> Result<(), String> {
        match self.kind {
            Kind::Mounted => fs::remove_file(self.ballast()).map_err(|error| error.to_string()),
            Kind::Bound => {
                let limit = Rlimit { current: None, maximum: None };
                prlimit(process, Resource::Fsize, limit).map(|_| ()).map_err(|error| error.to_string())
            }
            Kind::Immutable => self.mark("-i"),
        }
    }

    /// The files on it and their lengths, for people.
    pub(crate) fn content(&self) -> String {
        let file = |path: &PathBuf| {
            let (len, taken) = fs::metadata(path).map_or((0, 0), |file| (file.len(), file.blocks() * 512));
            format!("{} has {len} bytes and takes {taken}", path.display())
        };
        files(self.scratch.path()).iter().map(file).collect::<Vec<_>>().join(", ")
    }

    /// Whether the reason that the server gives is this one.
    pub(crate) fn explains(&self, reason: &str) -> bool {
        match self.kind {
            Kind::Mounted | Kind::Bound => reason.contains("no space is left"),
            Kind::Immutable => reason.contains("not permitted") || reason.contains("Permission denied"),
        }
    }

    fn ballast(&self) -> PathBuf {
        self.scratch.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whatever state it was left in, its directory can be removed then.
        let _unused = match self.kind {
            Kind::Mounted => run("umount", &["--lazy"], self.scratch.path()),
            Kind::Immutable => run("chattr", &["-R", "-f", "-i"], self.scratch.path()),
            Kind::Bound => Ok(()),
        };
    }
}

/// Runs a command on a path.
pub(crate) fn run(program: &str, arguments: &[&str], path: &Path) -> Result<(), String> {
    let output = Command::new(program).args(arguments).arg(path).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

const SIZE: &str = "64m";
