//! Updates from programs: `POST /api/docs/{name}/updates`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::permission::MayEdit;
use super::problem::Problem;
use super::routes::App;
use crate::telemetry::Limit;

/// Takes a Yjs v1 update as the body; answers once it is durable.
pub(super) async fn post(
    MayEdit(doc): MayEdit,
    State(app): State<App>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let update = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            app.metrics.refused.count(Limit::StoreMaxUpdate);
            Problem::too_large(format!("an update may have at most {} bytes", app.max_update))
        }
        _ => Problem::bad_request("the body could not be read"),
    })?;
    if update.is_empty() {
        return Err(Problem::bad_request("the body is empty; send a Yjs v1 update"));
    }
    // A copy, because the body may be a slice of a much larger buffer and lives as long as the room.
    let submitted = app.rooms.submit(&doc, Bytes::copy_from_slice(&update)).await?;
    Ok(Json(json!({ "durable": true, "updates": submitted.head })).into_response())
}
