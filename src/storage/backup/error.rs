//! What is wrong with a backup, and where.

use std::fmt;

use thiserror::Error;

use crate::ids::DocName;

/// Why a backup cannot be read, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The file is something else.
    #[error("it is no backup of ydock")]
    Foreign,
    /// A newer version wrote it.
    #[error("it has version {found}, and this version reads up to {max}: use the newer one that wrote it")]
    Version {
        /// The version found.
        found: u32,
        /// The newest version known.
        max: u32,
    },
    /// The end is missing.
    #[error("it is incomplete, it ends {0}")]
    Incomplete(BackupPlace),
    /// Bytes were changed, lost or added.
    #[error("it is damaged {place}: {what}")]
    Damaged {
        /// Where.
        place: BackupPlace,
        /// What is wrong.
        what: &'static str,
    },
    /// A document is larger than the reader was allowed to hold.
    #[error("the document {doc:?} has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// The document.
        doc: DocName,
        /// Its bytes.
        bytes: u64,
        /// The most that the reader may hold.
        limit: u64,
    },
    /// Whoever wrote it could not go on.
    #[error("it was given up while it was written: {reason}")]
    GivenUp {
        /// Why.
        reason: String,
    },
}

/// A place in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPlace {
    /// Bytes before it.
    pub position: u64,
    /// The document there, or the last one before it.
    pub doc: Option<DocName>,
}

impl fmt::Display for BackupPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}", self.position)?;
        match &self.doc {
            Some(doc) => write!(f, ", in or after the document {doc:?}"),
            None => f.write_str(", before the first document"),
        }
    }
}
