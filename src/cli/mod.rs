//! The commands of the `ydock` program.

mod arguments;
mod serve;

pub use arguments::{Arguments, Command, Serve};
pub use serve::serve;
