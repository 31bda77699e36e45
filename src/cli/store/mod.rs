//! `ydock store …`: what an operator does with a store.

mod stat;
mod verify;

use super::arguments::StoreCommand;
use super::door;
use super::error::CommandError;
use super::output::Outcome;

/// Carries out a command on a store.
///
/// # Errors
/// When it could not be carried out. What it found, such as damage, is no error but an [`Outcome`].
pub fn store(command: &StoreCommand) -> Result<Outcome, CommandError> {
    door::run(async {
        match command {
            StoreCommand::Stat(arguments) => stat::stat(arguments).await,
            StoreCommand::Verify(arguments) => verify::verify(arguments).await,
        }
    })
}
