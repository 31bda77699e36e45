//! What a command leaves behind: its results on stdout, its exit code, and the forms of numbers.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use bytesize::ByteSize;
use serde::Serialize;

use super::error::CommandError;

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is to be remarked.
    Done,
    /// Something was found that an operator has to know.
    Found,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Found => Self::from(FOUND),
        }
    }
}

/// Writes to stdout.
pub(super) fn print(text: impl fmt::Display) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(CommandError::Output)
}

/// Writes one JSON object to stdout.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string(value).map_err(|error| CommandError::Output(error.into()))?;
    print(text)
}

/// Says something on stderr that is no result.
pub(super) fn remark(text: impl fmt::Display) {
    let _nobody_reads = writeln!(io::stderr(), "{text}").is_err();
}

/// Bytes as people read them: `1.2 MiB`.
pub(super) fn size(bytes: u64) -> String {
    ByteSize(bytes).display().iec().to_string()
}

/// `1 document`, `2 documents`.
pub(super) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The exit code that says that something was found; 1 says that the command failed.
const FOUND: u8 = 2;
