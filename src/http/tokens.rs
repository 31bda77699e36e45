//! Tokens for the users of a backend: `POST /api/tokens`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::permission::Admin;
use super::problem::Problem;
use super::routes::App;
use crate::access::{Pattern, Role, Rule};

/// What a token is to be good for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    user: Option<String>,
    docs: Patterns,
    role: Role,
    #[serde(default = "an_hour", with = "humantime_serde")]
    ttl: Duration,
}

/// One pattern or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Patterns {
    One(Pattern),
    Several(Vec<Pattern>),
}

/// Makes a token.
pub(super) async fn mint(
    _: Admin,
    State(app): State<App>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Wanted { user, docs, role, ttl }) =
        wanted.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let docs = match docs {
        Patterns::One(docs) => vec![docs],
        Patterns::Several(docs) => docs,
    };
    let rules: Vec<_> = docs.into_iter().map(|docs| Rule { docs, role }).collect();
    let token = app.access.mint(user.as_deref(), &rules, ttl)?;
    let is_secret = [(header::CACHE_CONTROL, "no-store")];
    Ok((is_secret, Json(json!({ "token": token, "expires_in": ttl.as_secs() }))).into_response())
}

const fn an_hour() -> Duration {
    Duration::from_hours(1)
}
