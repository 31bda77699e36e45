//! The default engine: one [redb](https://docs.rs/redb) file, a copy-on-write tree with checksums.
//!
//! - `schema`: the tables of the file;
//! - `transaction`: the rows of a transaction;
//! - `database`: how the file is opened, and what errors mean.

mod database;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod faults;
mod schema;
#[cfg(test)]
mod tests;
mod transaction;

pub(super) use database::RedbStore;
