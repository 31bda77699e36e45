//! Exports: `GET /api/docs/{name}/snapshot`.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;

use super::permission::MayView;
use super::problem::Problem;
use super::routes::App;
use crate::doc_rooms::{ReadError, Reading};
use crate::ids::DocName;
use crate::materialise::{DocumentKey, Export, Root, Source};
use crate::sync::{self, DocumentBytes, RootKind, ScanError};

/// The query of an export.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnapshotQuery {
    #[serde(default)]
    format: Format,
    /// `name:kind`, separated by commas; kinds are `text`, `array`, `map` and `xml`.
    types: Option<String>,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    #[default]
    Update,
    StateVector,
    Json,
    Text,
    Svg,
}

/// The document as it is now.
pub(super) async fn snapshot(
    MayView(doc): MayView,
    State(app): State<App>,
    query: Result<Query<SnapshotQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let roots = query.types.as_deref().map(parse_roots).transpose()?;
    if let Some(response) = unchanged_when_closed(&app, &doc, &query, &headers).await? {
        return Ok(response);
    }
    let reading = app.rooms.read(&doc).await?;
    let unsaved = if reading.unsaved > 0 { Some(app.run) } else { None };
    let tag = Tag { generation: reading.generation.0, head: reading.head, unsaved, query: &query }.to_string();
    if matches(&headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let body = match query.format {
        Format::Update => encode(&app, reading.bytes, merged).await?,
        Format::StateVector => encode(&app, reading.bytes, state_vector).await?,
        Format::Json | Format::Text | Format::Svg => {
            let export = wanted(&app, query.format, &reading, roots).await?;
            materialise(&app, doc, reading, export).await?
        }
    };
    Ok(respond(query.format, body, &tag))
}

/// A closed document that did not change is not even read.
async fn unchanged_when_closed(
    app: &App,
    doc: &DocName,
    query: &SnapshotQuery,
    headers: &HeaderMap,
) -> Result<Option<Response>, Problem> {
    if !headers.contains_key(header::IF_NONE_MATCH) || app.rooms.members(doc).is_some() {
        return Ok(None);
    }
    let info = app.store.stat(doc).await?.ok_or(ReadError::Unknown)?;
    let tag = Tag { generation: info.generation.0, head: info.head, unsaved: None, query }.to_string();
    Ok(matches(headers, &tag).then(|| not_modified(&tag)))
}

async fn encode(
    app: &App,
    bytes: DocumentBytes,
    work: fn(&DocumentBytes) -> Result<Bytes, ScanError>,
) -> Result<Bytes, Problem> {
    let encoded = app.tasks.run_blocking(move || work(&bytes)).await;
    match encoded {
        Some(Ok(encoded)) => Ok(encoded),
        _ => Err(Problem::unreadable()),
    }
}

fn merged(bytes: &DocumentBytes) -> Result<Bytes, ScanError> {
    match (&bytes.snapshot, bytes.tail.as_slice()) {
        (Some(snapshot), []) => Ok(snapshot.clone()),
        _ => Ok(sync::merge(bytes.parts().map(AsRef::as_ref))?.into()),
    }
}

fn state_vector(bytes: &DocumentBytes) -> Result<Bytes, ScanError> {
    Ok(sync::state_vector_of(bytes.parts().map(AsRef::as_ref))?.encode().into())
}

/// What to ask of the materialiser for a format that it makes.
async fn wanted(app: &App, format: Format, reading: &Reading, given: Option<Vec<Root>>) -> Result<Export, Problem> {
    if format == Format::Svg {
        return Ok(Export::Svg { root: BOARD.to_owned() });
    }
    let roots = match given {
        Some(roots) => roots,
        None => infer_roots(app, reading.bytes.clone()).await?,
    };
    if format == Format::Json {
        return Ok(Export::Json { roots });
    }
    let has_text = |root: &Root| matches!(root.kind, RootKind::Text | RootKind::Xml);
    Ok(Export::Text { roots: roots.into_iter().filter(has_text).collect() })
}

async fn materialise(app: &App, doc: DocName, reading: Reading, export: Export) -> Result<Bytes, Problem> {
    let key = DocumentKey { name: doc, generation: reading.generation };
    let Reading { bytes, snapshot_upto, head, .. } = reading;
    let source = Source { key, bytes, snapshot_upto, head };
    let materialiser = Arc::clone(&app.materialiser);
    match materialiser.export(source, export).await {
        Ok(body) => {
            app.metrics.exports.increment(1);
            Ok(body.into())
        }
        Err(error) => {
            app.metrics.export_failures.increment(1);
            Err(error.into())
        }
    }
}

async fn infer_roots(app: &App, bytes: DocumentBytes) -> Result<Vec<Root>, Problem> {
    let kinds = app.tasks.run_blocking(move || sync::root_kinds(bytes.parts().map(AsRef::as_ref))).await;
    match kinds {
        Some(Ok(kinds)) => Ok(kinds.into_iter().map(|(name, kind)| Root { name, kind }).collect()),
        _ => Err(Problem::unreadable()),
    }
}

/// Reads `name:kind,…`. A name may hold colons, since a kind does not; no commas.
fn parse_roots(text: &str) -> Result<Vec<Root>, Problem> {
    let wrong = || Problem::bad_request("types must be name:kind pairs, with kinds text, array, map and xml");
    let parse = |pair: &str| {
        let (name, kind) = pair.rsplit_once(':')?;
        let kind = match kind {
            "text" => RootKind::Text,
            "array" => RootKind::Array,
            "map" => RootKind::Map,
            "xml" => RootKind::Xml,
            _ => return None,
        };
        Some(Root { name: name.to_owned(), kind })
    };
    text.split(',').map(|pair| parse(pair).ok_or_else(wrong)).collect()
}

/// What identifies an export: weak, since equal documents may be encoded differently.
struct Tag<'a> {
    generation: u64,
    head: u64,
    unsaved: Option<uuid::Uuid>,
    query: &'a SnapshotQuery,
}

