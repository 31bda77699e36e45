//! Proxies that are trusted to say where clients come from, and what they say.
//!
//! The promise: nobody but a trusted proxy chooses the address that a client is known by. Of a list of addresses the last one was
//! added by the proxy that is connected, so it is read from its end, as far as those that were added are trusted too.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A peer that is trusted to say where clients come from.
///
/// ```
/// use ydock::http::TrustedProxy;
///
/// let proxy: TrustedProxy = "10.0.0.0/8".parse().unwrap();
/// assert!(proxy.is(Some("10.1.2.3".parse().unwrap())) && !proxy.is(None));
/// assert!("unix".parse::<TrustedProxy>().unwrap().is(None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedProxy {
    /// Any in this network; a single address is a network of one.
    Network(IpNet),
    /// Whoever connects to the unix socket: `unix`.
    Unix,
}

/// A text that names no proxy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is neither an IP address, nor a network such as 10.0.0.0/8, nor unix")]
pub struct ProxyError(String);

/// The header in which proxies say where clients come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: addresses, separated by commas.
    #[default]
    XForwardedFor,
    /// `Forwarded`, of RFC 7239.
    Forwarded,
}

impl TrustedProxy {
    /// Whether it is this peer; one on a unix socket has no address.
    #[must_use]
    pub fn is(&self, peer: Option<IpAddr>) -> bool {
        match (self, peer) {
            (Self::Network(network), Some(peer)) => network.contains(&peer.to_canonical()),
            (Self::Unix, None) => true,
            _ => false,
        }
    }
}

impl FromStr for TrustedProxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        if text == UNIX {
            return Ok(Self::Unix);
        }
        let network = text.parse::<IpNet>().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.into()));
        network.map(|network| Self::Network(network.trunc())).ok_or_else(|| ProxyError(text.to_owned()))
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Unix => f.write_str(UNIX),
        }
    }
}

impl Serialize for TrustedProxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TrustedProxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a client comes from: the peer, or what a trusted proxy says of it, then without a port unless that is said too.
pub(super) fn client(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    (proxies, header): (&[TrustedProxy], ProxyHeader),
) -> Option<SocketAddr> {
    let is_trusted = |peer| proxies.iter().any(|proxy| proxy.is(peer));
    if !is_trusted(peer.map(|peer| peer.ip())) {
        return peer;
    }
    let name = match header {
        ProxyHeader::XForwardedFor => X_FORWARDED_FOR,
        ProxyHeader::Forwarded => header::FORWARDED,
    };
    let mut client = peer;
    for value in headers.get_all(name).iter().rev() {
        // What is no text was said by nobody who can be believed, and so was everything before it.
        let Ok(value) = value.to_str() else { return peer };
        for element in elements(value).rev() {
            let node = match header {
                ProxyHeader::XForwardedFor => Some(element),
                ProxyHeader::Forwarded => forwarded_for(element),
            };
            let Some(address) = node.and_then(address) else { return peer };
            client = Some(address);
            if !is_trusted(Some(address.ip())) {
                return client;
            }
        }
    }
    client
}

/// The elements of a list, of which empty ones count for nothing (RFC 9110, section 5.6.1). No comma in quotes is expected: there
/// is none in an address.
fn elements(value: &str) -> impl DoubleEndedIterator<Item = &str> {
    value.split(',').map(|element| element.trim_matches(SPACE)).filter(|element| !element.is_empty())
}

/// The node that an element of `Forwarded` is for.
fn forwarded_for(element: &str) -> Option<&str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim_matches(SPACE).split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    Some(node.strip_prefix('"').and_then(|node| node.strip_suffix('"')).unwrap_or(node))
}

