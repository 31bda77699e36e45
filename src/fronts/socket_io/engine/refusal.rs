//! What a request gets that is none of the transport.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Why a request is refused, with the codes and texts of the reference server, `Server.errors` of Engine.IO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Refusal {
    UnknownTransport,
    UnknownSession,
    Method,
    BadRequest,
    Origin,
    Version,
    /// A body larger than a message may be.
    TooLarge,
    /// There are too many sessions, or the server stops.
    Full,
    /// The client's address has as many connections as it may.
    Address,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (code, message) = match self {
            Self::UnknownTransport => (0, "Transport unknown"),
            Self::UnknownSession => (1, "Session ID unknown"),
            Self::Method => (2, "Bad handshake method"),
            Self::BadRequest => (3, "Bad request"),
            Self::Origin => (4, "Forbidden"),
            Self::Version => (5, "Unsupported protocol version"),
            Self::TooLarge => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
            Self::Full => return later(StatusCode::SERVICE_UNAVAILABLE),
            Self::Address => return later(StatusCode::TOO_MANY_REQUESTS),
        };
        let status = if self == Self::Origin { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
        let body = format!(r#"{{"code":{code},"message":"{message}"}}"#);
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

/// The client may try again, over another connection.
fn later(status: StatusCode) -> Response {
    (status, [(header::RETRY_AFTER, "2"), (header::CONNECTION, "close")]).into_response()
}
