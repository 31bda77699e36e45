//! Load on Yjs servers from end to end: `make bench`, or `cargo bench --bench load -- fanout --servers relay,ydock`.
//!
//! Each server in turn is a child process with an empty data directory. The members are clients of their own on one thread, so
//! that the load costs little: what they send are real Yjs updates, whose arrival at everybody else is timed and checked. A run
//! that misses anything says `LOST` and fails. The first server is a bare relay, the ceiling; the figures of the others are also
//! given as ratios to its.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark may stop at the first surprise, and this one prints its results"
)]

mod arguments;
mod axis;
mod crowd;
mod document;
mod hearing;
mod histogram;
mod ledger;
mod limits;
mod member;
mod relay;
mod report;
mod scenarios;
mod server;
mod stored;
mod table;
mod usage;
mod wire;
mod yjs;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tempfile::TempDir;
use tokio::task::LocalSet;

use crate::arguments::{Arguments, Scenario, Shape};
use crate::report::Report;
use crate::server::{Kind, Server};
use crate::table::{Outcome, Table};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().collect();
    if words.get(1).is_some_and(|word| word == "relay") {
        let flaw = words.get(3).map(|number| number.parse().unwrap());
        relay::serve(words[2].parse().unwrap(), flaw).unwrap();
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::parse();
    limits::open_many_files();
    let place = arguments.data.clone().unwrap_or_else(data_place);
    println!("data in {}\n", place.display());
    let mut report = if arguments.write { Report::kept(arguments.report_name()).unwrap() } else { Report::default() };
    report.introduce(arguments.servers(), arguments.rounds);
    let mut is_broken = false;
    for scenario in arguments.scenarios() {
        for shapes in arguments.tables(scenario) {
            report.line(&format!("\n### {}\n", scenario.title(&shapes[0])));
            let servers = arguments.servers().iter().copied();
            let servers: Vec<_> = servers.filter(|kind| shapes[0].concerns(*kind)).collect();
            for (kind, why) in servers.iter().filter_map(|kind| Some((*kind, kind.missing()?))) {
                report.line(&format!("<!-- {kind} is left out: {why} -->"));
            }
            let mut table = Table::default();
            for shape in &shapes {
                table.begin_point(shape);
                let present: Vec<_> = servers.iter().copied().filter(|kind| kind.missing().is_none()).collect();
                for (kind, outcome) in try_in_turns(&present, arguments.rounds, scenario, shape, &place) {
                    match outcome {
                        Ok(outcome) => table.row(&mut report, kind, &outcome),
                        Err(why) => table.fail(&mut report, kind, &why),
                    }
                }
            }
            is_broken |= table.is_broken;
        }
    }
    report.end().unwrap();
    if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Tries the servers one after the other, as often as there are rounds: a machine that is slow for a while is slow for all.
/// With a single round each outcome comes as soon as it is there.
fn try_in_turns<'a>(
    servers: &'a [Kind],
    rounds: u16,
    scenario: Scenario,
    shape: &'a Shape,
    place: &'a PathBuf,
) -> impl Iterator<Item = (Kind, Result<Outcome, String>)> + 'a {
    let try_out = move |kind: &Kind| try_out(*kind, scenario, shape, place);
    let earlier: Vec<Vec<_>> = (1..rounds).map(|_| servers.iter().map(try_out).collect()).collect();
    servers.iter().enumerate().map(move |(number, kind)| {
        let last = std::iter::once(try_out(kind));
        let rounds: Result<Vec<_>, _> = earlier.iter().map(|round| round[number].clone()).chain(last).collect();
        (*kind, rounds.map(|rounds| Outcome::median(&rounds)))
    })
}

fn try_out(kind: Kind, scenario: Scenario, shape: &Shape, place: &PathBuf) -> Result<Outcome, String> {
    let data = TempDir::with_prefix_in("ydock-load-", place).map_err(|error| error.to_string())?;
    let mut server = Server::start(kind, data.path())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, scenario.run(&mut server, shape))
}

/// The directory for temporary files, unless it is in memory.
fn data_place() -> PathBuf {
    const TMPFS: u64 = 0x0102_1994;
    let place = std::env::temp_dir();
    let is_in_memory = rustix::fs::statfs(&place).is_ok_and(|found| u64::try_from(found.f_type) == Ok(TMPFS));
    if is_in_memory { env!("CARGO_TARGET_TMPDIR").into() } else { place }
}
