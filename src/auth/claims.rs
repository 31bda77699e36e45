//! What a token says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::authenticator::Refusal;
use crate::access::{Pass, Pattern, Role, Rule, TokenId};

/// The claims of a token: those of RFC 7519 that count here, and which documents it is for.
///
/// ```json
/// { "sub": "ann", "exp": 1798761600, "docs": { "team/*": "edit", "handbook": "view" } }
/// { "sub": "ann", "exp": 1798761600, "docs": ["team/*", "handbook"], "role": "edit" }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// When it expires, in seconds since 1970.
    #[serde(deserialize_with = "seconds")]
    pub exp: u64,
    /// When it was made, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "maybe_seconds")]
    pub iat: Option<u64>,
    /// For which documents it is.
    pub docs: Documents,
    /// The role in all of them, unless each has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// For which documents a token is: a pattern, several, or each with a role of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Documents {
    /// A single pattern.
    One(Pattern),
    /// Several.
    Several(Vec<Pattern>),
    /// Each with its role.
    Each(BTreeMap<String, Role>),
}

impl Claims {
    /// What they are good for.
    pub(super) fn pass(self, token: TokenId) -> Result<Pass, Refusal> {
        let rules = self.rules()?;
        if rules.is_empty() || rules.len() > MOST_RULES {
            return Err(Refusal::Invalid("the token is for no documents, or for more than 100 patterns of them"));
        }
        if self.sub.as_ref().is_some_and(|sub| sub.len() > LONGEST_USER) {
            return Err(Refusal::Invalid("the user of the token has more than 256 bytes"));
        }
        Ok(Pass {
            user: self.sub.filter(|sub| !sub.is_empty()).map(Arc::from),
            rules: rules.into(),
            limits: Arc::new([]),
            expires: Some(time(self.exp)),
            issued: self.iat.map(time),
            token: Some(token),
        })
    }

    fn rules(&self) -> Result<Vec<Rule>, Refusal> {
        let with_role = |docs: &[Pattern]| {
            let role = self.role.ok_or(Refusal::Invalid("the token has no role"))?;
            Ok(docs.iter().map(|docs| Rule { docs: docs.clone(), role }).collect())
        };
        match &self.docs {
            Documents::One(docs) => with_role(std::slice::from_ref(docs)),
            Documents::Several(docs) => with_role(docs),
            Documents::Each(docs) => docs
                .iter()
                .map(|(docs, role)| {
                    let docs = docs.parse().or(Err(Refusal::Invalid("the token has a wrong pattern of documents")))?;
                    Ok(Rule { docs, role: *role })
                })
                .collect(),
        }
    }
}

/// A time far ahead is as good as none.
fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.min(FAR_AHEAD))
}

/// RFC 7519 allows fractions of seconds.
fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Whole(u64),
        Fraction(f64),
    }
    match Number::deserialize(deserializer)? {
        Number::Whole(seconds) => Ok(seconds),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in bounds")]
        Number::Fraction(seconds) if (0.0..1e15).contains(&seconds) => Ok(seconds as u64),
        Number::Fraction(_) => Err(serde::de::Error::custom("no time")),
    }
}

fn maybe_seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    seconds(deserializer).map(Some)
}

const MOST_RULES: usize = 100;
const LONGEST_USER: usize = 256;
/// The year 9000: what is added to it still has a name.
const FAR_AHEAD: u64 = 221_845_392_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DocName;

    fn pass(json: &str) -> Result<Pass, String> {
        let claims: Claims = serde_json::from_str(json).map_err(|error| error.to_string())?;
        claims.pass(TokenId([0; 16])).map_err(|error| error.to_string())
    }

    fn role(pass: &Pass, name: &str) -> Option<Role> {
        pass.grant(&DocName::parse(name).unwrap()).map(|grant| grant.role)
    }

    #[test]
    fn documents_are_one_several_or_each_with_a_role() {
        for docs in [
            r#""docs":"team/*","role":"edit""#,
            r#""docs":["x","team/*"],"role":"edit""#,
            r#""docs":{"team/*":"edit"}"#,
        ] {
            let pass = pass(&format!(r#"{{"sub":"ann","exp":2000000000.5,"iat":1.0,{docs}}}"#)).unwrap();
            assert_eq!((role(&pass, "team/a"), role(&pass, "other")), (Some(Role::Edit), None));
            assert_eq!(pass.user.as_deref(), Some("ann"));
            assert_eq!(pass.expires, Some(UNIX_EPOCH + Duration::from_secs(2_000_000_000)));
            assert_eq!(pass.issued, Some(UNIX_EPOCH + Duration::from_secs(1)));
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_no_pass() {
        for wrong in [
            r#"{"docs":"*","role":"edit"}"#,
            r#"{"exp":1,"role":"edit"}"#,
            r#"{"exp":1,"docs":"*"}"#,
            r#"{"exp":1,"docs":"*","role":"owner"}"#,
            r#"{"exp":1,"docs":[],"role":"edit"}"#,
            r#"{"exp":1,"docs":{"":"edit"}}"#,
            r#"{"exp":-1,"docs":"*","role":"edit"}"#,
            r#"{"exp":1e300,"docs":"*","role":"edit"}"#,
        ] {
            assert!(pass(wrong).is_err(), "{wrong}");
        }
        let many = vec!["\"a\""; 101].join(",");
        assert!(pass(&format!(r#"{{"exp":1,"role":"edit","docs":[{many}]}}"#)).is_err());
        let long = "x".repeat(257);
        assert!(pass(&format!(r#"{{"exp":1,"role":"edit","docs":"*","sub":"{long}"}}"#)).is_err());
    }
}
