//! The commands of the `ydock` program.

mod arguments;
mod documents;
mod door;
mod error;
mod files;
mod heap;
mod new_store;
mod output;
mod progress;
mod serve;
mod settings;
mod store;
mod token;

pub use arguments::{
    Arguments, Backup, Command, Compact, Export, Import, Migrate, Restore, Salvage, Serve, Stat, StoreCommand,
    StoreFlags, StorePlace, StorePlaceError, Token, Verify,
};
pub use documents::{export, import};
pub use error::CommandError;
pub use heap::settle_heap;
pub use output::Outcome;
pub use serve::{ServeError, serve};
pub use store::store;
pub use token::token;
