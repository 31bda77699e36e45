//! Patterns of document names: a name, in which each `*` stands for any text.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::ids::DocName;

/// Which documents something is for: a name in which each `*` stands for any text, slashes and nothing included.
///
/// ```
/// use ydock::access::Pattern;
/// use ydock::DocName;
///
/// let team: Pattern = "team/*".parse()?;
/// assert!(team.matches(&DocName::parse("team/plans/2026")?));
/// assert!(!team.matches(&DocName::parse("teams")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: Arc<str>,
    /// It is a name, and what stars it has are letters like others.
    is_name: bool,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It has no characters.
    #[error("a pattern of documents is empty; \"*\" stands for all")]
    Empty,
    /// It is longer than a name can be.
    #[error("a pattern of documents is longer than {} bytes", DocName::MAX_BYTES)]
    TooLong,
    /// It has too many stars.
    #[error("a pattern of documents has more than {} stars", Pattern::MAX_STARS)]
    TooManyStars,
    /// It has a control character, which no name has.
    #[error("a pattern of documents holds a control character")]
    ControlCharacter,
}

impl Pattern {
    /// So many stars at most.
    pub const MAX_STARS: usize = 8;

    /// The pattern of all documents.
    #[must_use]
    pub fn everything() -> Self {
        Self { text: "*".into(), is_name: false }
    }

    /// The pattern of one document, whatever its name is.
    #[must_use]
    pub fn exactly(doc: &DocName) -> Self {
        Self { text: doc.as_str().into(), is_name: true }
    }

    /// Whether a document is one of those.
    #[must_use]
    pub fn matches(&self, doc: &DocName) -> bool {
        if self.is_name {
            return *self.text == *doc.as_str();
        }
        let mut parts = self.text.split('*');
        let Some(mut rest) = doc.as_str().strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            // The earliest place leaves the most for what follows.
            let Some(at) = rest.find(part) else { return false };
            rest = rest.get(at + part.len()..).unwrap_or_default();
        }
        rest.ends_with(last)
    }

    /// Whether every document is one of those.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        !self.is_name && self.text.bytes().all(|byte| byte == b'*')
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > DocName::MAX_BYTES {
            return Err(PatternError::TooLong);
        }
        if text.bytes().filter(|byte| *byte == b'*').count() > Self::MAX_STARS {
            return Err(PatternError::TooManyStars);
        }
        if text.chars().any(char::is_control) {
            return Err(PatternError::ControlCharacter);
        }
        Ok(Self { text: text.into(), is_name: false })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(&DocName::parse(name).unwrap())
    }

    #[test]
    fn a_star_stands_for_any_text_and_everything_else_for_itself() {
        assert!(matches("plan", "plan"));
        assert!(!matches("plan", "plans"));
        assert!(!matches("plan", "a plan"));
        assert!(matches("*", "x"));
        assert!(matches("team/*", "team/a/b"));
        assert!(matches("team/*", "team/"));
        assert!(!matches("team/*", "team"));
        assert!(matches("*/notes", "a/b/notes"));
        assert!(!matches("*/notes", "a/notes/b"));
        assert!(matches("a*b*c", "abbc"));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(!matches("a*b*c", "ac"));
        assert!(!matches("ab*ba", "aba"), "no letter counts twice");
        assert!(matches("a.c", "a.c"));
        assert!(!matches("a.c", "abc"));
        assert!(!matches("a?c", "abc"));
    }

    #[test]
    fn a_name_with_a_star_can_be_meant_alone() {
        let name = |text: &str| DocName::parse(text).unwrap();
        let pattern = Pattern::exactly(&name("*"));
        assert!(pattern.matches(&name("*")));
        assert!(!pattern.matches(&name("a")));
        assert!(!pattern.is_everything());
    }

    #[test]
    fn what_matches_everything_is_known() {
        assert!("*".parse::<Pattern>().unwrap().is_everything());
        assert!(!"a*".parse::<Pattern>().unwrap().is_everything());
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let error = |text: &str| text.parse::<Pattern>().unwrap_err();
        assert_eq!(error(""), PatternError::Empty);
        assert_eq!(error(&"x".repeat(1025)), PatternError::TooLong);
        assert_eq!(error("*********"), PatternError::TooManyStars);
        assert_eq!(error("a\nb"), PatternError::ControlCharacter);
    }

    /// All ways to share the text out, tried one after the other.
    fn slowly(pattern: &str, text: &str) -> bool {
        match pattern.chars().next() {
            None => text.is_empty(),
            Some('*') => (0..=text.len()).any(|at| text.is_char_boundary(at) && slowly(&pattern[1..], &text[at..])),
            Some(letter) => text.strip_prefix(letter).is_some_and(|rest| slowly(&pattern[letter.len_utf8()..], rest)),
        }
    }

    proptest! {
        #[test]
        fn it_is_what_trying_everything_finds(pattern in "[ab*]{1,8}", name in "[ab]{1,10}") {
            prop_assert_eq!(matches(&pattern, &name), slowly(&pattern, &name));
        }
    }
}
