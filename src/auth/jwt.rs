//! JSON Web Tokens: checked with the keys of a file, and made with them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use async_trait::async_trait;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Header, Validation};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::authenticator::{Asked, Authenticator, Refusal};
use super::claims::{Claims, Documents};
use super::config::Config;
use super::credentials::LONGEST_TOKEN;
use super::keys::{CheckingKey, KeyError, Keys};
use crate::access::{Pass, Rule, TokenId};

/// Checks tokens.
#[derive(Debug)]
pub(super) struct Jwt {
    file: PathBuf,
    keys: RwLock<Arc<Keys>>,
    issuer: Option<String>,
    audience: Option<String>,
    leeway: Duration,
}

/// Why a key file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read the key file {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds no keys.
    #[error("the key file {path} cannot be used")]
    Keys {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: KeyError,
    },
}

/// Why no token is made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MintError {
    /// The keys only check.
    #[error("the key can check tokens and not make them; making them takes a secret or a private key")]
    CannotSign,
    /// What it would say is wrong.
    #[error("{0}")]
    Claims(String),
    /// The key does not work.
    #[error("the key does not sign")]
    Key,
}

impl Jwt {
    pub(super) fn open(file: &Path, config: &Config) -> Result<Self, KeyFileError> {
        Ok(Self {
            file: file.to_owned(),
            keys: RwLock::new(Arc::new(read_keys(file)?)),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            leeway: config.leeway,
        })
    }

    /// Reads the file again; blocks on the disk.
    pub(super) fn reload(&self) -> Result<(), KeyFileError> {
        let keys = Arc::new(read_keys(&self.file)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn check(&self, token: &str) -> Result<Pass, Refusal> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refusal::Invalid("the token is longer than 8192 bytes"));
        }
        let header = jsonwebtoken::decode_header(token).or(Err(Refusal::Invalid("the token is no JSON Web Token")))?;
        let keys = self.keys();
        let may_fit = |key: &&CheckingKey| {
            let has_its_name = |id: &String| header.kid.as_ref().is_none_or(|named| named == id);
            key.algorithm == header.alg && key.id.as_ref().is_none_or(has_its_name)
        };
        let mut refusal = Refusal::Invalid("no key here is for this token");
        for CheckingKey { algorithm, key, .. } in keys.checking.iter().filter(may_fit) {
            match jsonwebtoken::decode::<Claims>(token, key, &self.validation(*algorithm)) {
                Ok(data) => {
                    let mut pass = data.claims.pass(token_id(token))?;
                    // As long as it would be taken.
                    pass.expires = pass.expires.map(|expires| expires + self.leeway);
                    return Ok(pass);
                }
                // Another key may have signed it.
                Err(error) => refusal = refused(&error),
            }
            if !matches!(refusal, Refusal::Invalid(WRONG_SIGNATURE)) {
                break;
            }
        }
        Err(refusal)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.leeway.as_secs();
        validation.validate_nbf = true;
        validation.validate_aud = self.audience.is_some();
        let mut required = vec!["exp"];
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

#[async_trait]
impl Authenticator for Jwt {
    async fn authenticate(&self, asked: &Asked<'_>) -> Result<Pass, Refusal> {
        self.check(asked.token.ok_or(Refusal::NoToken)?)
    }
}

impl Keys {
    /// Makes a token.
    ///
    /// ```
    /// use std::time::Duration;
    /// use ydock::access::{Role, Rule};
    /// use ydock::auth::Keys;
    ///
    /// let keys = Keys::parse(b"a secret that has at least 32 bytes")?;
    /// let rule = Rule { docs: "team/*".parse()?, role: Role::Edit };
    /// let token = keys.mint(Some("ann"), &[rule], Duration::from_secs(3600))?;
    /// assert_eq!(token.split('.').count(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the keys do not sign, or the server would not take such a token.
    pub fn mint(&self, user: Option<&str>, rules: &[Rule], lifetime: Duration) -> Result<String, MintError> {
        let signing = self.signing.as_ref().ok_or(MintError::CannotSign)?;
        if lifetime < Duration::from_secs(1) || lifetime > LONGEST_LIFE {
            return Err(MintError::Claims("a token lives from a second to ten years".to_owned()));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let docs = rules.iter().map(|rule| (rule.docs.to_string(), rule.role)).collect();
        let claims = Claims {
            sub: user.map(ToOwned::to_owned),
            exp: now + lifetime.as_secs(),
            iat: Some(now),
            docs: Documents::Each(docs),
            role: None,
        };
        claims.clone().pass(TokenId([0; 16])).map_err(|refusal| MintError::Claims(refusal.to_string()))?;
        let header = Header::new(signing.algorithm);
        // Two that say the same are still two: one of them can be taken back.
        let with_id = Numbered { claims, jti: uuid::Uuid::new_v4().simple().to_string() };
        jsonwebtoken::encode(&header, &with_id, &signing.key).or(Err(MintError::Key))
    }
}

#[derive(serde::Serialize)]
struct Numbered {
    #[serde(flatten)]
    claims: Claims,
    jti: String,
}

/// What tells a token from others.
pub(super) fn token_id(token: &str) -> TokenId {
    let digest = Sha256::digest(token.as_bytes());
    let mut id = [0; 16];
    id.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    TokenId(id)
}

fn read_keys(path: &Path) -> Result<Keys, KeyFileError> {
    let content = fs::read(path).map_err(|source| KeyFileError::Unreadable { path: path.to_owned(), source })?;
    Keys::parse(&content).map_err(|source| KeyFileError::Keys { path: path.to_owned(), source })
}

fn refused(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::ExpiredSignature => Refusal::Expired,
        ErrorKind::ImmatureSignature => Refusal::Invalid("the token is not yet good"),
        ErrorKind::InvalidIssuer => Refusal::Invalid("the token is of another issuer"),
        ErrorKind::InvalidAudience => Refusal::Invalid("the token is for another audience"),
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::Json(_) => {
            Refusal::Invalid("the token lacks a claim or has a wrong one; `exp`, `docs` and `role` are needed")
        }
        _ => Refusal::Invalid(WRONG_SIGNATURE),
    }
}

const WRONG_SIGNATURE: &str = "the token is not signed with a key known here";
const LONGEST_LIFE: Duration = Duration::from_hours(10 * 366 * 24);

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::samples::{self, Pair};
    use super::*;
    use crate::access::Role;
    use crate::ids::DocName;

