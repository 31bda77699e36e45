//! A store in a database of one engine: everything about it but the engine.
//!
//! ```text
//! append, delete, compact ─▶ bounded queue ─▶ writer thread ─▶ one transaction, one fsync ─▶ all answers
//! load, stat, list, verify ─▶ blocking threads, each in a read transaction, never behind the writer
//! ```
//!
//! - `rows`: what an engine brings: rows, transactions, an open database;
//! - `header`, `stub`, `entry`: what lies in the rows, and how a name leads there;
//! - `batch`, `staging`, `sweep`: the three kinds of write transaction;
//! - `writer`: the thread that runs them, `reply`: who hears of it; `reader`, `remains`: the read transactions;
//! - `index`: what is checked at the start;
//! - `engine`: the open database, opened anew after an I/O error; `calls`: whether it answers; `quarantine`: the damaged
//!   documents;
//! - `store`: the [`Store`](super::Store) in front of all that.

mod batch;
mod calls;
mod engine;
mod entry;
mod header;
mod index;
mod quarantine;
mod reader;
mod remains;
mod reply;
mod rows;
mod staging;
mod store;
mod stub;
mod sweep;
mod writer;

pub(super) use engine::{Fault, Opener, OtherFormat};
pub(super) use header::Header;
pub(super) use index::{Index, check_index};
pub(super) use rows::{Budget, Changes, Database, Names, Rows, Span, Table, TrashKey};
pub(super) use store::DurableStore;
