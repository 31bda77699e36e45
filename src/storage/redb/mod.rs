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
//! - `store`: the [`Store`](super::Store) in front of all that.

mod batch;
mod database;
#[cfg(test)]
mod disk;
mod engine;
mod entry;
#[cfg(test)]
mod faults;
mod header;
mod quarantine;
mod reader;
mod remains;
mod rows;
mod schema;
mod staging;
mod store;
mod stub;
mod sweep;
#[cfg(test)]
mod tests;
mod transaction;
mod writer;

pub(super) use database::RedbStore;
