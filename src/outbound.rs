//! Requests to servers of others: bounded in time and length, over TLS where the address says so, and never redirected.

use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use sha2::Sha256;
use thiserror::Error;
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring;

/// Sends requests, and keeps connections for the next ones. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Where requests go: an `http://` or `https://` address.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Uri);

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// A text that is no address to send requests to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected an http:// or https:// address")]
pub struct NoTarget;

/// Why there is no answer. None of these shows the address, in which there may be secrets.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutboundError {
    /// It did not come in time.
    #[error("no answer in time")]
    Timeout,
    /// The server cannot be reached, or broke off.
    #[error("the server cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is too long, or broke off.
    #[error("the answer is too long or broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request cannot be made.
    #[error("the request cannot be made")]
    Request(#[from] hyper::http::Error),
}

impl Outbound {
    /// Nothing is connected yet. The certificates that are trusted are those of the system.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new() -> io::Result<Self> {
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(ring::default_provider())?;
        let connector = tls.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT)
            .pool_max_idle_per_host(MOST_KEPT)
            .build(connector);
        Ok(Self { client })
    }

    /// Sends JSON, and waits for the answer, of which no more than `most` bytes are read.
    ///
    /// # Errors
    /// When there is no whole answer within the time. Whatever its status is, an answer is one.
    pub async fn post_json(
        &self,
        target: &Target,
        headers: &[(&'static str, String)],
        body: Bytes,
        (within, most): (Duration, usize),
    ) -> Result<Answer, OutboundError> {
        let mut request = Request::post(target.0.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("ydock/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(body))?;
        let asked = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| OutboundError::Unreachable(error.into()))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), most).collect().await.map_err(OutboundError::Body)?;
            Ok(Answer { status, body: body.to_bytes() })
        };
        timeout(within, asked).await.unwrap_or(Err(OutboundError::Timeout))
    }
}

/// The HMAC-SHA256 of a body, in the form that webhooks have it in: `sha256=` and hexadecimal digits.
///
/// ```
/// // RFC 4231, test case 2.
/// let signature = ydock::outbound::signature(b"Jefe", b"what do ya want for nothing?");
/// assert_eq!(signature, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
/// ```
#[must_use]
pub fn signature(secret: &[u8], body: &[u8]) -> String {
    use std::fmt::Write as _;
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    let mut signature = "sha256=".to_owned();
    for byte in mac.chain_update(body).finalize().into_bytes() {
        let _written = write!(signature, "{byte:02x}").is_ok();
    }
    signature
}

impl std::str::FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        let uri: Uri = text.parse().or(Err(NoTarget))?;
        let is_known = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        if is_known { Ok(Self(uri)) } else { Err(NoTarget) }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound")
    }
}

impl fmt::Debug for Target {
    /// The path and the query may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(uri) = self;
        write!(f, "{}://{}/…", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default())
    }
}

/// The header that carries the [`signature`] of a body.
pub const SIGNATURE: &str = "x-ydock-signature-256";
/// How long a connection that is not used is kept.
const KEPT: Duration = Duration::from_secs(30);
const MOST_KEPT: usize = 16;

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;

    use super::*;

    async fn server(routes: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        format!("http://{address}")
    }

    const BOUNDS: (Duration, usize) = (Duration::from_secs(5), 1000);

    #[tokio::test]
    async fn an_answer_comes_whole_or_not_at_all() {
        let routes = Router::new()
            .route("/echo", post(async |body: String| body))
            .route("/no", post(async || (axum::http::StatusCode::IM_A_TEAPOT, "no")))
            .route("/long", post(async || "x".repeat(1001)))
            .route("/slow", post(std::future::pending::<()>));
        let base = server(routes).await;
        let outbound = Outbound::new().unwrap();
        let ask = async |path: &str, within| {
            let target = format!("{base}{path}").parse().unwrap();
            outbound.post_json(&target, &[], Bytes::from_static(b"{}"), (within, BOUNDS.1)).await
        };
        assert_eq!(ask("/echo", BOUNDS.0).await.unwrap(), Answer { status: 200, body: "{}".into() });
        assert_eq!(ask("/no", BOUNDS.0).await.unwrap().status, 418);
        assert!(matches!(ask("/long", BOUNDS.0).await, Err(OutboundError::Body(_))));
        assert!(matches!(ask("/slow", Duration::from_millis(50)).await, Err(OutboundError::Timeout)));
        let nobody = "http://127.0.0.1:1".parse().unwrap();
        let unreachable = outbound.post_json(&nobody, &[], Bytes::new(), BOUNDS).await;
        assert!(matches!(unreachable, Err(OutboundError::Unreachable(_))));
    }

    #[test]
    fn only_what_can_be_asked_is_a_target_and_its_secrets_are_not_shown() {
        for wrong in ["", "example.org", "ftp://example.org", "https://", "/path"] {
            assert_eq!(wrong.parse::<Target>(), Err(NoTarget), "{wrong}");
        }
        let target: Target = "https://user:secret@example.org/secret?key=secret".parse().unwrap();
        assert_eq!(format!("{target:?}"), "https://example.org/…");
    }
}
