//! The commands of the `ydock` program.

mod arguments;
mod door;
mod error;
mod output;
mod progress;
mod serve;
mod settings;
mod store;

pub use arguments::{Arguments, Command, Serve, Stat, StoreCommand, StoreFlags, Verify};
pub use error::CommandError;
pub use output::Outcome;
pub use serve::{ServeError, serve};
pub use store::store;
