//! `ydock store …`: what an operator does with a store.

mod backup;
mod compact;
mod migrate;
mod restore;
mod salvage;
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
            StoreCommand::Backup(arguments) => backup::backup(arguments).await,
            StoreCommand::Restore(arguments) => restore::restore(arguments).await,
            StoreCommand::Compact(arguments) => compact::compact(arguments).await,
            StoreCommand::Salvage(arguments) => salvage::salvage(arguments).await,
            StoreCommand::Migrate(arguments) => migrate::migrate(arguments).await,
        }
    })
}
