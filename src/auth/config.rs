//! The settings of access.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::access::Role;

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How it is found out who somebody is. Default `open`: not at all.
    pub auth: Mode,
    /// With `open`: what everybody who reaches the server may do with every document. Below `edit`, nobody changes a
    /// document, over HTTP neither. Default `admin`.
    pub everyone: Role,
    /// With `jwt` and `tokens`: the file with the key. A secret of 32 bytes or more, PEM, or a JWK set. With `webhook`: the
    /// secret that signs what is asked, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// With `jwt`: who must have issued a token (its `iss`), if that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// With `jwt`: for whom a token must be (its `aud`), if that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// How far the clocks of two machines may be apart. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub leeway: Duration,
    /// The cookie that may carry a token. Default `ydock_token`.
    pub cookie: String,
    /// How often the key file is read to see whether it has changed. Default 5 s.
    #[serde(with = "humantime_serde")]
    pub look_every: Duration,
    /// From which pages, beside those of the server itself, browsers may come: `https://app.example.org` for example, or `*`
    /// for all. Default none.
    pub origins: Vec<String>,
    /// Whether `user.name` and `user.id` in presence states are those of the session's token, whatever the client says. Default
    /// false.
    pub bind_presence: bool,
    /// With `webhook`: whom to ask.
    pub webhook: WebhookConfig,
}

/// The backend that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How long it may take; without an answer nobody comes in. Default 5 s.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long an answer counts without being asked for again. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub cache: Duration,
}

/// How it is found out who somebody is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Not at all: everybody may do what the settings say.
    #[default]
    Open,
    /// By a JSON Web Token of somebody else.
    Jwt,
    /// By a token that this server has made for a backend, or `ydock token`.
    Tokens,
    /// By asking the owner's backend.
    Webhook,
}

/// A text that names no way.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no way to authenticate: expected \"open\", \"jwt\", \"tokens\" or \"webhook\"")]
pub struct UnknownMode(pub String);

impl Default for Config {
    fn default() -> Self {
        Self {
            auth: Mode::Open,
            everyone: Role::Admin,
            key: None,
            issuer: None,
            audience: None,
            leeway: Duration::from_secs(10),
            cookie: "ydock_token".to_owned(),
            look_every: Duration::from_secs(5),
            origins: Vec::new(),
            bind_presence: false,
            webhook: WebhookConfig::default(),
        }
    }
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self { url: None, timeout: Duration::from_secs(5), cache: Duration::from_secs(10) }
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "open" => Ok(Self::Open),
            "jwt" => Ok(Self::Jwt),
            "tokens" => Ok(Self::Tokens),
            "webhook" => Ok(Self::Webhook),
            other => Err(UnknownMode(other.to_owned())),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Jwt => "jwt",
            Self::Tokens => "tokens",
            Self::Webhook => "webhook",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_reads_back_as_it_is_written_also_in_settings() {
        for mode in [Mode::Open, Mode::Jwt, Mode::Tokens, Mode::Webhook] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            let read: Config = toml::from_str(&format!("auth = \"{mode}\"")).unwrap();
            assert_eq!(read, Config { auth: mode, ..Config::default() });
        }
        assert_eq!("oauth".parse::<Mode>(), Err(UnknownMode("oauth".into())));
    }
}
