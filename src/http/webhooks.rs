//! Events that nobody took: `/api/webhooks`.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::permission::Admin;
use super::problem::Problem;
use super::routes::App;
use crate::webhooks::Webhooks;

/// Which of them; all, without a number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chosen {
    id: Option<u64>,
}

/// How many events wait, and which were put aside.
pub(super) async fn list(_: Admin, State(app): State<App>) -> Result<Response, Problem> {
    let webhooks = configured(&app)?;
    let read = move || Ok::<_, crate::webhooks::QueueError>((webhooks.waiting()?, webhooks.dead_letters()?));
    let Some(Ok((waiting, dead))) = app.tasks.run_blocking(read).await else {
        return Err(Problem::later("the queue of webhooks cannot be read"));
    };
    Ok(Json(json!({ "waiting": waiting, "dead": dead })).into_response())
}

/// Tries what was put aside again.
pub(super) async fn retry(
    _: Admin,
    State(app): State<App>,
    chosen: Result<Json<Chosen>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(chosen) = chosen.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    configured(&app)?.retry(chosen.id).await;
    Ok(Json(json!({ "asked": true })).into_response())
}

/// Forgets what was put aside.
pub(super) async fn forget(
    _: Admin,
    State(app): State<App>,
    chosen: Result<Json<Chosen>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(chosen) = chosen.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    configured(&app)?.forget(chosen.id).await;
    Ok(Json(json!({ "asked": true })).into_response())
}

fn configured(app: &App) -> Result<Webhooks, Problem> {
    app.webhooks.clone().ok_or_else(|| Problem::conflict("there are no webhooks: webhooks.url is not set"))
}
