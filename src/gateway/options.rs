//! Where a gateway is reached: paths, origins, transports.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::uri::Authority;
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
    /// From pages of the server itself; and, where the server is spoken to as this machine, from pages of this machine.
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
    /// Those of a list: with a `*` in it all, without anything in it only pages of the server itself.
    #[must_use]
    pub fn of(list: &[String]) -> Self {
        match list {
            [] => Self::Same,
            list if list.iter().any(|origin| origin == "*") => Self::Any,
            list => Self::Listed(list.to_vec()),
        }
    }

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
    let (Some(authority), Some(host)) = (authority, host) else { return false };
    // A page of the same machine could open a connection by itself: the servers of front ends in the making are such.
    authority == host || is_this_machine(&authority) && is_this_machine(host)
}

/// Whether an authority is a name of the machine itself, which a page from elsewhere never has.
fn is_this_machine(authority: &str) -> bool {
    let host = authority.parse::<Authority>().map(|authority| authority.host().to_owned()).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
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

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allows(origins: &Origins, origin: Option<&'static str>, host: &'static str) -> bool {
        let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        origins.allow(&headers)
    }

    #[test]
    fn without_a_list_only_pages_of_the_server_come_in() {
        let same = |origin, host| allows(&Origins::Same, Some(origin), host);
        assert!(same("https://docs.example.org", "docs.example.org"));
        assert!(!same("https://evil.example", "docs.example.org"));
        assert!(!same("https://docs.example.org.evil.example", "docs.example.org"));
        assert!(!same("null", "docs.example.org"));
        assert!(allows(&Origins::Same, None, "docs.example.org"));
    }

    #[test]
    fn pages_of_the_same_machine_come_in_where_the_server_is_on_it() {
        let same = |origin, host| allows(&Origins::Same, Some(origin), host);
        assert!(same("http://localhost:5173", "127.0.0.1:1234"));
        assert!(same("http://[::1]:5173", "localhost:1234"));
        assert!(!same("http://localhost:5173", "docs.example.org"));
        assert!(!same("https://evil.example", "127.0.0.1:1234"));
        assert!(!same("http://localhost.evil.example", "127.0.0.1:1234"));
        assert!(!same("http://evil.example:80@127.0.0.1.evil.example", "127.0.0.1:1234"));
    }

    #[test]
    fn listed_ones_come_in_and_a_star_stands_for_all() {
        let listed = Origins::of(&["https://app.example.org".to_owned()]);
        assert!(allows(&listed, Some("https://app.example.org"), "docs.example.org"));
        assert!(!allows(&listed, Some("http://app.example.org"), "docs.example.org"));
        assert!(allows(&Origins::of(&["*".to_owned()]), Some("https://any.example"), "docs.example.org"));
        assert_eq!(Origins::of(&[]), Origins::Same);
    }
}
