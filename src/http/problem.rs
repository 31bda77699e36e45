//! Errors as HTTP says them: the one table from reasons to problems of RFC 9457.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::auth::{MintError, Refusal, RevocationsError};
use crate::connection::NoSlot;
use crate::doc_rooms::{DeleteError, JoinError, ReadError, SubmitError};
use crate::materialise::MaterialiseError;
use crate::storage::StoreError;
use crate::telemetry::ErrorChain;

/// A problem document: `application/problem+json`, of RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of problem: a path under `/problems/`, stable for programs.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// This very problem in words, without internals.
    detail: String,
    #[serde(skip)]
    retry: bool,
    #[serde(skip)]
    ends_connection: bool,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, title, status: status.as_u16(), detail: detail.into(), retry: false, ends_connection: false }
    }

    /// It cannot be done now; the text says why.
    pub(super) fn later(detail: impl Into<String>) -> Self {
        let problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "/problems/unavailable", "Unavailable for now", detail);
        Self { retry: true, ..problem }
    }

    fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "/problems/internal", "Internal error", detail)
    }

    /// The request is wrong in itself.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "/problems/bad-request", "Bad request", detail)
    }

    /// There is nothing at this address.
    pub(super) fn no_such_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, "/problems/not-found", "Not found", "there is nothing at this address")
    }

    /// The caller may not do this; the text says what it takes.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "/problems/forbidden", "Forbidden", detail)
    }

    /// A page of this origin may not.
    pub(super) fn origin() -> Self {
        Self::forbidden("pages of this origin may not come here; access.origins lists those that may")
    }

    /// There is already something in the way.
    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "/problems/conflict", "Conflict", detail)
    }

    /// The caller may not change documents.
    pub(super) fn read_only() -> Self {
        Self::new(StatusCode::FORBIDDEN, "/problems/read-only", "Read only", "documents may only be read here")
    }

    /// The method is not one of this address.
    pub(super) fn method() -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "/problems/method", "Method not allowed", "this address does not answer to this method")
    }

    /// The request body is larger than allowed.
    pub(super) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "/problems/too-large", "Too large", detail)
    }

    /// The request's body did not come in time.
    pub(super) fn late_body() -> Self {
        let (status, detail) = (StatusCode::REQUEST_TIMEOUT, "the body of the request took too long");
        let problem = Self::new(status, "/problems/late-body", "Request timeout", detail);
        Self { ends_connection: true, ..problem }
    }

    fn too_many_connections(detail: impl Into<String>) -> Self {
        let (status, title) = (StatusCode::TOO_MANY_REQUESTS, "Too many connections");
        let problem = Self::new(status, "/problems/too-many-connections", title, detail);
        Self { retry: true, ends_connection: true, ..problem }
    }

    /// The server is not ready; the text says why.
    pub(super) fn not_ready(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "/problems/not-ready", "Not ready", detail)
    }

    /// What is stored is no document.
    pub(super) fn unreadable() -> Self {
        Self::internal("the document's stored data is damaged")
    }

    fn unknown_document() -> Self {
        let status = StatusCode::NOT_FOUND;
        Self::new(status, "/problems/unknown-document", "Unknown document", "there is no document of this name")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let Self { retry, ends_connection, .. } = self;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        if ends_connection {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::NoToken | Refusal::Invalid(_) | Refusal::Expired | Refusal::Revoked => {
                Self::new(StatusCode::UNAUTHORIZED, "/problems/unauthorized", "Unauthorized", text)
            }
            Refusal::Forbidden(_) => Self::forbidden(text),
            Refusal::Unavailable => Self::later(text),
        }
    }
}

impl From<MintError> for Problem {
    fn from(error: MintError) -> Self {
        match error {
            MintError::CannotSign => Self::conflict(error.to_string()),
            MintError::Claims(_) => Self::bad_request(error.to_string()),
            MintError::Key => Self::internal(error.to_string()),
        }
    }
}

impl From<RevocationsError> for Problem {
    fn from(error: RevocationsError) -> Self {
        if let RevocationsError::Full = error {
            return Self::conflict(error.to_string());
        }
        tracing::error!(error = %ErrorChain(&error), "a revocation is not kept");
        Self::internal("it counts now, but could not be kept: it will not outlive this process")
    }
}

impl From<NoSlot> for Problem {
    fn from(error: NoSlot) -> Self {
        match error {
            NoSlot::Address(_) => Self::too_many_connections(error.to_string()),
            _ => Self { ends_connection: true, ..Self::later(error.to_string()) },
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "a request met a failing store");
        match error {
            StoreError::Corrupt { .. } => Self::unreadable(),
            StoreError::Unavailable(_) | StoreError::NoSpace(_) | StoreError::Closed => {
                Self::later("the store is unavailable")
            }
            _ => Self::internal("the store failed"),
        }
    }
}

impl From<JoinError> for Problem {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Full => Self::later("no room is left for another document"),
            JoinError::Stopping => Self::later("the server is shutting down"),
            JoinError::Load(error) => error.into(),
            JoinError::Inconsistent => Self::unreadable(),
            JoinError::Refused(reason) => {
                Self::new(StatusCode::FORBIDDEN, "/problems/refused-document", "Document refused", reason.to_string())
            }
            JoinError::NotBegun => Self::later("the document cannot be opened now"),
            JoinError::Failed => Self::later("the document's room failed, try again"),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unknown => Self::unknown_document(),
            ReadError::Load(error) => error.into(),
        }
    }
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Unknown => Self::unknown_document(),
            DeleteError::Join(error) => error.into(),
            DeleteError::Store(error) => error.into(),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let text = error.to_string();
        match error {
            SubmitError::Join(error) => error.into(),
            SubmitError::Refused(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "/problems/refused-update", "Update refused", text)
            }
            SubmitError::TooLarge(_) => Self::too_large(text),
            SubmitError::Missing => {
                Self::new(StatusCode::CONFLICT, "/problems/missing-updates", "Earlier updates are missing", text)
            }
            SubmitError::Deleted => Self::new(StatusCode::GONE, "/problems/deleted", "Deleted", text),
            SubmitError::Interrupted => Self::later(text),
        }
    }
}

impl From<MaterialiseError> for Problem {
    fn from(error: MaterialiseError) -> Self {
        tracing::warn!(error = %error, "an export failed");
        match error {
            MaterialiseError::Busy => Self::later("too many exports are waiting"),
            MaterialiseError::Unavailable(_) => Self::later("no export worker could be started"),
            MaterialiseError::Closed => Self::later("the server is shutting down"),
            MaterialiseError::Timeout => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "/problems/export-timeout",
                "The export took too long",
                "the document could not be exported in time; format=update always works",
            ),
            MaterialiseError::TooLarge { .. } => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "/problems/export-too-large",
                "The export is too large",
                error.to_string(),
            ),
            MaterialiseError::Crashed | MaterialiseError::Refused(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "/problems/export-refused",
                "The document cannot be exported in this format",
                format!("{error}; format=update always works"),
            ),
        }
    }
}
