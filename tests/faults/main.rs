//! Faults against every store: processes killed, power cut, files damaged, disks full, directories taken or read-only, and
//! stores that are slow or away. Prints a table and fails when a store breaks a promise that it makes.
//!
//! `cargo test --test faults` runs the short form, `make faults` the long one. `YDOCK_FAULTS_ONLY=kill,power` (or arguments)
//! picks faults, `YDOCK_FAULTS_SEED` repeats a run. The stores stand in `backend.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise, and this one prints its results"
)]

mod authors;
mod backend;
mod child;
#[path = "../it/client.rs"]
#[expect(dead_code, reason = "shared with tests that do more with it")]
mod client;
mod content;
mod damage;
mod examine;
mod full_store;
mod herd;
mod isolated;
mod kill;
mod ledger;
mod load;
mod outage;
mod plan;
mod power;
mod random;
mod read_only;
mod second;
mod served;
mod served_outage;
mod small_disk;
mod table;
mod tally;
mod trial;
mod verify;
#[path = "../it/yjs.rs"]
#[expect(dead_code, reason = "shared with tests that do more with it")]
mod yjs;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::thread;

use tokio::time::Instant;

use crate::backend::{BACKENDS, Backend};
use crate::child::Role;
use crate::plan::{Plan, seconds_since};
use crate::table::{Conclusion, Row};
use crate::tally::Tally;
use crate::trial::{Fault, Trial, Where};

/// All of them, in the order in which they run.
const FAULTS: &[Fault] = &[
    Fault { name: "kill", may_refuse: false, is_patient: false, run: kill::run },
    Fault { name: "kill under a herd", may_refuse: false, is_patient: false, run: herd::run },
    Fault { name: "power", may_refuse: false, is_patient: false, run: power::run },
    Fault { name: "damage after close", may_refuse: true, is_patient: false, run: damage::run_closed },
    Fault { name: "damage after kill", may_refuse: true, is_patient: false, run: damage::run_killed },
    Fault { name: "store slow", may_refuse: false, is_patient: true, run: outage::run_slow },
    Fault { name: "store away", may_refuse: false, is_patient: true, run: outage::run_away },
    Fault { name: "store away, members leave", may_refuse: false, is_patient: true, run: outage::run_left },
    Fault { name: "second process", may_refuse: false, is_patient: true, run: second::run },
    Fault { name: "read-only at start", may_refuse: false, is_patient: true, run: read_only::run },
    Fault { name: "read-only while serving", may_refuse: false, is_patient: true, run: served_outage::run_read_only },
    Fault { name: "full below the store", may_refuse: false, is_patient: true, run: full_store::run },
    Fault { name: "full below the server", may_refuse: false, is_patient: true, run: served_outage::run_full },
    Fault { name: "stop while full", may_refuse: false, is_patient: true, run: served_outage::run_stop },
];

fn main() -> ExitCode {
    if let Some(role) = Role::of_this_process() {
        return role.play();
    }
    let plan = match Plan::read() {
        Ok(plan) => plan,
        Err(what) => {
            println!("{what}");
            return ExitCode::from(2);
        }
    };
    if std::env::args().any(|argument| argument == "--list") {
        for fault in FAULTS {
            println!("{}: test", fault.name);
        }
        return ExitCode::SUCCESS;
    }
    if !FAULTS.iter().any(|fault| plan.wants(fault.name)) {
        println!("no fault has any of these names in its own: {}", plan.wanted.join(", "));
        return ExitCode::from(2);
    }
    table::print_head(&plan);
    let mut is_broken = false;
    for backend in BACKENDS {
        let wanted: Vec<_> = FAULTS.iter().filter(|fault| plan.wants(fault.name)).collect();
        for fault in wanted.iter().filter(|fault| !fault.is_patient) {
            is_broken |= try_out(*backend, fault, &plan) == Conclusion::Broken;
        }
        let patient = wanted.iter().filter(|fault| fault.is_patient);
        is_broken |= thread::scope(|scope| {
            let started: Vec<_> = patient.map(|fault| scope.spawn(|| try_out(*backend, fault, &plan))).collect();
            let conclusions: Vec<_> = started.into_iter().map(|trial| trial.join().unwrap()).collect();
            conclusions.contains(&Conclusion::Broken)
        });
    }
    table::print_legend();
    if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn try_out(backend: Backend, fault: &Fault, plan: &Plan) -> Conclusion {
    let started = Instant::now();
    let trial = Trial { fault: fault.name, backend, plan, place: Where::Table };
    // A surprise in one of them leaves the others' rows in the table.
    let tally = panic::catch_unwind(AssertUnwindSafe(|| (fault.run)(&trial))).unwrap_or_else(|_| {
        let mut tally = Tally::default();
        tally.breaks(0, "the trial itself panicked, see above");
        tally
    });
    let conclusion = if tally.skipped.is_some() {
        Conclusion::Skipped
    } else if tally.is_kept(fault.may_refuse) {
        Conclusion::Kept
    } else if backend.enforces(fault.name) {
        Conclusion::Broken
    } else {
        Conclusion::Reported
    };
    let (store, seconds) = (backend.kind.to_string(), seconds_since(started));
    table::print(&Row { store, fault: fault.name, seconds, conclusion, tally: &tally });
    conclusion
}
