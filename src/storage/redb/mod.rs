//! The default engine: one [redb](https://docs.rs/redb) file, a copy-on-write tree with checksums.
//!
//! - `schema`: the tables of the file;
//! - `transaction`: the rows of a transaction;
//! - `database`: how the file is opened, and what errors mean;
//! - `start`: opening the file at first, `raw`: reading a file that redb refuses.

#[cfg(test)]
mod damage;
mod database;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod faults;
mod raw;
mod schema;
mod start;
#[cfg(test)]
mod tests;
mod transaction;

pub(super) use database::RedbStore;
pub use raw::Rebuilt;
pub(super) use start::rescue;
