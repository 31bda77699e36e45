//! The pass: what a token is good for.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::role::{Grant, Role};
use crate::ids::DocName;

/// What somebody may do, as far as it is known who that is. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Who it is, in the words of whoever made the token.
    pub user: Option<Arc<str>>,
    /// For which documents what is allowed; where several match, the highest role counts.
    pub rules: Arc<[Rule]>,
    /// What was taken back since.
    pub limits: Arc<[Limit]>,
    /// When it is good no longer.
    pub expires: Option<SystemTime>,
    /// When it was made.
    pub issued: Option<SystemTime>,
    /// Tells the token from others, without being one.
    pub token: Option<TokenId>,
}

/// A role for some documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The documents.
    pub docs: Pattern,
    /// The role there.
    pub role: Role,
}

/// What is left of a role in some documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The documents.
    pub docs: Pattern,
    /// The highest role there; nothing without one.
    pub at_most: Option<Role>,
}

/// What tells a token from others: a part of its hash, from which nobody finds the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub [u8; 16]);

impl Pass {
    /// The pass of somebody unknown for all documents.
    ///
    /// ```
    /// use ydock::access::{Grant, Pass, Role};
    /// use ydock::DocName;
    ///
    /// let pass = Pass::everyone(Role::View);
    /// assert_eq!(pass.grant(&DocName::parse("plan")?), Some(Grant::of(Role::View)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn everyone(role: Role) -> Self {
        let everything = Rule { docs: Pattern::everything(), role };
        Self {
            user: None,
            rules: Arc::new([everything]),
            limits: Arc::new([]),
            expires: None,
            issued: None,
            token: None,
        }
    }

    /// What it allows in a document; `None` when it is not for that one.
    #[must_use]
    pub fn grant(&self, doc: &DocName) -> Option<Grant> {
        let matching = self.rules.iter().filter(|rule| rule.docs.matches(doc));
        let allowed = matching.map(|rule| rule.role).max()?;
        let limits = self.limits.iter().filter(|limit| limit.docs.matches(doc));
        let role = limits.map(|limit| limit.at_most).try_fold(allowed, |role, limit| Some(role.min(limit?)))?;
        Some(Grant::of(role))
    }

    /// Whether it allows at least to see every document.
    #[must_use]
    pub fn sees_everything(&self) -> bool {
        let loses_some = self.limits.iter().any(|limit| limit.at_most.is_none());
        !loses_some && self.rules.iter().any(|rule| rule.docs.is_everything())
    }

    /// Whether it allows everything, for the server and for all its documents.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        let is_limited = self.limits.iter().any(|limit| limit.at_most != Some(Role::Admin));
        !is_limited && self.rules.iter().any(|rule| rule.role == Role::Admin && rule.docs.is_everything())
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

impl std::str::FromStr for TokenId {
    type Err = NoTokenId;

    fn from_str(text: &str) -> Result<Self, NoTokenId> {
        let mut id = [0; 16];
        if text.len() != 2 * id.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoTokenId);
        }
        for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
        }
        Ok(Self(id))
    }
}

/// A text that is no [`TokenId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 hexadecimal digits")]
pub struct NoTokenId;

impl Serialize for TokenId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(rules: &[(&str, Role)]) -> Pass {
        let rules = rules.iter().map(|(docs, role)| Rule { docs: docs.parse().unwrap(), role: *role });
        Pass { rules: rules.collect(), ..Pass::everyone(Role::View) }
    }

    #[test]
    fn of_several_rules_the_highest_role_counts_and_without_one_there_is_nothing() {
        let pass = pass(&[("team/*", Role::View), ("team/plan", Role::Edit), ("*/plan", Role::Comment)]);
        let role = |name: &str| pass.grant(&DocName::parse(name).unwrap()).map(|grant| grant.role);
        assert_eq!(role("team/notes"), Some(Role::View));
        assert_eq!(role("team/plan"), Some(Role::Edit));
        assert_eq!(role("other/plan"), Some(Role::Comment));
        assert_eq!(role("other"), None);
    }

    #[test]
    fn only_who_is_admin_of_everything_is_admin() {
        assert!(pass(&[("*", Role::Admin)]).is_admin());
        assert!(!pass(&[("*", Role::Edit), ("team/*", Role::Admin)]).is_admin());
    }

    #[test]
    fn what_was_taken_back_is_gone() {
        let mut pass = pass(&[("*", Role::Admin)]);
        let limit = |docs: &str, at_most| Limit { docs: docs.parse().unwrap(), at_most };
        pass.limits =
            [limit("team/*", Some(Role::View)), limit("team/plan", None), limit("*", Some(Role::Admin))].into();
        let role = |name: &str| pass.grant(&DocName::parse(name).unwrap()).map(|grant| grant.role);
        assert_eq!(role("team/notes"), Some(Role::View));
        assert_eq!(role("team/plan"), None);
        assert_eq!(role("other"), Some(Role::Admin));
        assert!(!pass.is_admin());
    }

    #[test]
    fn the_id_of_a_token_reads_back() {
        let id = TokenId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0xfe, 0xff]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "00", &"g".repeat(32), &"ü".repeat(16)] {
            assert_eq!(wrong.parse::<TokenId>(), Err(NoTokenId));
        }
    }
}
