//! The Yjs side of the server, as pure functions over bytes.
//!
//! Updates stay encoded. [`UpdateRef`] proves that bytes from outside are an update and walks them. [`merge()`],
//! [`diff()`] and [`split`] make new updates out of encoded ones without building a document, [`collect()`] one that has
//! forgotten what was deleted. [`DocumentIndex`] knows of one open document which ids it has and where they stand, and
//! so decides whether an update is new, complete, early or hostile.
//!
//! Architecture invariant: nothing here reads a clock, does IO or awaits, and nothing here is yrs.

mod any;
mod block;
mod collect;
mod content;
mod diff;
mod document;
mod fragment;
mod gate;
mod id_set;
mod json;
mod merge;
mod message;
mod roots;
#[cfg(test)]
mod samples;
mod scan;
mod state_vector;
mod writer;

pub use block::{Block, Body, CLOCK_END, Id, Item, Parent};
pub(crate) use collect::collect_merged;
pub use collect::{collect, is_collection_of};
pub use content::{Content, TypeKind};
pub use diff::{deletions_of, diff, split, state_vector_of};
pub use document::DocumentBytes;
pub use gate::{DocumentIndex, Integration, LoadError, Refusal};
pub use id_set::IdSet;
pub use merge::merge;
pub use message::{SyncMessage, SyncMessageError};
pub use roots::{RootKind, root_kinds};
pub use scan::{Deletes, Deletion, ScanError, Section, Sections, UpdateRef};
pub use state_vector::{StateVector, StateVectorError};
