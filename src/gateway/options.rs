//! Where a gateway is reached: paths, origins, transports.

use std::fmt;
use std::sync::Arc;

use axum::http::{HeaderMap, Uri, header};

/// The options of one gateway.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) origins: Origins,
    pub(super) transports: Transports,
    /// Empty for the usual one.
    pub(super) path: String,
    pub(super) port: Option<u16>,
}

/// Which namespaces a gateway is for.
#[derive(Clone)]
pub(super) enum Paths {
    Fixed(Arc<str>),
    Matching(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

/// From which pages browsers may connect. What is no browser sends no `Origin` and is not asked for one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Origins {
    /// From pages of the server itself.
    #[default]
    Same,
    /// From everywhere: only for what needs no cookies and guards itself.
    Any,
    /// From these, `https://app.example.org` for example, and from pages of the server itself.
    Listed(Vec<String>),
}

/// By which ways clients may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transports {
    /// WebSocket.
    pub websocket: bool,
    /// HTTP long polling, from which clients go over to WebSocket when that is allowed too.
    pub polling: bool,
}

impl Default for Transports {
    fn default() -> Self {
        Self { websocket: true, polling: true }
    }
}

impl Transports {
    /// WebSocket alone.
    pub const WEBSOCKET: Self = Self { websocket: true, polling: false };
    /// Polling alone.
    pub const POLLING: Self = Self { websocket: false, polling: true };
}

impl Origins {
    /// Whether a request with these headers may come in.
    ///
    /// ```
    /// use axum::http::{HeaderMap, HeaderValue, header};
    /// use ydock::gateway::Origins;
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert(header::HOST, HeaderValue::from_static("docs.example.org"));
    /// assert!(Origins::Same.allow(&headers));
    /// headers.insert(header::ORIGIN, HeaderValue::from_static("https://docs.example.org"));
    /// assert!(Origins::Same.allow(&headers));
    /// headers.insert(header::ORIGIN, HeaderValue::from_static("https://evil.example"));
    /// assert!(!Origins::Same.allow(&headers));
    /// ```
    #[must_use]
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        match self {
            Self::Any => true,
            Self::Same => is_same(origin, headers),
            Self::Listed(listed) => listed.iter().any(|other| other == origin) || is_same(origin, headers),
        }
    }
}

fn is_same(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.parse::<Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string));
    authority.is_some() && authority.as_deref() == host
}

impl Paths {
    pub(super) fn fixed(path: &str) -> Self {
        Self::Fixed(format!("/{}", path.trim_start_matches('/')).into())
    }
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(path) => f.debug_tuple("Fixed").field(path).finish(),
            Self::Matching(_) => f.write_str("Matching"),
        }
    }
}
