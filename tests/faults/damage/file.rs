//! One damage to one file, chosen at random and told so that it can be repeated.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::examine::Examined;
use crate::random::Random;

const PAGE: usize = 4096;

/// A file and which of its pages were written last.
pub(super) struct Target {
    path: PathBuf,
    bytes: Vec<u8>,
    recent: Vec<usize>,
}

/// A change of a file that no program made.
pub(super) struct Damage {
    path: PathBuf,
    kind: &'static str,
    change: Change,
}

enum Change {
    Cut { len: usize },
    Zero { offset: usize, len: usize },
    Flip { offset: usize, mask: u8 },
}

impl Target {
    /// The files of a directory, compared with what they were in another.
    pub(super) fn all(data: &Path, earlier: &Path) -> Vec<Self> {
        let read = |path: PathBuf| {
            let bytes = fs::read(&path).unwrap();
            let before = fs::read(earlier.join(path.strip_prefix(data).unwrap())).unwrap_or_default();
            let pages = bytes.chunks(PAGE).enumerate();
            let recent = pages.filter(|(at, page)| before.chunks(PAGE).nth(*at) != Some(*page)).map(|(at, _)| at);
            Self { recent: recent.collect(), path, bytes }
        };
        super::files(data).into_iter().map(read).filter(|target| !target.bytes.is_empty()).collect()
    }

    /// The places at which one of the names stands.
    fn places_of(&self, names: &[Vec<u8>]) -> Vec<usize> {
        let starts = self.bytes.windows(names[0].len()).enumerate();
        starts.filter(|(_, window)| names.iter().any(|name| name == window)).map(|(at, _)| at).collect()
    }
}

impl Damage {
    /// One of each kind in turn, so that a short run has them all.
    pub(super) fn choose(random: &mut Random, round: u64, targets: &[Target], names: &[Vec<u8>]) -> Self {
        let largest = targets.iter().max_by_key(|target| target.bytes.len()).unwrap();
        let any = &targets[random.index(targets.len())];
        let (target, kind, change) = match round % 10 {
            0 => (any, "cut", cut(random, any)),
            1 => (largest, "cut", cut(random, largest)),
            2 => (largest, "zeroed page", zero(random.index(largest.bytes.len()), largest)),
            3 => {
                let page = largest.recent.get(random.index(largest.recent.len())).copied().unwrap_or(0);
                (largest, "zeroed recent page", zero(page * PAGE, largest))
            }
            4 => (any, "flip in any file", flip(random, 0..any.bytes.len())),
            5 => (largest, "flip", flip(random, 0..largest.bytes.len())),
            6 => (largest, "flip in the head", flip(random, 0..largest.bytes.len().min(512))),
            7 => {
                let page = largest.recent.get(random.index(largest.recent.len())).copied().unwrap_or(0);
                let end = largest.bytes.len().min((page + 1) * PAGE);
                (largest, "flip in a recent page", flip(random, page * PAGE..end))
            }
            // Most pages of a tree begin with what leads to the rest of it.
            8 => {
                let page = random.index(largest.bytes.len().div_ceil(PAGE)) * PAGE;
                (largest, "flip in a page's start", flip(random, page..largest.bytes.len().min(page + 64)))
            }
            _ => {
                let places = largest.places_of(names);
                let place = places.get(random.index(places.len())).copied().unwrap_or(0);
                (largest, "flip in a name", flip(random, place..place + names[0].len()))
            }
        };
        Self { path: target.path.clone(), kind, change }
    }

    pub(super) fn inflict(&self) {
        let file = File::options().read(true).write(true).open(&self.path).unwrap();
        match self.change {
            Change::Cut { len } => file.set_len(len as u64).unwrap(),
            Change::Zero { offset, len } => file.write_all_at(&vec![0; len], offset as u64).unwrap(),
            Change::Flip { offset, mask } => {
                let mut byte = [0];
                file.read_exact_at(&mut byte, offset as u64).unwrap();
                file.write_all_at(&[byte[0] ^ mask], offset as u64).unwrap();
            }
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.path.file_name().unwrap().display();
        match self.change {
            Change::Cut { len } => write!(f, "{}: {file} to {len} bytes", self.kind),
            Change::Zero { offset, len } => write!(f, "{}: {len} bytes of {file} at {offset}", self.kind),
            Change::Flip { offset, mask } => write!(f, "{}: {file} at {offset} by {mask:#04x}", self.kind),
        }
    }
}

fn cut(random: &mut Random, target: &Target) -> Change {
    let len = target.bytes.len();
    let lens = [len - 1, len.saturating_sub(100), len.saturating_sub(PAGE), len / 2];
    Change::Cut { len: lens[random.index(lens.len())] }
}

fn zero(place: usize, target: &Target) -> Change {
    let offset = place - place % PAGE;
    Change::Zero { offset, len: PAGE.min(target.bytes.len() - offset) }
}

/// One bit or, once in three, a whole byte.
fn flip(random: &mut Random, range: std::ops::Range<usize>) -> Change {
    let mask = if random.one_in(3) { u8::try_from(random.between(1, 255)).unwrap() } else { 1 << random.below(8) };
    Change::Flip { offset: range.start + random.index(range.len()), mask }
}

/// How each kind of damage was answered, and with which words.
#[derive(Default)]
pub(super) struct Kinds {
    verdicts: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    words: BTreeMap<String, u64>,
}

impl Kinds {
    pub(super) fn count(&mut self, damage: &Damage, examined: &Examined) {
        *self.verdicts.entry(damage.kind).or_default().entry(examined.verdict()).or_default() += 1;
        for words in examined.words() {
            *self.words.entry(without_numbers(&words)).or_default() += 1;
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let verdicts = self.verdicts.iter().map(|(kind, verdicts)| {
            let counts: Vec<_> = verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
            format!("{kind}: {}", counts.join(", "))
        });
        let mut words: Vec<_> = self.words.iter().collect();
        words.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        verdicts
            .chain(words.into_iter().take(MOST_WORDS).map(|(words, count)| format!("{count} × {words:.150}")))
            .collect()
    }
}

fn without_numbers(words: &str) -> String {
    let mut text = String::new();
    for character in words.chars() {
        if !character.is_ascii_digit() {
            text.push(character);
        } else if !text.ends_with('#') {
            text.push('#');
        }
    }
    text
}

const MOST_WORDS: usize = 8;
