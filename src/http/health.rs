//! Whether the server lives, whether it can do its work, and what it counts.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::permission::Observer;
use super::problem::Problem;
use super::routes::App;
use crate::storage::Health;

/// The process answers.
pub(super) async fn healthz() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// The server takes work and keeps it.
pub(super) async fn readyz(State(app): State<App>) -> Response {
    if app.tasks.is_stopping() {
        return Problem::not_ready("the server is shutting down").into_response();
    }
    let failure = match app.store.health() {
        Health::Failed { reason } => {
            return Problem::not_ready(format!("the store has failed: {reason}")).into_response();
        }
        Health::Degraded { reason } => Some(reason),
        // A full disk has room for something small, and then the store is well. Whoever has something large is not.
        Health::Ok => app.rooms.failures().pop(),
    };
    match failure {
        Some(reason) => Problem::not_ready(format!("saving fails and is tried again: {reason}")).into_response(),
        None => Json(json!({ "status": "ready", "rooms": app.rooms.open_rooms() })).into_response(),
    }
}

/// The metrics, in the Prometheus text format.
pub(super) async fn metrics(_: Observer, State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render()).into_response()
}
