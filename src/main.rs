//! The `ydock` command: flags to configuration, configuration to a running server, its end to an exit code.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use ydock::cli::{self, Arguments, Command, Outcome};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.command {
        Command::Worker => return ydock::materialise::worker_main(),
        Command::Serve(flags) => {
            cli::settle_heap();
            cli::serve(flags).map(|()| Outcome::Done).context("ydock")
        }
        Command::Store { command } => cli::store(command).context("ydock"),
        Command::Export(arguments) => cli::export(arguments).context("ydock"),
        Command::Import(arguments) => cli::import(arguments).context("ydock"),
        Command::Token(arguments) => cli::token(arguments).context("ydock"),
    };
    match outcome {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            // One line: what failed, and why, outermost first.
            let _nobody_reads = writeln!(std::io::stderr(), "{error:#}").is_err();
            ExitCode::FAILURE
        }
    }
}
