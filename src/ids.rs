//! Names and numbers that identify things, parsed once at the edge.
//!
//! A value of one of these types is already within its bounds, so nothing below the edge checks again.

use std::fmt;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The name of a document: 1 to [`DocName::MAX_BYTES`] bytes of UTF-8 without control characters.
///
/// A name is opaque. Slashes and dots have no meaning, and no name ever becomes a path. Cloning is cheap.
///
/// ```
/// use ydock::DocName;
///
/// let name = DocName::parse("team/plan 2026")?;
/// assert_eq!(name.as_str(), "team/plan 2026");
/// assert!(DocName::parse("").is_err());
/// # Ok::<(), ydock::DocNameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocName(Arc<str>);

/// Why a text is not a document name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DocNameError {
    /// The name has no characters.
    #[error("the document name is empty")]
    Empty,
    /// The name is longer than [`DocName::MAX_BYTES`].
    #[error("the document name is longer than {} bytes", DocName::MAX_BYTES)]
    TooLong,
    /// The name holds a control character, such as a line feed or NUL.
    #[error("the document name holds a control character")]
    ControlCharacter,
}

impl DocName {
    /// The longest name, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 1024;

    /// Checks a text and keeps it as a name.
    ///
    /// # Errors
    /// When the text is empty, too long or holds a control character.
    pub fn parse(text: &str) -> Result<Self, DocNameError> {
        if text.is_empty() {
            return Err(DocNameError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(DocNameError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(DocNameError::ControlCharacter);
        }
        Ok(Self(Arc::from(text)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for DocName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

// By hand, since the text is parsed where it stands: headers are read with every save.
impl<'de> Deserialize<'de> for DocName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = DocName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document name")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DocName, E> {
        DocName::parse(text).map_err(E::custom)
    }
}

impl fmt::Display for DocName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DocName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// The id of one editing Yjs document instance, chosen at random by the client: below 2⁵³.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId(u64);

impl ClientId {
    /// The first number that is no client id: JavaScript counts exactly up to 2⁵³.
    pub const END: u64 = 1 << 53;

    /// The id with this number, if it is one.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number < Self::END { Some(Self(number)) } else { None }
    }

    /// An id by chance, as Yjs chooses: 32 random bits.
    #[must_use]
    pub fn random() -> Self {
        let [a, b, c, d, ..] = *uuid::Uuid::new_v4().as_bytes();
        Self(u64::from(u32::from_le_bytes([a, b, c, d])))
    }

    /// The id as a number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The life of a document name: one more after each deletion, from 1.
///
/// Writes carry it, so that what was meant for a deleted document never lands in its successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation(pub u64);

impl Generation {
    /// The generation of a name that was never deleted.
    pub const FIRST: Self = Self(1);

    /// The generation that follows a deletion.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// One socket, numbered from 1 in the order in which the sockets came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// One session as its room sees it, unique in the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_slashes_dots_and_any_script() {
        for text in ["a", "../../etc/passwd", "ü/日本 語", "%2F", &"x".repeat(DocName::MAX_BYTES)] {
            assert_eq!(DocName::parse(text).map(|name| name.as_str().to_owned()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_name_out_of_bounds_is_refused_with_the_reason() {
        assert_eq!(DocName::parse(""), Err(DocNameError::Empty));
        assert_eq!(DocName::parse(&"x".repeat(DocName::MAX_BYTES + 1)), Err(DocNameError::TooLong));
        assert_eq!(DocName::parse("a\0b"), Err(DocNameError::ControlCharacter));
        assert_eq!(DocName::parse("a\nb"), Err(DocNameError::ControlCharacter));
    }

    #[test]
    fn a_client_id_ends_below_two_to_the_53() {
        assert_eq!(ClientId::new(ClientId::END), None);
        assert_eq!(ClientId::new(ClientId::END - 1).map(ClientId::value), Some(ClientId::END - 1));
    }
}
