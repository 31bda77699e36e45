//! Files cut short, zeroed and altered: what comes back is what was promised, or an error says what does not.
//!
//! The load that makes the files runs one document after the other, so that the same seed gives nearly the same bytes.

mod file;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

use crate::backend::Place;
use crate::child::{self, Kill, Outcome, Role};
use crate::content::{Script, Sizes, name};
use crate::examine::{Examine, Examined};
use crate::ledger::{Documents, Ledger, Word};
use crate::load::{End, LIMIT, Load, READY};
use crate::tally::Tally;
use crate::trial::Trial;

use file::{Damage, Kinds, Target};

const DOCUMENTS: u64 = 12;
const BATCHES: u64 = 400;
/// What is written after the first close, so that it can be told which pages are new.
const MORE_BATCHES: u64 = 12;

/// A directory to damage copies of.
struct Base {
    scratch: TempDir,
    ledger: Ledger,
    documents: Documents,
    /// As the directory was a few writes earlier.
    earlier: TempDir,
}

/// A store that was closed in order.
pub(crate) fn run_closed(trial: &Trial<'_>) -> Tally {
    run(trial, End::Close { batches: MORE_BATCHES })
}

/// A store whose process was killed.
pub(crate) fn run_killed(trial: &Trial<'_>) -> Tally {
    run(trial, End::Wait { batches: MORE_BATCHES })
}

fn run(trial: &Trial<'_>, end: End) -> Tally {
    let mut tally = Tally::default();
    let base = match Base::make(trial, end) {
        Ok(base) => base,
        Err(story) => {
            tally.breaks(0, story);
            return tally;
        }
    };
    tally.acknowledged = base.ledger.acknowledged();
    let rounds = trial.plan.pick(60, 600);
    let inflict = |round| base.damage_a_copy(trial, round);
    let inflict = &inflict;
    let mut outcomes: Vec<_> = thread::scope(|scope| {
        let halves =
            [0, 1].map(|first| scope.spawn(move || (first..rounds).step_by(2).map(inflict).collect::<Vec<_>>()));
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    outcomes.sort_by_key(|(round, ..)| *round);
    let mut kinds = Kinds::default();
    for (round, damage, examined) in &outcomes {
        tally.rounds += 1;
        examined.count_into(&mut tally, *round, &damage.to_string());
        kinds.count(damage, examined);
    }
    tally.notes = kinds.lines();
    tally
}

impl Base {
    fn make(trial: &Trial<'_>, end: End) -> Result<Self, String> {
        let (scratch, earlier) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let script = Script { seed: trial.plan.seed, sizes: Sizes::Small };
        let documents = Documents { script, count: DOCUMENTS };
        let place = Place::new(trial.backend.kind, &scratch.path().join("data"));
        let mut base = Self { scratch, ledger: Ledger::default(), documents, earlier };
        base.load(&place, End::Close { batches: BATCHES })?;
        copy_all(base.scratch.path(), base.earlier.path());
        base.load(&place, end)?;
        Ok(base)
    }

    fn load(&mut self, place: &Place, end: End) -> Result<(), String> {
        let load = Load { place: place.clone(), documents: self.documents, is_parallel: false, end };
        let kill = Kill { after: READY, lifetime: std::time::Duration::from_millis(20) };
        let ended = child::run(&mut Role::Load(load).command(), LIMIT, Some(kill));
        if !ended.is_success() && ended.outcome != Outcome::Killed {
            return Err(format!("the load before the damage failed: {} {}", ended.output, ended.story()));
        }
        ended.output.split_inclusive('\n').filter_map(Word::parse).for_each(|word| self.ledger.hear(word));
        Ok(())
    }

    /// Damages a copy as the round wants it, and says what was found in it then.
    fn damage_a_copy(&self, trial: &Trial<'_>, round: u64) -> (u64, Damage, Examined) {
        let copy = self.copy();
        let data = copy.path().join("data");
        let targets = Target::all(&data, &self.earlier.path().join("data"));
        let names: Vec<_> = (0..DOCUMENTS).map(|doc| name(doc).as_str().as_bytes().to_vec()).collect();
        let damage = Damage::choose(&mut trial.random(round), round, &targets, &names);
        damage.inflict();
        let examined = Examined::of(Examine {
            place: Place::new(trial.backend.kind, &data),
            documents: self.documents,
            ledger: self.ledger.text(),
            writes: true,
        });
        (round, damage, examined)
    }

    fn copy(&self) -> TempDir {
        let copy = TempDir::new().unwrap();
        copy_all(self.scratch.path(), copy.path());
        copy
    }
}

/// Copies a directory with all that is in it.
pub(crate) fn copy_all(from: &Path, to: &Path) {
    for (path, is_directory) in entries(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        if is_directory {
            fs::create_dir_all(&target).unwrap();
            copy_all(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// The files below a directory, in the order of their names.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for (path, is_directory) in entries(directory) {
        if is_directory { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

fn entries(directory: &Path) -> Vec<(PathBuf, bool)> {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.path(), entry.file_type().unwrap()))
        // A server's socket holds nothing.
        .filter(|(_, kind)| kind.is_dir() || kind.is_file())
        .map(|(path, kind)| (path, kind.is_dir()))
        .collect();
    entries.sort();
    entries
}
