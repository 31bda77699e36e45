//! A second engine: [sled](https://docs.rs/sled) 0.34, with shields.
//!
//! sled says that data is flushed when the disk may not have it, keeps values above a quarter of a segment in files that it
//! never syncs, reads damaged bytes without noticing, and panics on some of them. So here every commit ends with syncs of
//! our own, no record is long, every record carries our checksum, and panics are errors of the store. What that does not
//! mend is said in `docs/storage.md`.
//!
//! - `keys`: what lies where in the one tree; `rows`: the rows of a transaction;
//! - `files`: syncing what sled has written; `database`: how it is opened, what a transaction is, what errors mean.

mod database;
mod files;
mod keys;
mod rows;
#[cfg(test)]
mod tests;

pub(super) use database::SledStore;
