//! What is asked of a materialiser, and what can go wrong.

use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{DocName, Generation};
use crate::sync::{DocumentBytes, RootKind};

/// Identifies what may stay loaded between exports: under one key, equal version numbers mean equal updates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentKey {
    /// The document's name.
    pub name: DocName,
    /// The life of the name that the bytes belong to.
    pub generation: Generation,
}

/// A document to be exported, with the version numbers of its parts.
#[derive(Debug, Clone)]
pub struct Source {
    /// Which document this is.
    pub key: DocumentKey,
    /// Its content.
    pub bytes: DocumentBytes,
    /// The snapshot covers the updates 1 to this one; 0 without a snapshot.
    pub snapshot_upto: u64,
    /// The number of the last update in the tail: the tail holds `snapshot_upto + 1` to this one.
    pub head: u64,
}

/// The form in which a document leaves.
///
/// A root that the document does not have is exported as an empty one, as Yjs does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Export {
    /// One JSON object with a member for each root: what JavaScript's `JSON.stringify` makes of the root's `toJSON()`.
    ///
    /// Keys are sorted. A `bigint`, which `JSON.stringify` refuses, is a number below 2⁵³ and a string from there on.
    Json {
        /// The roots, each once.
        roots: Vec<Root>,
    },
    /// The `toString()` of each root, joined by line feeds. Arrays and maps have no text and are left out.
    Text {
        /// The roots, in the order in which they come out.
        roots: Vec<Root>,
    },
    /// The whiteboard in a map as one SVG: the shapes that can be drawn, on light paper.
    ///
    /// The same board gives the same bytes. A board without shapes gives an empty picture of one by one pixel.
    Svg {
        /// The map's name in the document.
        root: String,
    },
}

/// A shared type at the top of a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Root {
    /// Its name in the document.
    pub name: String,
    /// As what it is read.
    pub kind: RootKind,
}

/// Why a document was not exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MaterialiseError {
    /// No answer within the time limit. Asking again for the same version soon gives the same answer without work.
    #[error("the export took longer than its time limit")]
    Timeout,
    /// The document kills every process that integrates it, and no single update could be blamed.
    #[error("the document cannot be integrated: it ends every process that tries")]
    Crashed,
    /// The document, one of its updates or the export is larger than the limits allow.
    #[error("the document or its export has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// What was needed, in bytes.
        bytes: u64,
        /// What is allowed, in bytes.
        limit: u64,
    },
    /// The document was read and cannot be exported.
    #[error("the document cannot be exported")]
    Refused(#[from] Refusal),
    /// Too many exports wait already; a later attempt may succeed.
    #[error("too many exports are waiting")]
    Busy,
    /// No worker process could be started; a later attempt may succeed.
    #[error("no worker process could be started")]
    Unavailable(#[source] io::Error),
    /// The materialiser has been closed.
    #[error("exports have ended because the server is closing")]
    Closed,
}

/// Why a document that was read cannot be exported.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// The snapshot is not an update that the engine reads.
    #[error("the snapshot cannot be decoded: {reason}")]
    Undecodable {
        /// The engine's own words.
        reason: String,
    },
    /// The document holds something that the engine does not implement.
    #[error("the document holds {feature}, which exports do not support")]
    Unsupported {
        /// What it holds, in the plural.
        feature: String,
    },
    /// The engine gave up on the document.
    #[error("the engine gave up: {message}")]
    Failed {
        /// Its error or the message of its panic.
        message: String,
    },
    /// Types or values lie in each other more deeply than the limit.
    #[error("the document nests deeper than {limit} levels")]
    TooDeep {
        /// The deepest level that is exported.
        limit: u32,
    },
}
