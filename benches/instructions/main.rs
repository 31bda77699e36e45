//! The gate of the hot paths: how many instructions each takes, compared with what it took before.
//!
//! `make instructions` counts and compares, `make instructions-baseline` counts and writes `baseline.toml`. Each case runs in
//! a process of its own under valgrind's callgrind, which counts what happens inside of [`counted`] only. Unlike times, counts
//! are nearly the same in each run and on each machine, however busy it is.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a gate says what it found, and may stop at the first surprise"
)]

mod baseline;
mod callgrind;
mod cases;
mod fanout;
mod samples;

use std::hint::black_box;
use std::process::ExitCode;

use baseline::{Baseline, Verdict};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let Some([_, name]) = arguments.windows(2).find(|pair| pair[0] == callgrind::CASE) {
        (cases::named(name).run)();
        return ExitCode::SUCCESS;
    }
    let counts = cases::CASES.iter().map(|case| Ok((case.name.to_owned(), callgrind::count(case.name)?)));
    let counted = match counts.collect::<Result<_, callgrind::NotCounted>>() {
        Ok(counts) => Baseline::of_this_compiler(counts),
        Err(error) => {
            eprintln!("instructions: {error}");
            return ExitCode::FAILURE;
        }
    };
    let before = Baseline::read();
    println!("{}", table(&before, &counted));
    if arguments.iter().any(|argument| argument == "--write") {
        counted.write();
        return ExitCode::SUCCESS;
    }
    report(&before, &counted)
}

/// Says whether the counts pass.
fn report(before: &Baseline, counted: &Baseline) -> ExitCode {
    let verdicts: Vec<_> = cases::CASES.iter().map(|case| counted.verdict(before, case.name)).collect();
    if verdicts.contains(&Verdict::New) {
        eprintln!("instructions: a case is not in the baseline: `make instructions-baseline` adds it.");
        return ExitCode::FAILURE;
    }
    if !counted.is_comparable_to(before) {
        println!(
            "Not judged: the baseline is of rustc {} for {}, this is rustc {} for {}.",
            before.rustc, before.target, counted.rustc, counted.target
        );
        return ExitCode::SUCCESS;
    }
    if verdicts.contains(&Verdict::Worse) {
        eprintln!(
            "instructions: more than {} % above the baseline. If it is worth it: `make instructions-baseline`, and the commit says why.",
            baseline::TOLERANCE
        );
        return ExitCode::FAILURE;
    }
    if verdicts.contains(&Verdict::Better) {
        println!("Something takes fewer instructions now: `make instructions-baseline` keeps it so.");
    }
    ExitCode::SUCCESS
}

fn table(before: &Baseline, counted: &Baseline) -> String {
    let mut lines = vec![format!("{:<28} {:>12} {:>12} {:>8}   {:>9}", "case", "baseline", "now", "change", "each")];
    for case in cases::CASES {
        let (old, now) = (before.count(case.name), counted.count(case.name).unwrap_or(0));
        let change = old.map_or("new".to_owned(), |old| format!("{:+.1} %", baseline::change(old, now)));
        let old = old.map_or(String::new(), |old| old.to_string());
        let mark = counted.verdict(before, case.name).mark();
        let each = now / case.units;
        let line = format!("{:<28} {old:>12} {now:>12} {change:>8}   {each:>9} a {:<8}  {mark}", case.name, case.unit);
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

/// What is counted: everything that happens in here, on this thread. `callgrind` knows it by its name.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}
