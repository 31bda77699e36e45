//! Reads a whole store as its users do when they want to know whether it is sound.

use std::process::ExitCode;
use std::time::Duration;

use crate::backend::Place;
use crate::child::{self, Role};
use crate::load::{say, with_sources};
use crate::served;

/// Whether the program has `ydock store verify --deep`; until it has, the library's own `verify` stands for it.
const BY_COMMAND: bool = false;

/// Reads the store; says what is wrong with it.
pub(crate) fn verify_deep(place: &Place) -> Result<(), String> {
    let mut command = if BY_COMMAND {
        let mut command = served::program();
        command.args(["store", "verify", "--deep", "--store", &place.kind.to_string(), "--data"]).arg(&place.data);
        command
    } else {
        Role::Verify(place.clone()).command()
    };
    let ended = child::run(&mut command, LIMIT, None);
    if ended.is_success() { Ok(()) } else { Err(format!("verify: {} {}", ended.output.trim(), ended.story())) }
}

/// Verifies in this process.
pub(crate) fn run(place: &Place) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        let store = ydock::storage::open(&place.config())?;
        let report = ydock::storage::verify(&*store, |_| {}).await?;
        store.close().await.map(|()| report)
    });
    match outcome {
        Ok(report) if report.is_sound() => ExitCode::SUCCESS,
        Ok(report) => {
            say(&format!("{report:?}\n"));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("{}\n", with_sources(&error)));
            ExitCode::FAILURE
        }
    }
}

const LIMIT: Duration = Duration::from_mins(1);
