//! Who is there, and what an administrator may do about it: `/api/sessions` and `/api/revocations`.

use std::time::SystemTime;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::permission::Admin;
use super::problem::Problem;
use super::routes::App;
use crate::access::{Pattern, Role, TokenId};
use crate::auth::{Revocation, Whom};
use crate::connection::{SessionId, SessionInfo};
use crate::delivery::Ending;
use crate::ids::DocName;

/// Which sessions are meant: those for which all that is given holds, and something must be.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chosen {
    session: Option<SessionId>,
    user: Option<String>,
    token: Option<TokenId>,
    document: Option<DocName>,
}

/// What is taken back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revoke {
    /// From the token of this session.
    session: Option<SessionId>,
    user: Option<String>,
    token: Option<TokenId>,
    /// In these documents; in all, without it.
    docs: Option<Pattern>,
    /// What is left; nothing, without it.
    role: Option<Role>,
}

/// To whom it is given back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restore {
    user: Option<String>,
    token: Option<TokenId>,
}

impl Chosen {
    fn holds(&self, info: &SessionInfo) -> bool {
        self.session.is_none_or(|session| session == info.session)
            && self.user.as_deref().is_none_or(|user| info.user.as_deref() == Some(user))
            && self.token.is_none_or(|token| info.token == Some(token))
            && self.document.as_ref().is_none_or(|document| info.document.as_ref() == Some(document))
    }

    const fn is_anything(&self) -> bool {
        self.session.is_some() || self.user.is_some() || self.token.is_some() || self.document.is_some()
    }
}

/// Everybody who is there.
pub(super) async fn list(
    _: Admin,
    State(app): State<App>,
    query: Result<Query<Chosen>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(chosen) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let sessions = app.sessions.list(|info| chosen.holds(info));
    Ok(Json(json!({ "sessions": sessions })).into_response())
}

/// Ends sessions; their clients may come back at once.
pub(super) async fn kick(
    _: Admin,
    State(app): State<App>,
    chosen: Result<Json<Chosen>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(chosen) = chosen.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    if !chosen.is_anything() {
        return Err(Problem::bad_request("say whom: session, user, token or document"));
    }
    let ended = app.sessions.end(&Ending::Kicked, |info| chosen.holds(info));
    tracing::info!(ended, "sessions were ended by an administrator");
    Ok(Json(json!({ "ended": ended })).into_response())
}

/// Takes a token, or all tokens of a user made until now, back: in part or as a whole, from open sessions too.
pub(super) async fn revoke(
    _: Admin,
    State(app): State<App>,
    revoke: Result<Json<Revoke>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(revoke) = revoke.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let (whom, until) = whom(&app, &revoke)?;
    let docs = revoke.docs.unwrap_or_else(Pattern::everything);
    let revocation = Revocation { whom, docs, at_most: revoke.role, since: SystemTime::now(), until };
    // It counts at once, for open sessions too, whether it can be kept or not and whoever waits for that.
    app.access.take_back(revocation)?;
    let reviewed = app.sessions.review(&app.access);
    let kept = app.access.keep_revocations().await;
    tracing::info!(ended = reviewed.ended, changed = reviewed.changed, "access was taken back by an administrator");
    kept?;
    Ok(Json(reviewed).into_response())
}

/// From whom, and until when there is something to take back.
fn whom(app: &App, revoke: &Revoke) -> Result<(Whom, Option<SystemTime>), Problem> {
    match (revoke.session, &revoke.user, revoke.token) {
        (Some(session), None, None) => {
            let info = app.sessions.list(|info| info.session == session).pop();
            let info = info.ok_or_else(|| Problem::conflict("there is no such session now"))?;
            let token = info.token.ok_or_else(|| {
                Problem::conflict("the session came without a token, so there is none to take back; it can be ended by /api/sessions/kick")
            })?;
            // Other tokens may be good again after the time for which an answer about them counted.
            Ok((Whom::Token(token), info.expires.filter(|_| app.access.tokens_expire())))
        }
        (None, Some(user), None) => Ok((Whom::User(user.clone()), None)),
        (None, None, Some(token)) => Ok((Whom::Token(token), None)),
        _ => Err(Problem::bad_request("say from whom, by one of session, user and token")),
    }
}

/// What is taken back now.
pub(super) async fn revocations(_: Admin, State(app): State<App>) -> Response {
    Json(json!({ "revocations": app.access.revocations() })).into_response()
}

/// Gives back what was taken back from a token or a user, to open sessions too. Those that it ended are not begun again.
pub(super) async fn restore(
    _: Admin,
    State(app): State<App>,
    restore: Result<Json<Restore>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(restore) = restore.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let whom = match (restore.user, restore.token) {
        (Some(user), None) => Whom::User(user),
        (None, Some(token)) => Whom::Token(token),
        _ => return Err(Problem::bad_request("say to whom, by one of user and token")),
    };
    let restored = app.access.give_back(&whom);
    app.sessions.review(&app.access);
    app.access.keep_revocations().await?;
    Ok(Json(json!({ "restored": restored })).into_response())
}
