//! Where a token may stand in a request.

use std::fmt;
use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

use super::authenticator::Asked;
use crate::ids::DocName;
use crate::websocket::TOKEN_PROTOCOL;

/// What a request has brought: a token, if there is one, and where it comes from.
///
/// A token may stand, in this order, in the header `Authorization: Bearer …`, in the query as `token`, in the
/// subprotocols as `ydock.token.…`, and in the cookie that the settings name.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The token.
    pub token: Option<Box<str>>,
    /// Where the request comes from, if that is known.
    pub address: Option<IpAddr>,
}

impl Credentials {
    /// What a request has brought.
    #[must_use]
    pub fn of(headers: &HeaderMap, query: Option<&str>, cookie: &str, address: Option<IpAddr>) -> Self {
        let token = bearer(headers)
            .or_else(|| in_query(query?))
            .or_else(|| in_protocols(headers))
            .or_else(|| in_cookies(headers, cookie));
        Self { token, address }
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(Into::into), address: self.address }
    }

    /// The question that they are the answer to.
    #[must_use]
    pub fn asking<'a>(&'a self, doc: Option<&'a DocName>) -> Asked<'a> {
        Asked { token: self.token.as_deref(), doc, address: self.address }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("Credentials").field("token", &token).field("address", &self.address).finish()
    }
}

/// The longest token, in bytes: requests have no room for longer ones.
pub const LONGEST_TOKEN: usize = 8192;

fn bearer(headers: &HeaderMap) -> Option<Box<str>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    found(scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())?)
}

fn in_query(query: &str) -> Option<Box<str>> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    found(&percent_decode_str(value).decode_utf8().ok()?)
}

fn in_protocols(headers: &HeaderMap) -> Option<Box<str>> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut offered = values.flat_map(|value| value.split(','));
    found(offered.find_map(|one| one.trim().strip_prefix(TOKEN_PROTOCOL))?)
}

fn in_cookies(headers: &HeaderMap, name: &str) -> Option<Box<str>> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = values.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    found(cookies.find(|(other, _)| *other == name)?.1)
}

fn found(token: &str) -> Option<Box<str>> {
    (!token.is_empty()).then(|| token.into())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn token(headers: &[(HeaderName, &'static str)], query: Option<&str>) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        Credentials::of(&headers, query, "ydock_token", None).token.map(String::from)
    }

    #[test]
    fn a_token_is_found_wherever_it_may_stand() {
        let found = Some("a.b-c_d".to_owned());
        assert_eq!(token(&[(header::AUTHORIZATION, "Bearer a.b-c_d")], None), found);
        assert_eq!(token(&[(header::AUTHORIZATION, "bearer  a.b-c_d ")], None), found);
        assert_eq!(token(&[], Some("x=1&token=a%2Eb-c_d")), found);
        assert_eq!(token(&[(header::SEC_WEBSOCKET_PROTOCOL, "yjs, ydock.token.a.b-c_d")], None), found);
        assert_eq!(token(&[(header::COOKIE, "a=b; ydock_token=a.b-c_d; c=d")], None), found);
    }

    #[test]
    fn what_is_no_token_is_not_taken_for_one() {
        assert_eq!(
            token(&[(header::AUTHORIZATION, "Basic YTpi"), (header::COOKIE, "other=1")], Some("tokens=1")),
            None
        );
        assert_eq!(token(&[(header::AUTHORIZATION, "Bearer ")], Some("token=")), None);
        assert_eq!(token(&[], Some("token=%ff")), None);
    }

    #[test]
    fn of_several_the_more_deliberate_one_counts() {
        let both = [(header::AUTHORIZATION, "Bearer a"), (header::COOKIE, "ydock_token=b")];
        assert_eq!(token(&both, Some("token=c")).as_deref(), Some("a"));
        assert_eq!(token(&both[1..], Some("token=c")).as_deref(), Some("c"));
    }

    #[test]
    fn it_is_not_shown() {
        let credentials = Credentials { token: Some("secret".into()), address: None };
        assert!(!format!("{credentials:?} {:?}", credentials.asking(None)).contains("secret"));
    }
}
