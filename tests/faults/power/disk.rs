//! A disk as its traced process saw it, and as a power cut may leave it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::strace::Event;
use crate::random::Random;

const PAGE: u64 = 4096;

/// What a cut leaves of written and resized files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    /// Only what was synced.
    Synced,
    /// That, and of the rest every other page and change of length, by chance.
    Half,
    /// Everything.
    All,
}

/// What a cut leaves of names made, changed and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Everything up to the cut, as a file system with an ordered journal may.
    InOrder,
    /// Only what was followed by a sync of its directory.
    Synced,
}

/// Files and names below a directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    files: Vec<File>,
    /// What each path leads to now.
    names: BTreeMap<PathBuf, usize>,
    changes: Vec<Change>,
    /// Where descriptors stand.
    positions: BTreeMap<u64, Position>,
    /// The syncs under way, by thread. Those of one file may overlap.
    syncs: BTreeMap<u64, Sync>,
}

#[derive(Debug, Clone, Default)]
struct File {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
    /// How many changes came before those that are pending.
    synced: usize,
}

#[derive(Debug, Clone)]
enum Pending {
    Write { offset: u64, data: Vec<u8> },
    Resize(u64),
}

/// A change of names, and whether it is durable.
#[derive(Debug, Clone)]
struct Change {
    what: Naming,
    is_synced: bool,
}

#[derive(Debug, Clone)]
enum Naming {
    File { path: PathBuf, file: usize },
    Directory { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Unlink { path: PathBuf },
}

/// A sync under way, and up to which change it reaches.
#[derive(Debug, Clone, Copy)]
enum Sync {
    File { file: usize, covered: usize },
    Names { covered: usize },
}

#[derive(Debug, Clone, Copy, Default)]
struct Position {
    at: u64,
    appends: bool,
}

impl Disk {
    /// With what lies below a directory, all of it durable.
    pub(super) fn holding(directory: &Path) -> Self {
        let mut disk = Self::default();
        for (path, bytes) in super::files_of(directory) {
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                disk.changes.push(Change { what: Naming::Directory { path: parent.to_owned() }, is_synced: true });
            }
            let file = disk.create(path);
            disk.files[file] = File { seen: bytes.clone(), durable: bytes, ..File::default() };
        }
        disk.changes.iter_mut().for_each(|change| change.is_synced = true);
        disk
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Said(_) => {}
            Event::Opened { fd, path, creates, truncates, appends } => {
                self.positions.insert(*fd, Position { at: 0, appends: *appends });
                let file = match self.names.get(path) {
                    Some(file) => *file,
                    None if *creates => self.create(path.clone()),
                    None => return,
                };
                if *truncates {
                    self.files[file].apply(Pending::Resize(0));
                }
            }
            Event::Wrote { fd, path, offset, data } => self.write(*fd, path, *offset, data),
            Event::Read { fd, count } => self.positions.entry(*fd).or_default().at += count,
            Event::Sought { fd, position } => self.positions.entry(*fd).or_default().at = *position,
            Event::Resized { path, len } => self.files[self.names[path]].apply(Pending::Resize(*len)),
            Event::SyncBegan { thread, path } => {
                let sync = match self.names.get(path) {
                    Some(file) => Sync::File { file: *file, covered: self.files[*file].changes() },
                    None => Sync::Names { covered: self.changes.len() },
                };
                self.syncs.insert(*thread, sync);
            }
            Event::Synced { thread, path } => match self.syncs.remove(thread) {
                Some(Sync::File { file, covered }) => self.files[file].sync(covered),
                Some(Sync::Names { covered }) => self.sync_names(path, covered),
                None => {}
            },
            Event::Renamed { from, to } => {
                let file = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), file);
                self.change(Naming::Rename { from: from.clone(), to: to.clone() });
            }
            Event::Unlinked { path } => {
                self.names.remove(path);
                self.change(Naming::Unlink { path: path.clone() });
            }
            Event::MadeDirectory { path } => self.change(Naming::Directory { path: path.clone() }),
        }
    }

    /// Writes the disk that a cut leaves now into a directory.
    pub(super) fn build(&self, (data, names): (Data, Names), random: &mut Random, directory: &Path) {
        let mut paths: BTreeMap<&Path, Option<usize>> = BTreeMap::new();
        for change in self.changes.iter().filter(|change| names == Names::InOrder || change.is_synced) {
            match &change.what {
                Naming::File { path, file } => _ = paths.insert(path, Some(*file)),
                Naming::Directory { path } => _ = paths.insert(path, None),
                Naming::Rename { from, to } => {
                    if let Some(file) = paths.remove(from.as_path()) {
                        paths.insert(to, file);
                    }
                }
                Naming::Unlink { path } => _ = paths.remove(path.as_path()),
            }
        }
        for (path, file) in paths {
            let target = directory.join(path);
            match file {
                None => fs::create_dir_all(target).unwrap(),
                // Without its directory a file is nowhere.
                Some(_) if !target.parent().unwrap().is_dir() => {}
                Some(file) => fs::write(target, self.files[file].after_cut(data, random)).unwrap(),
            }
        }
    }

    /// Compares what the process saw with what the directory really holds, but for some files.
    pub(super) fn compare(&self, directory: &Path, but: &HashSet<PathBuf>) -> Result<(), String> {
        let real: BTreeMap<_, _> = super::files_of(directory).into_iter().collect();
        let paths: Vec<_> = self.names.keys().collect();
        if paths != real.keys().collect::<Vec<_>>() {
            return Err(format!("it has {paths:?}, the directory {:?}", real.keys()));
        }
        for (path, file) in &self.names {
            if !but.contains(path) && self.files[*file].seen != real[path] {
                return Err(format!("{} differs from the real file", path.display()));
            }
        }
        Ok(())
    }

    fn create(&mut self, path: PathBuf) -> usize {
        let file = self.files.len();
        self.files.push(File::default());
        self.names.insert(path.clone(), file);
        self.change(Naming::File { path, file });
        file
    }

    fn change(&mut self, what: Naming) {
        self.changes.push(Change { what, is_synced: false });
    }

    fn write(&mut self, fd: u64, path: &Path, offset: Option<u64>, data: &[u8]) {
        let Some(file) = self.names.get(path) else { return };
        let file = &mut self.files[*file];
        let offset = offset.unwrap_or_else(|| {
            let position = self.positions.entry(fd).or_default();
            let at = if position.appends { file.seen.len() as u64 } else { position.at };
            position.at = at + data.len() as u64;
            at
        });
        file.apply(Pending::Write { offset, data: data.to_vec() });
    }

    fn sync_names(&mut self, directory: &Path, covered: usize) {
        let is_inside = |path: &Path| path.parent() == Some(directory);
        for change in &mut self.changes[..covered] {
            change.is_synced |= match &change.what {
                Naming::File { path, .. } | Naming::Directory { path } | Naming::Unlink { path } => is_inside(path),
                Naming::Rename { from, to } => is_inside(from) && is_inside(to),
            };
        }
    }
}