/// An address with or without a port; one of IPv6 in brackets or not.
fn address(node: &str) -> Option<SocketAddr> {
    let bare = node.strip_prefix('[').and_then(|node| node.strip_suffix(']')).unwrap_or(node);
    let found = match bare.parse::<IpAddr>() {
        Ok(address) => SocketAddr::new(address, NO_PORT),
        Err(_) => node.parse::<SocketAddr>().ok()?,
    };
    Some(SocketAddr::new(found.ip().to_canonical(), found.port()))
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const UNIX: &str = "unix";
/// Spaces and tabs may stand around elements.
const SPACE: [char; 2] = [' ', '\t'];
/// A proxy said no port.
const NO_PORT: u16 = 0;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn proxies(texts: &[&str]) -> Vec<TrustedProxy> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn found(peer: &str, name: &'static str, values: &[&str]) -> String {
        let headers = values.iter().map(|value| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let header = if name == "forwarded" { ProxyHeader::Forwarded } else { ProxyHeader::XForwardedFor };
        let proxies = proxies(&["127.0.0.1/32", "10.0.0.0/8", "fd00::/8", "unix"]);
        let client = client(peer.parse().ok(), &headers.collect(), (&proxies, header));
        client.map_or_else(|| "none".to_owned(), |client| client.to_string())
    }

    fn xff(peer: &str, values: &[&str]) -> String {
        found(peer, "x-forwarded-for", values)
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(xff("192.0.2.9:5", &["198.51.100.1"]), "192.0.2.9:5");
        assert_eq!(xff("127.0.0.2:5", &["198.51.100.1"]), "127.0.0.2:5");
        assert_eq!(xff("127.0.0.1:5", &["198.51.100.1"]), "198.51.100.1:0");
        assert_eq!(xff("[::ffff:127.0.0.1]:5", &["198.51.100.1"]), "198.51.100.1:0");
        assert_eq!(xff("a unix socket", &["198.51.100.1"]), "198.51.100.1:0");
        let nobody = client("127.0.0.1:5".parse().ok(), &HeaderMap::new(), (&[], ProxyHeader::default()));
        assert_eq!(nobody, "127.0.0.1:5".parse().ok());
    }

    #[test]
    fn what_a_client_writes_before_the_proxy_does_is_not_believed() {
        assert_eq!(xff("127.0.0.1:5", &["203.0.113.7, 198.51.100.1"]), "198.51.100.1:0");
        assert_eq!(xff("127.0.0.1:5", &["203.0.113.7", "198.51.100.1, 10.1.1.1"]), "198.51.100.1:0");
        assert_eq!(xff("127.0.0.1:5", &["rubbish, 198.51.100.1"]), "198.51.100.1:0");
        assert_eq!(xff("127.0.0.1:5", &["10.0.0.1, 203.0.113.7,10.2.2.2 , 10.1.1.1"]), "203.0.113.7:0");
        // Who is in a trusted network itself is the first of them.
        assert_eq!(xff("127.0.0.1:5", &["10.0.0.1, 10.1.1.1"]), "10.0.0.1:0");
    }

    #[test]
    fn without_a_word_or_with_a_wrong_one_the_client_is_the_peer() {
        for values in
            [&[][..], &[""], &[" , "], &["unknown"], &["198.51.100.1, nonsense"], &["198.51.100.1, 10.1.1.256"]]
        {
            assert_eq!(xff("127.0.0.1:5", values), "127.0.0.1:5", "{values:?}");
        }
        assert_eq!(xff("127.0.0.1:5", &["nonsense, 10.1.1.1"]), "127.0.0.1:5");
        assert_eq!(xff("a unix socket", &["nonsense"]), "none");
    }

    #[test]
    fn addresses_are_read_in_all_the_ways_in_which_proxies_write_them() {
        for (written, read) in [
            ("198.51.100.1:4711", "198.51.100.1:4711"),
            ("2001:db8::1", "[2001:db8::1]:0"),
            ("[2001:db8::1]", "[2001:db8::1]:0"),
            ("[2001:db8::1]:4711", "[2001:db8::1]:4711"),
            ("::ffff:198.51.100.1", "198.51.100.1:0"),
        ] {
            assert_eq!(xff("127.0.0.1:5", &[written]), read);
        }
        for (written, read) in [
            ("for=198.51.100.1", "198.51.100.1:0"),
            ("For=\"[2001:db8::1]:4711\";proto=http", "[2001:db8::1]:4711"),
            ("for=203.0.113.7, by=10.1.1.1; for=198.51.100.1", "198.51.100.1:0"),
            ("for=203.0.113.7, for=198.51.100.1, for=10.1.1.1", "198.51.100.1:0"),
            ("for=198.51.100.1, for=_hidden", "127.0.0.1:5"),
            ("for=198.51.100.1, proto=http", "127.0.0.1:5"),
            ("for=unknown", "127.0.0.1:5"),
        ] {
            assert_eq!(found("127.0.0.1:5", "forwarded", &[written]), read, "{written}");
        }
        // One header is read, and the other is the client's to write.
        assert_eq!(found("127.0.0.1:5", "x-forwarded-host", &["198.51.100.1"]), "127.0.0.1:5");
    }

    proptest! {
        /// Whatever is written there, the client is somebody whom the proxy named, or the proxy.
        #[test]
        fn no_word_makes_the_server_fail(value in "[ -~]{0,60}|([0-9a-f:.,=;\" ]|for){0,40}", is_forwarded: bool) {
            let found = found("127.0.0.1:5", if is_forwarded { "forwarded" } else { "x-forwarded-for" }, &[&value]);
            prop_assert!(found == "127.0.0.1:5" || !value.is_empty());
            prop_assert!(found.parse::<SocketAddr>().is_ok());
        }
    }

    #[test]
    fn a_proxy_is_an_address_a_network_or_the_unix_socket() {
        let written = ["10.0.0.1", "10.0.0.0/8", "fd00::/8", "unix", "10.1.2.3/8"].map(|text| {
            let proxy: TrustedProxy = text.parse().unwrap();
            proxy.to_string()
        });
        assert_eq!(written, ["10.0.0.1/32", "10.0.0.0/8", "fd00::/8", "unix", "10.0.0.0/8"]);
        for text in ["", "10.0.0.0/33", "proxy.example.org", "Unix", "10.0.0.1:80"] {
            assert_eq!(text.parse::<TrustedProxy>(), Err(ProxyError(text.to_owned())));
        }
    }
}
