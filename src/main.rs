//! The `ydock` command: flags to configuration, configuration to a running server, its end to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().skip(1).eq(["worker"]) {
        return ydock::materialise::worker_main();
    }
    ExitCode::SUCCESS
}
