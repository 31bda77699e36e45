//! Reads a whole store as its users do when they want to know whether it is sound.

use std::time::Duration;

use crate::backend::Place;
use crate::child;
use crate::served;

/// Reads the store; says what is wrong with it.
pub(crate) fn verify_deep(place: &Place) -> Result<(), String> {
    let mut command = served::program();
    command.args(["store", "verify", "--deep", "--store", &place.kind.to_string(), "--data"]).arg(&place.data);
    let ended = child::run(&mut command, LIMIT, None);
    if ended.is_success() { Ok(()) } else { Err(format!("verify: {} {}", ended.output.trim(), ended.story())) }
}

const LIMIT: Duration = Duration::from_mins(1);
