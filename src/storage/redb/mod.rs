//! The default store: one [redb](https://docs.rs/redb) file, a copy-on-write tree with checksums.
//!
//! ```text
//! append, delete, compact ─▶ bounded queue ─▶ writer thread ─▶ one transaction, one fsync ─▶ all answers
//! load, stat, list, verify ─▶ blocking threads, each in a read transaction, never behind the writer
//! ```
//!
//! - `schema`, `header`, `stub`: what lies where in the file;
//! - `batch`, `staging`, `sweep`: the three kinds of write transaction;
//! - `writer`: the thread that runs them; `reader`, `remains`: the read transactions;
//! - `engine`: the open database, opened anew after an I/O error;
//! - `start`: opening the file at first, `index`: what is checked then, `raw`: reading a file that redb refuses;
//! - `store`: the [`Store`](super::Store) in front of all that.

mod batch;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod disk;
mod engine;
#[cfg(test)]
mod faults;
mod header;
mod index;
mod raw;
mod reader;
mod remains;
mod schema;
mod staging;
mod start;
mod store;
mod stub;
mod sweep;
#[cfg(test)]
mod tests;
mod writer;

pub use raw::Rebuilt;
pub(super) use start::rescue;
pub(super) use store::RedbStore;
