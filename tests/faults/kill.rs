//! SIGKILL at any moment of a mixed load: everything that was acknowledged is there, whole, and the next start goes on.

use std::time::Duration;

use tempfile::TempDir;

use crate::backend::Place;
use crate::child::{self, Kill, Outcome, Role};
use crate::content::{Script, Sizes};
use crate::examine::{Examine, Examined};
use crate::ledger::{Documents, Ledger, Word};
use crate::load::{End, LIMIT, Load};
use crate::tally::Tally;
use crate::trial::Trial;

/// So many rounds use the same directory, one after the other.
const ROUNDS_A_DIRECTORY: u64 = 10;
const DOCUMENTS: u64 = 20;

pub(crate) fn run(trial: &Trial<'_>) -> Tally {
    let mut tally = Tally::default();
    let mut scratch = TempDir::new().unwrap();
    let mut ledger = Ledger::default();
    for round in 0..trial.plan.pick(6, 50) {
        if round % ROUNDS_A_DIRECTORY == 0 {
            scratch = TempDir::new().unwrap();
            ledger = Ledger::default();
        }
        let mut random = trial.random(round);
        let script = Script { seed: trial.plan.seed ^ (round / ROUNDS_A_DIRECTORY), sizes: Sizes::Mixed };
        let documents = Documents { script, count: DOCUMENTS };
        let place = Place::new(trial.backend.kind, &scratch.path().join("data"));
        let load = Load { place: place.clone(), documents, is_parallel: true, end: End::Never };
        let lifetime = Duration::from_millis(random.between(30, 700));
        let ended = child::run(&mut Role::Load(load).command(), LIMIT, Some(Kill { after: "appended", lifetime }));
        tally.rounds += 1;
        match ended.outcome {
            Outcome::Killed => {}
            Outcome::OutOfTime => {
                tally.hangs += 1;
                tally.breaks(round, format!("HANG: the load said nothing more: {}", ended.story()));
            }
            Outcome::Exited(_) => {
                tally.breaks(round, format!("the load ended: {} {}", last(&ended.output), ended.story()));
            }
        }
        let before = ledger.acknowledged();
        ended.output.split_inclusive('\n').filter_map(Word::parse).for_each(|word| ledger.hear(word));
        tally.acknowledged += ledger.acknowledged() - before;
        let examined = Examined::of(Examine { place, documents, ledger: ledger.text(), writes: false });
        let case = format!("killed {} ms after its first acknowledgement", lifetime.as_millis());
        examined.count_into(&mut tally, round, &case);
        for words in examined.words() {
            tally.breaks(round, format!("{case}: {words}"));
        }
    }
    tally.insist(0, tally.acknowledged > 100, || "too few updates were acknowledged to mean anything".to_owned());
    tally
}

fn last(output: &str) -> &str {
    output.lines().last().unwrap_or_default()
}
