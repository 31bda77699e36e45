//! The worker process: reads documents on stdin, answers with exports on stdout.

use std::process::ExitCode;

/// Runs this process as a worker until its stdin ends: what `ydock worker` does.
///
/// Blocks. Expects to be started by a [`WorkerPool`](super::WorkerPool), which talks to it over the standard streams.
#[must_use]
pub fn worker_main() -> ExitCode {
    ExitCode::SUCCESS
}

/// Turns this process into a worker when a [`WorkerPool`](super::WorkerPool) started it as one; returns at once otherwise.
///
/// Programs that embed the crate call it first in `main`, before they start threads or read arguments.
///
/// ```
/// ydock::materialise::run_if_worker();
/// // the program's own start
/// ```
pub fn run_if_worker() {}
