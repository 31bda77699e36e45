//! What somebody may do with a document, decided once when a session begins.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What people may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What everybody who reaches the server may do with every document: `view`, `comment` or `edit`. Below `edit`, nobody
    /// changes a document, over HTTP neither. Default `edit`.
    pub everyone: Role,
}

impl Default for Config {
    fn default() -> Self {
        Self { everyone: Role::Edit }
    }
}

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

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a role: expected \"view\", \"comment\" or \"edit\"")]
pub struct UnknownRole(pub String);

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

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "view" => Ok(Self::View),
            "comment" => Ok(Self::Comment),
            "edit" => Ok(Self::Edit),
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_as_it_is_written_also_in_settings() {
        for role in [Role::View, Role::Comment, Role::Edit] {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(toml::from_str(&format!("everyone = \"{role}\"")), Ok(Config { everyone: role }));
        }
        assert_eq!("owner".parse::<Role>(), Err(UnknownRole("owner".into())));
    }

    #[test]
    fn each_role_may_what_the_ones_before_it_may() {
        let may = |role| (Grant::of(role).may_type(), Grant::of(role).may_edit());
        assert_eq!([Role::View, Role::Comment, Role::Edit].map(may), [(false, false), (true, false), (true, true)]);
    }
}
