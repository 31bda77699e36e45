//! Runs a fault in a process that may mount file systems of its own: nothing of them outlives it, and nobody else sees them.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

/// Which fault, against which store.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Isolated {}

impl Isolated {
    pub(crate) fn run(self) -> ExitCode {
        ExitCode::SUCCESS
    }
}