impl File {
    fn apply(&mut self, pending: Pending) {
        pending.change(&mut self.seen, || true);
        self.pending.push(pending);
    }

    /// How many changes there were.
    fn changes(&self) -> usize {
        self.synced + self.pending.len()
    }

    /// Makes the first so many changes durable, as far as another sync has not done so meanwhile.
    fn sync(&mut self, covered: usize) {
        for pending in self.pending.drain(..covered.saturating_sub(self.synced)) {
            pending.change(&mut self.durable, || true);
        }
        self.synced = self.synced.max(covered);
    }

    fn after_cut(&self, data: Data, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        match data {
            Data::Synced => {}
            Data::Half => self.pending.iter().for_each(|pending| pending.change(&mut bytes, || random.one_in(2))),
            Data::All => bytes.clone_from(&self.seen),
        }
        bytes
    }
}

impl Pending {
    /// Does to the bytes what was done to the file, as far as it survives: each page and each change of length alone.
    fn change(&self, bytes: &mut Vec<u8>, mut survives: impl FnMut() -> bool) {
        match self {
            Self::Resize(len) => {
                if survives() {
                    bytes.resize(usize::try_from(*len).unwrap(), 0);
                }
            }
            Self::Write { offset, data } => {
                let mut at = 0;
                while at < data.len() {
                    let start = offset + at as u64;
                    let len = usize::try_from(PAGE - start % PAGE).unwrap().min(data.len() - at);
                    let start = usize::try_from(start).unwrap();
                    if survives() {
                        bytes.resize(bytes.len().max(start + len), 0);
                        bytes[start..start + len].copy_from_slice(&data[at..at + len]);
                    }
                    at += len;
                }
            }
        }
    }
}
