//! Runs a fault in a process that may mount file systems of its own: nothing of them outlives it, and nobody else sees them.
//!
//! Where that is not permitted, a bound on the length of files takes the place of a small disk.

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ydock::storage::StoreKind;

use crate::backend::BACKENDS;
use crate::child::{self, Outcome, Role};
use crate::load::say;
use crate::plan::{Length, Plan};
use crate::tally::Tally;
use crate::trial::Trial;
use crate::{FAULTS, trial};

/// Which fault, against which store, within which plan.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Isolated {
    fault: String,
    kind: StoreKind,
    seed: u64,
    is_long: bool,
    may_mount: bool,
}

/// Runs the trial's fault again, elsewhere.
pub(crate) fn run(trial: &Trial<'_>) -> Tally {
    let namespace = namespace();
    let is_long = trial.plan.length == Length::Long;
    let role = Role::Isolated(Isolated {
        fault: trial.fault.to_owned(),
        kind: trial.backend.kind,
        seed: trial.plan.seed,
        is_long,
        may_mount: namespace.is_some(),
    });
    // Ignored, the signal of a file that grows too long leaves a write that fails.
    let mut command = namespace.unwrap_or_else(|| {
        let mut command = Command::new("bash");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
        command
    });
    command.arg(std::env::current_exe().unwrap());
    role.give_to(&mut command);
    let ended = child::run(&mut command, Duration::from_mins(4), None);
    if let Some(tally) = ended.output.lines().last().and_then(|line| serde_json::from_str(line).ok()) {
        return tally;
    }
    let mut tally = Tally { rounds: 1, ..Tally::default() };
    match ended.outcome {
        Outcome::OutOfTime => tally.hangs += 1,
        _ => tally.panics += 1,
    }
    tally.breaks(0, ended.story());
    tally
}

impl Isolated {
    pub(crate) fn run(self) -> ExitCode {
        let length = if self.is_long { Length::Long } else { Length::Short };
        let plan = Plan { length, seed: self.seed, wanted: Vec::new() };
        let fault = FAULTS.iter().find(|fault| fault.name == self.fault).unwrap();
        let backend = *BACKENDS.iter().find(|backend| backend.kind == self.kind).unwrap();
        let place = if self.may_mount { trial::Where::MayMount } else { trial::Where::MayNotMount };
        let tally = (fault.run)(&Trial { fault: fault.name, backend, plan: &plan, place });
        say(&format!("{}\n", serde_json::to_string(&tally).unwrap()));
        ExitCode::SUCCESS
    }
}

/// The beginning of a command that runs the rest of it where it may mount, and ends all that it started with it.
fn namespace() -> Option<Command> {
    let wrappings = [&["--mount"][..], &["--user", "--map-root-user", "--mount"]];
    let mut commands = wrappings.iter().map(|wrapping| {
        let mut command = Command::new("unshare");
        command.args(*wrapping).args(["--pid", "--fork", "--kill-child"]);
        command
    });
    let is_permitted = |command: &Command| {
        let mut trying = Command::new(command.get_program());
        trying.args(command.get_args()).args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
        trying.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        trying.status().is_ok_and(|status| status.success())
    };
    commands.find(is_permitted)
}
