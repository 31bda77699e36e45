//! Document names in addresses: percent-decoded, then parsed.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use super::problem::Problem;
use crate::ids::DocName;

/// The document named by the segment after `/api/docs/`.
#[derive(Debug, Clone)]
pub(super) struct ApiDoc(pub(super) DocName);

impl<S: Send + Sync> FromRequestParts<S> for ApiDoc {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let rest = parts.uri.path().strip_prefix("/api/docs/").unwrap_or_default();
        parse(rest.split('/').next().unwrap_or_default()).map(Self)
    }
}

/// Reads a name from the raw text of an address.
pub(super) fn parse(raw: &str) -> Result<DocName, Problem> {
    let Ok(text) = percent_decode_str(raw).decode_utf8() else {
        return Err(Problem::bad_request("the document name is not UTF-8"));
    };
    DocName::parse(&text).map_err(|error| Problem::bad_request(error.to_string()))
}

/// The document that a WebSocket address names: what follows `/yjs/`, or the whole path on any other.
pub(super) fn of_websocket(uri: &Uri) -> Result<DocName, Problem> {
    let path = uri.path();
    let raw = path.strip_prefix("/yjs/").or_else(|| path.strip_prefix('/')).unwrap_or(path);
    parse(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> Option<String> {
        let uri: Uri = path.parse().unwrap();
        of_websocket(&uri).ok().map(|name| name.as_str().to_owned())
    }

    #[test]
    fn both_forms_of_the_address_name_the_same_document() {
        assert_eq!(name("/yjs/my%20room/%C3%BC?token=a").as_deref(), Some("my room/ü"));
        assert_eq!(name("/my%20room/%C3%BC").as_deref(), Some("my room/ü"));
    }

    #[test]
    fn odd_names_are_taken_literally_and_impossible_ones_refused() {
        assert_eq!(name("/yjs/..%2F..%2Fetc%2Fpasswd").as_deref(), Some("../../etc/passwd"));
        assert_eq!(name("/yjs/100%25").as_deref(), Some("100%"));
        assert_eq!(name("/yjs/%"), Some("%".to_owned()));
        assert_eq!(name("/yjs/"), None);
        assert_eq!(name("/yjs/%00"), None);
        assert_eq!(name("/yjs/%ff"), None);
        assert_eq!(name(&format!("/{}", "x".repeat(1025))), None);
    }
}
