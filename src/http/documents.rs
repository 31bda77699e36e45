//! Documents as a collection: list, stat, delete.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::names;
use super::permission::{Caller, MayDelete, MayView};
use super::problem::Problem;
use super::routes::App;
use crate::access::Pass;
use crate::doc_rooms::ReadError;
use crate::ids::DocName;
use crate::storage::DocumentInfo;

/// The query of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    after: Option<String>,
    limit: Option<usize>,
}

/// A document in a list.
#[derive(Debug, Serialize)]
struct Document<'a> {
    name: &'a str,
    generation: u64,
    updates: u64,
    bytes: u64,
    created: String,
    updated: String,
    /// How many are in it now; 0 when its room is closed.
    members: usize,
}

/// The stored documents in the order of their names, a page at a time.
pub(super) async fn list(
    Caller(pass): Caller,
    State(app): State<App>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let after = query.after.as_deref().map(names::parse).transpose()?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::bad_request(format!("limit must be from 1 to {MAX_LIMIT}")));
    }
    // What was accepted a moment ago belongs in the list.
    app.rooms.settle_new(SETTLING).await;
    let page = visible(&app, &pass, after, limit).await?;
    let next = if page.len() == limit { page.last().map(|info| info.name.as_str()) } else { None };
    let documents: Vec<_> = page.iter().map(|info| describe(&app, info)).collect();
    Ok(Json(json!({ "documents": documents, "next": next })).into_response())
}

/// The next documents that the caller may see, so many at most. Of others it learns nothing, not even by where a page ends.
async fn visible(
    app: &App,
    pass: &Pass,
    mut after: Option<DocName>,
    limit: usize,
) -> Result<Vec<DocumentInfo>, Problem> {
    let at_once = if pass.sees_everything() { limit } else { MAX_LIMIT };
    let mut found = Vec::new();
    loop {
        let page = app.store.list(after.as_ref(), at_once).await?;
        let is_last = page.len() < at_once;
        after = page.last().map(|info| info.name.clone());
        let rest = limit.saturating_sub(found.len());
        found.extend(page.into_iter().filter(|info| pass.grant(&info.name).is_some()).take(rest));
        if is_last || found.len() >= limit {
            return Ok(found);
        }
    }
}

/// One document, without its content.
pub(super) async fn stat(MayView(doc): MayView, State(app): State<App>) -> Result<Response, Problem> {
    app.rooms.settle_one(&doc, SETTLING).await;
    let info = app.store.stat(&doc).await?.ok_or(ReadError::Unknown)?;
    Ok(Json(describe(&app, &info)).into_response())
}

/// Deletes a document and ends the sessions in it.
pub(super) async fn delete(MayDelete(doc): MayDelete, State(app): State<App>) -> Result<Response, Problem> {
    app.rooms.delete(&doc).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn describe<'a>(app: &App, info: &'a DocumentInfo) -> Document<'a> {
    Document {
        name: info.name.as_str(),
        generation: info.generation.0,
        updates: info.head,
        bytes: info.bytes,
        created: humantime::format_rfc3339_millis(info.created).to_string(),
        updated: humantime::format_rfc3339_millis(info.updated).to_string(),
        members: app.rooms.members(&info.name).unwrap_or(0),
    }
}

/// What is not saved after this time, because the store fails, is told as the store knows it.
const SETTLING: Duration = Duration::from_secs(1);
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