    const SECRET: &str = "a secret that has at least 32 bytes";

    fn jwt(content: &str, config: &Config) -> (Jwt, tempfile::NamedTempFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        (Jwt::open(file.path(), config).unwrap(), file)
    }

    fn signed(key: &str, claims: &serde_json::Value) -> String {
        let keys = Keys::parse(key.as_bytes()).unwrap();
        let signing = keys.signing.unwrap();
        jsonwebtoken::encode(&Header::new(signing.algorithm), claims, &signing.key).unwrap()
    }

    fn in_seconds(seconds: i64) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        i64::try_from(now).unwrap() + seconds
    }

    fn rule(docs: &str, role: Role) -> Rule {
        Rule { docs: docs.parse().unwrap(), role }
    }

    #[test]
    fn what_is_made_is_taken() {
        let privates = samples::pairs().map(|(pair, _)| pair.private);
        for key in privates.iter().map(String::as_str).chain([SECRET]) {
            let (jwt, _file) = jwt(key, &Config::default());
            let token = jwt.keys().mint(Some("ann"), &[rule("team/*", Role::Edit)], Duration::from_mins(1)).unwrap();
            let pass = jwt.check(&token).unwrap();
            assert_eq!((pass.user.as_deref(), pass.token), (Some("ann"), Some(token_id(&token))));
            let grant = pass.grant(&DocName::parse("team/a").unwrap()).unwrap();
            assert_eq!(grant.role, Role::Edit);
        }
    }

    #[test]
    fn the_public_key_takes_what_the_private_one_signs_and_no_other() {
        for (Pair { private, public }, algorithm) in samples::pairs() {
            let (jwt, _file) = jwt(&public, &Config::default());
            let claims = serde_json::json!({ "exp": in_seconds(60), "docs": "*", "role": "view" });
            jwt.check(&signed(&private, &claims)).unwrap();
            assert_eq!(jwt.keys().mint(None, &[], Duration::from_mins(1)), Err(MintError::CannotSign), "{algorithm:?}");
            // As if the public key were a secret.
            let confused = jsonwebtoken::EncodingKey::from_secret(public.as_bytes()).unwrap();
            let confused = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &confused).unwrap();
            assert_eq!(jwt.check(&confused), Err(Refusal::Invalid("no key here is for this token")));
        }
    }

    #[test]
    fn what_is_not_good_now_or_not_here_is_refused_with_its_reason() {
        let config = Config { issuer: Some("us".into()), audience: Some("ydock".into()), ..Config::default() };
        let (jwt, _file) = jwt(SECRET, &config);
        let with = |change: fn(&mut serde_json::Value)| {
            let mut claims = serde_json::json!({
                "exp": in_seconds(60), "iss": "us", "aud": ["ydock", "other"], "docs": "*", "role": "view"
            });
            change(&mut claims);
            jwt.check(&signed(SECRET, &claims))
        };
        with(|_| ()).unwrap();
        with(|claims| claims["exp"] = in_seconds(-5).into()).unwrap();
        assert_eq!(with(|claims| claims["exp"] = in_seconds(-30).into()), Err(Refusal::Expired));
        for change in [
            (|claims| claims["nbf"] = in_seconds(60).into()) as fn(&mut serde_json::Value),
            |claims| claims["iss"] = "them".into(),
            |claims| claims["aud"] = "other".into(),
            |claims| drop(claims.as_object_mut().unwrap().remove("iss")),
            |claims| drop(claims.as_object_mut().unwrap().remove("aud")),
            |claims| drop(claims.as_object_mut().unwrap().remove("exp")),
            |claims| drop(claims.as_object_mut().unwrap().remove("role")),
        ] {
            assert!(matches!(with(change), Err(Refusal::Invalid(_))));
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let (jwt, _file) = jwt(SECRET, &Config::default());
        let claims = serde_json::json!({ "exp": in_seconds(60), "docs": "*", "role": "admin" });
        let good = signed(SECRET, &claims);
        let (body, _) = good.rsplit_once('.').unwrap();
        let none = format!("eyJhbGciOiJub25lIn0.{}.", body.split('.').nth(1).unwrap());
        let other = signed(&SECRET.replace('a', "b"), &claims);
        for wrong in ["", "a.b.c", "a", &good[1..], &format!("{body}."), &none, &other, &"x".repeat(10_000)] {
            assert!(matches!(jwt.check(wrong), Err(Refusal::Invalid(_))), "{wrong}");
        }
    }

    #[test]
    fn a_changed_file_takes_effect_and_a_broken_one_does_not() {
        let (jwt, file) = jwt(SECRET, &Config::default());
        let old = jwt.keys().mint(None, &[rule("*", Role::View)], Duration::from_mins(1)).unwrap();
        fs::write(file.path(), "short").unwrap();
        assert!(jwt.reload().is_err());
        jwt.check(&old).unwrap();
        fs::write(file.path(), SECRET.to_uppercase()).unwrap();
        jwt.reload().unwrap();
        assert!(jwt.check(&old).is_err());
    }

    #[test]
    fn no_token_is_made_that_would_not_be_taken() {
        let (jwt, _file) = jwt(SECRET, &Config::default());
        let mint = |user, rules: &[Rule], seconds| jwt.keys().mint(user, rules, Duration::from_secs(seconds));
        assert!(matches!(mint(None, &[], 60), Err(MintError::Claims(_))));
        assert!(matches!(mint(None, &[rule("*", Role::View)], 0), Err(MintError::Claims(_))));
        assert!(matches!(mint(Some(&"x".repeat(300)), &[rule("*", Role::View)], 60), Err(MintError::Claims(_))));
    }
}
