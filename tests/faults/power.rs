//! Power cuts, replayed: the system calls of a load are traced, and its directory is built as a disk may hold it that lost its
//! power at one of them. What was written and not synced is gone, or there, page by page.
//!
//! The acknowledgements stand in the same trace, so it is known what had been promised before each cut.

mod disk;
mod strace;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::backend::Place;
use crate::child::{self, Role};
use crate::content::{Script, Sizes};
use crate::damage;
use crate::examine::{Examine, Examined};
use crate::ledger::{Documents, Ledger, Word};
use crate::load::{End, LIMIT, Load};
use crate::random::Random;
use crate::tally::Tally;
use crate::trial::Trial;

use disk::{Data, Disk, Names};
use strace::Event;

const DOCUMENTS: u64 = 8;
const BATCHES: u64 = 250;

/// What may survive a cut, for each cut.
const SURVIVORS: [(Data, Names); 6] = [
    (Data::Synced, Names::InOrder),
    (Data::Synced, Names::Synced),
    (Data::Half, Names::InOrder),
    (Data::Half, Names::Synced),
    (Data::All, Names::InOrder),
    (Data::All, Names::Synced),
];

pub(crate) fn run(trial: &Trial<'_>) -> Tally {
    if let Some(why) = strace::why_not_permitted() {
        return Tally::skipped(&why);
    }
    let mut tally = Tally::default();
    // Each run goes on where the one before it was stopped, so that openings of used stores are cut too.
    let mut scratch = TempDir::new().unwrap();
    let mut ledger = Ledger::default();
    for part in 0..trial.plan.pick(2, 6) {
        let script = Script { seed: trial.plan.seed, sizes: Sizes::Small };
        let documents = Documents { script, count: DOCUMENTS };
        let traced = match Traced::record(trial, documents, &scratch, ledger.clone()) {
            Ok(traced) => traced,
            Err(story) => {
                tally.breaks(part, story);
                return tally;
            }
        };
        let cuts = traced.cuts(&mut trial.random(part), trial.plan.pick(4, 20));
        ledger = traced.replay(trial, part, &cuts, &mut tally);
        if part % 2 == 1 {
            (scratch, ledger) = (TempDir::new().unwrap(), Ledger::default());
        }
    }
    tally
}

/// A load that was traced.
struct Traced {
    documents: Documents,
    events: Vec<Event>,
    /// Files that may differ at the end of the trace, by a call that was under way.
    under_way: HashSet<PathBuf>,
    /// The disk and what was promised before the first event.
    disk: Disk,
    ledger: Ledger,
    place: Place,
}

impl Traced {
    fn record(trial: &Trial<'_>, documents: Documents, scratch: &TempDir, ledger: Ledger) -> Result<Self, String> {
        let place = Place::new(trial.backend.kind, &scratch.path().join("data"));
        let disk = Disk::holding(scratch.path());
        let end = End::Exit { batches: BATCHES };
        let load = Load { place: place.clone(), documents, is_parallel: true, end };
        let file = TempDir::new().unwrap();
        let path = file.path().join("trace");
        let mut command = Command::new("strace");
        command.args(strace::ARGUMENTS).arg("-o").arg(&path).arg(std::env::current_exe().unwrap());
        Role::Load(load).give_to(&mut command);
        let ended = child::run(&mut command, LIMIT, None);
        if !ended.is_success() {
            return Err(format!("the traced load failed: {} {}", ended.output, ended.story()));
        }
        let strace::Trace { events, under_way } = strace::read(&path, scratch.path())?;
        Ok(Self { documents, events, under_way, disk, ledger, place })
    }

    /// After which events to cut: any, and as often those after which something has just been promised.
    fn cuts(&self, random: &mut Random, count: u64) -> Vec<usize> {
        let said: Vec<_> = (0..self.events.len()).filter(|at| matches!(self.events[*at], Event::Said(_))).collect();
        let mut cuts: Vec<_> = (0..count)
            .map(|cut| if cut % 2 == 0 { random.index(self.events.len()) } else { said[random.index(said.len())] })
            .collect();
        cuts.sort_unstable();
        cuts
    }

    /// Returns what was promised at the end of the trace.
    fn replay(&self, trial: &Trial<'_>, part: u64, cuts: &[usize], tally: &mut Tally) -> Ledger {
        let (mut disk, mut ledger) = (self.disk.clone(), self.ledger.clone());
        let before = ledger.acknowledged();
        for (at, event) in self.events.iter().enumerate() {
            disk.apply(event);
            if let Event::Said(line) = event
                && let Some(word) = Word::parse(line)
            {
                ledger.hear(word);
            }
            for _ in cuts.iter().filter(|cut| **cut == at) {
                for survivors in SURVIVORS {
                    let moment = Moment { part, at, disk: &disk, ledger: &ledger };
                    self.cut(trial, &moment, survivors, tally);
                }
            }
        }
        tally.acknowledged += ledger.acknowledged() - before;
        if let Err(difference) = disk.compare(self.place.data.parent().unwrap(), &self.under_way) {
            tally.breaks(part, format!("the replay is wrong: {difference}"));
        }
        ledger
    }

    fn cut(
        &self,
        trial: &Trial<'_>,
        &Moment { part, at, disk, ledger }: &Moment<'_>,
        survivors: (Data, Names),
        tally: &mut Tally,
    ) {
        let mut random = trial.random(part << 32 | at as u64);
        let scratch = TempDir::new().unwrap();
        disk.build(survivors, &mut random, scratch.path());
        let examined = Examined::of(Examine {
            place: Place::new(trial.backend.kind, &scratch.path().join("data")),
            documents: self.documents,
            ledger: ledger.text(),
            writes: true,
        });
        let (data, names) = survivors;
        let case =
            format!("trace {part}, cut after event {at} of {}, data {data:?}, names {names:?}", self.events.len());
        examined.count_into(tally, tally.rounds, &case);
        for words in examined.words() {
            tally.breaks(tally.rounds, format!("{case}: {words}"));
        }
        tally.rounds += 1;
    }
}

/// A place in a trace, and what was on the disk and promised then.
struct Moment<'a> {
    part: u64,
    at: usize,
    disk: &'a Disk,
    ledger: &'a Ledger,
}

/// The files below a directory with their paths from there.
fn files_of(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = damage::files(directory).into_iter();
    files.map(|path| (path.strip_prefix(directory).unwrap().to_owned(), std::fs::read(&path).unwrap())).collect()
}
