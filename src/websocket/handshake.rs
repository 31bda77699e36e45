//! From an HTTP request to a socket, RFC 6455, section 4.2.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{
    self, CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::upgrade::OnUpgrade;
use sha1::{Digest, Sha1};
use thiserror::Error;

use super::socket::Socket;

/// A request to go over to WebSocket, found to be in order.
///
/// An extractor for axum; what is answered is for the handler to say.
#[derive(Debug)]
pub struct Upgrade {
    connection: OnUpgrade,
    accept: HeaderValue,
    protocol: Option<HeaderValue>,
}

/// Why a request is none that goes over to WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UpgradeRejection {
    /// It does not ask for it.
    #[error("this address is for WebSocket connections")]
    NotAsked,
    /// It asks for another version than 13.
    #[error("this server speaks version 13 of the WebSocket protocol")]
    Version,
    /// Its key is not 16 bytes in Base64.
    #[error("the header sec-websocket-key is not a key")]
    Key,
    /// The connection cannot change its protocol.
    #[error("this connection cannot go over to WebSocket")]
    Impossible,
}

impl Upgrade {
    /// Agrees to the first subprotocol that the client offers, whatever it is: a browser fails the connection unless one of
    /// those that it offers comes back.
    #[must_use]
    pub fn agreeing(mut self, headers: &HeaderMap) -> Self {
        self.protocol = first_protocol(headers).and_then(|first| HeaderValue::from_str(first).ok());
        self
    }

    /// The answer to the request. Once it is sent, `carry` runs with the socket; it is to hand the socket on and return.
    pub fn on_upgrade<F>(self, carry: impl FnOnce(Socket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { connection, accept, protocol } = self;
        #[expect(clippy::disallowed_methods, reason = "it ends with the request's connection, which is counted")]
        tokio::spawn(async move {
            match connection.await {
                Ok(upgraded) => carry(Socket::of(upgraded)).await,
                Err(error) => tracing::debug!(%error, "a client was gone before its socket was there"),
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        if let Some(protocol) = protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        response
    }
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, UpgradeRejection> {
        let headers = &parts.headers;
        let asks = parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && lists(headers, &CONNECTION, "upgrade")
            && lists(headers, &UPGRADE, "websocket");
        if !asks {
            return Err(UpgradeRejection::NotAsked);
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != SPOKEN) {
            return Err(UpgradeRejection::Version);
        }
        let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
        let (Some(key), None) = (keys.next(), keys.next()) else { return Err(UpgradeRejection::Key) };
        let accept = accept(key).ok_or(UpgradeRejection::Key)?;
        let connection = parts.extensions.remove::<OnUpgrade>().ok_or(UpgradeRejection::Impossible)?;
        Ok(Self { connection, accept, protocol: None })
    }
}

impl IntoResponse for UpgradeRejection {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotAsked | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Key => StatusCode::BAD_REQUEST,
            Self::Impossible => StatusCode::NOT_IMPLEMENTED,
        };
        let mut response = (status, format!("{self}\n")).into_response();
        if status == StatusCode::UPGRADE_REQUIRED {
            let headers = response.headers_mut();
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(SPOKEN));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
        response
    }
}

/// The first subprotocol that a client offers, but for what is a token in the place of one.
pub(crate) fn first_protocol(headers: &HeaderMap) -> Option<&str> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let mut offered = offered.split(',').map(str::trim);
    offered.find(|protocol| !protocol.is_empty() && !protocol.starts_with(TOKEN_PROTOCOL))
}

/// The subprotocol that carries a token, which browsers can send nowhere else: this, and the token.
pub(crate) const TOKEN_PROTOCOL: &str = "ydock.token.";

/// Whether a header that is a list has this word.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
}

/// What shows that the server has read the key.
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    let nonce = BASE64_STANDARD.decode(key.as_bytes()).ok()?;
    if nonce.len() != KEY_LEN {
        return None;
    }
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(GUID).finalize();
    HeaderValue::from_str(&BASE64_STANDARD.encode(digest)).ok()
}

/// The version of RFC 6455.
const SPOKEN: &str = "13";
const KEY_LEN: usize = 16;
/// RFC 6455, section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn request(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    const GOOD: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    async fn rejection(headers: &[(&str, &str)]) -> UpgradeRejection {
        Upgrade::from_request_parts(&mut request(headers), &()).await.unwrap_err()
    }

    #[test]
    fn the_answer_to_the_key_is_that_of_the_standard() {
        let accepted = accept(&HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==")).unwrap();
        assert_eq!(accepted, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(accept(&HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ")), None);
        assert_eq!(accept(&HeaderValue::from_static("c2hvcnQ=")), None);
    }

    #[test]
    fn a_token_among_the_subprotocols_is_not_agreed_to() {
        let first =
            |offered| first_protocol(&request(&[("sec-websocket-protocol", offered)]).headers).map(str::to_owned);
        assert_eq!(first("ydock.token.secret, yjs").as_deref(), Some("yjs"));
        assert_eq!(first(" yjs,other").as_deref(), Some("yjs"));
        assert_eq!(first("ydock.token.secret"), None);
    }

    #[tokio::test]
    async fn each_part_of_the_request_is_needed() {
        let without = |at: usize| [&GOOD[..at], &GOOD[at + 1..]].concat();
        assert_eq!(rejection(&without(0)).await, UpgradeRejection::NotAsked);
        assert_eq!(rejection(&without(1)).await, UpgradeRejection::NotAsked);
        assert_eq!(rejection(&without(2)).await, UpgradeRejection::Version);
        assert_eq!(rejection(&without(3)).await, UpgradeRejection::Key);
        assert_eq!(rejection(&[&GOOD[..], &GOOD[3..]].concat()).await, UpgradeRejection::Key);
        let old = [&GOOD[..2], &[("sec-websocket-version", "8")], &GOOD[3..]].concat();
        assert_eq!(rejection(&old).await, UpgradeRejection::Version);
        // All is well, but the connection in this test can become nothing else.
        assert_eq!(rejection(&GOOD).await, UpgradeRejection::Impossible);
    }

    #[tokio::test]
    async fn a_refusal_tells_the_version() {
        let response = rejection(&GOOD[..2]).await.into_response();
        assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
        assert_eq!(response.headers().get(SEC_WEBSOCKET_VERSION).unwrap(), "13");
    }
}
