//! Roles: what somebody may do with a document.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

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
    /// Deletes the document too. Who is that for all documents looks after the server: its sessions and its tokens.
    Admin,
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a role: expected \"view\", \"comment\", \"edit\" or \"admin\"")]
pub struct UnknownRole(pub String);

/// What a session may do in its document.
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

    /// This grant without what lies beyond a role.
    ///
    /// ```
    /// use ydock::access::{Grant, Role};
    ///
    /// assert_eq!(Grant::of(Role::Edit).at_most(Role::View), Grant::of(Role::View));
    /// assert_eq!(Grant::of(Role::View).at_most(Role::Edit), Grant::of(Role::View));
    /// ```
    #[must_use]
    pub fn at_most(self, role: Role) -> Self {
        Self { role: self.role.min(role) }
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

impl Role {
    /// The role as a number, for keeping it in an atomic.
    #[must_use]
    pub const fn level(self) -> u8 {
        self as u8
    }

    /// The role of a number; of one that belongs to none, the least.
    #[must_use]
    pub const fn from_level(level: u8) -> Self {
        match level {
            1 => Self::Comment,
            2 => Self::Edit,
            3 => Self::Admin,
            _ => Self::View,
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "view" => Ok(Self::View),
            "comment" => Ok(Self::Comment),
            "edit" => Ok(Self::Edit),
            "admin" => Ok(Self::Admin),
            other => Err(UnknownRole(other.to_owned())),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Comment => "comment",
            Self::Edit => "edit",
            Self::Admin => "admin",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_as_it_is_written_also_in_json() {
        for role in [Role::View, Role::Comment, Role::Edit, Role::Admin] {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(serde_json::from_str::<Role>(&format!("\"{role}\"")).unwrap(), role);
            assert_eq!(Role::from_level(role.level()), role);
        }
        assert_eq!("owner".parse::<Role>(), Err(UnknownRole("owner".into())));
    }

    #[test]
    fn each_role_may_what_the_ones_before_it_may() {
        let may = |role| (Grant::of(role).may_type(), Grant::of(role).may_edit());
        let roles = [Role::View, Role::Comment, Role::Edit, Role::Admin];
        assert_eq!(roles.map(may), [(false, false), (true, false), (true, true), (true, true)]);
    }
}
