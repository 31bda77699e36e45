//! What a caller must be allowed to do, as a condition of a handler: it is decided before the body is read.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::problem::Problem;
use super::routes::App;

/// The caller may change documents.
#[derive(Debug, Clone, Copy)]
pub(super) struct MayEdit;

impl FromRequestParts<App> for MayEdit {
    type Rejection = Problem;

    async fn from_request_parts(_parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if app.grant.may_edit() { Ok(Self) } else { Err(Problem::read_only()) }
    }
}