impl std::fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let types = crc32c::crc32c(self.query.types.as_deref().unwrap_or_default().as_bytes());
        write!(f, "W/\"{}.{}.{:?}.{types:x}", self.generation, self.head, self.query.format)?;
        match self.unsaved {
            // What is not durable may be something else after a crash.
            Some(run) => write!(f, ".{}\"", run.simple()),
            None => f.write_str("\""),
        }
    }
}

/// Weak comparison, as RFC 9110, section 13.1.2 demands.
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let wanted = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let strip = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    wanted.flat_map(|value| value.split(',')).any(|other| other.trim() == "*" || strip(other) == strip(tag))
}

fn not_modified(tag: &str) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    set_tag(&mut response, tag);
    response
}

fn respond(format: Format, body: Bytes, tag: &str) -> Response {
    let content_type = match format {
        Format::Update | Format::StateVector => "application/octet-stream",
        Format::Json => "application/json",
        Format::Text => "text/plain; charset=utf-8",
        Format::Svg => "image/svg+xml",
    };
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")];
    let mut response = (headers, [(header::X_CONTENT_TYPE_OPTIONS, "nosniff")], body).into_response();
    if format == Format::Svg {
        let policy = HeaderValue::from_static(SVG_POLICY);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    set_tag(&mut response, tag);
    response
}

fn set_tag(response: &mut Response, tag: &str) {
    if let Ok(value) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
}

/// The root of the whiteboard, see docs/whiteboard-schema.md.
const BOARD: &str = "board";

/// A picture that a browser opens as a page of its own runs nothing and loads nothing.
const SVG_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_given_as_pairs() {
        let roots = parse_roots("t:text,a:b:map").unwrap();
        assert_eq!(roots[0], Root { name: "t".to_owned(), kind: RootKind::Text });
        assert_eq!(roots[1], Root { name: "a:b".to_owned(), kind: RootKind::Map });
        assert!(parse_roots("t").is_err());
        assert!(parse_roots("t:table").is_err());
    }

    #[test]
    fn a_tag_matches_in_a_list_weakly_and_by_the_star() {
        let headers =
            |text: &'static str| HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(text))]);
        assert!(matches(&headers("\"x\", W/\"a\""), "W/\"a\""));
        assert!(matches(&headers("\"a\""), "W/\"a\""));
        assert!(matches(&headers("*"), "W/\"a\""));
        assert!(!matches(&headers("\"b\""), "W/\"a\""));
    }
}
