//! What can go wrong with a room, by what the caller can do.

use thiserror::Error;

use crate::delivery::Ending;
use crate::hooks::{HookError, Refusal};
use crate::storage::StoreError;
use crate::sync::ScanError;

/// Why a session could not join a room.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// As many rooms or members as allowed are there already: try again later.
    #[error("no room is left for another document or member")]
    Full,
    /// The server is stopping: connect again.
    #[error("the server is shutting down")]
    Stopping,
    /// The document could not be loaded.
    #[error("the document could not be loaded")]
    Load(#[source] StoreError),
    /// The stored updates are no document.
    #[error("the stored document is inconsistent")]
    Inconsistent,
    /// A hook refused to begin the document.
    #[error(transparent)]
    Refused(Refusal),
    /// The hook that was to begin the document failed, or its answer cannot be taken.
    #[error("the document cannot be begun")]
    NotBegun,
    /// The room failed while the session was joining: try again.
    #[error("the room failed")]
    Failed,
}

impl JoinError {
    /// What a client is told, without internals.
    #[must_use]
    pub fn ending(&self) -> Ending {
        match self {
            Self::Full => Ending::Full,
            Self::Stopping => Ending::ShuttingDown,
            Self::Load(StoreError::Corrupt { .. }) | Self::Inconsistent => Ending::Damaged,
            Self::Load(_) => Ending::Unavailable("the document cannot be loaded now, try again later".to_owned()),
            Self::Refused(reason) => Ending::Forbidden(reason.to_string()),
            Self::NotBegun => Ending::Unavailable("the document cannot be opened now, try again later".to_owned()),
            Self::Failed => Ending::RoomFailed,
        }
    }
}

impl From<HookError> for JoinError {
    fn from(error: HookError) -> Self {
        match error {
            HookError::Refused(reason) => Self::Refused(reason),
            HookError::Failed => Self::NotBegun,
        }
    }
}

/// Why an update was not stored.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The room could not be opened.
    #[error("the document could not be opened")]
    Join(#[from] JoinError),
    /// The bytes are no update, or one that no Yjs document produces.
    #[error("the update is refused: {0}")]
    Refused(String),
    /// The update or the document would be larger than allowed.
    #[error("{0}")]
    TooLarge(String),
    /// The update needs others that the server does not have. What did not need them was stored.
    #[error("the update builds on others that are missing here")]
    Missing,
    /// The update belongs to a deleted document.
    #[error("the update belongs to a document that was deleted")]
    Deleted,
    /// The room ended before the update was durable: it may or may not be stored.
    #[error("the room ended before the update was durable")]
    Interrupted,
}

/// Why a document could not be read.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such document.
    #[error("there is no such document")]
    Unknown,
    /// It could not be loaded.
    #[error("the document could not be loaded")]
    Load(#[from] StoreError),
}

/// Why a document's parts were not made into one snapshot.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum CondenseError {
    /// A part is no update.
    #[error("the document cannot be merged")]
    Merge(#[from] ScanError),
    /// The merged bytes do not hold what the parts hold.
    #[error("the merged document differs from its updates")]
    Different,
}

/// Why a document was not deleted.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum DeleteError {
    /// There is no such document.
    #[error("there is no such document")]
    Unknown,
    /// The room could not be opened.
    #[error("the document could not be opened")]
    Join(#[from] JoinError),
    /// The store did not delete it.
    #[error("the store did not delete the document")]
    Store(#[from] StoreError),
}
