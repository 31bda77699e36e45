//! What somebody may do with a document, decided once when a session begins.

use serde::{Deserialize, Serialize};

/// What a session may do, each role including the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Receives the document and takes part in presence.
    View,
    /// Sends typing notes and events too.
    Comment,
    /// Changes the document.
    Edit,
}

/// The outcome of asking who somebody is: carried by every session and checked where it acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// What the session may do.
    pub role: Role,
}

impl Grant {
    /// A grant of this role.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        Self { role }
    }

    /// Whether the session may change the document.
    #[must_use]
    pub fn may_edit(self) -> bool {
        self.role >= Role::Edit
    }

    /// Whether the session may tell the others that it is typing.
    #[must_use]
    pub fn may_type(self) -> bool {
        self.role >= Role::Comment
    }
}
