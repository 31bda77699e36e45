//! What a caller must be allowed to do, as a condition of a handler: it is decided before the body is read.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Uri};

use super::names::ApiDoc;
use super::problem::Problem;
use super::routes::App;
use crate::access::{Pass, Role};
use crate::auth::Credentials;
use crate::ids::DocName;
use crate::listen::Client;

/// The caller, with whatever its token is good for.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) Pass);

/// A caller who looks after the server: admin of all documents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admin;

/// A caller who may see all documents, and so how the server is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observer;

/// The document of the address, which the caller may read.
#[derive(Debug, Clone)]
pub(super) struct MayView(pub(super) DocName);

/// The document of the address, which the caller may change.
#[derive(Debug, Clone)]
pub(super) struct MayEdit(pub(super) DocName);

/// The document of the address, which the caller may delete.
#[derive(Debug, Clone)]
pub(super) struct MayDelete(pub(super) DocName);

/// The token in a request, and where it comes from.
pub(super) fn credentials(app: &App, headers: &HeaderMap, uri: &Uri, extensions: &Extensions) -> Credentials {
    Credentials::of(headers, uri.query(), app.access.cookie(), Client::of(extensions).address)
}

fn of_parts(app: &App, parts: &Parts) -> Credentials {
    credentials(app, &parts.headers, &parts.uri, &parts.extensions)
}

/// The document of the address, if the caller has at least this role there.
async fn allowed(parts: &mut Parts, app: &App, needed: Role) -> Result<DocName, Problem> {
    let ApiDoc(doc) = ApiDoc::from_request_parts(parts, app).await?;
    let (_, grant) = app.access.enter(&of_parts(app, parts), &doc).await?;
    match needed {
        _ if grant.role >= needed => Ok(doc),
        Role::Admin if grant.may_edit() => Err(Problem::forbidden("deleting a document takes the role admin")),
        _ => Err(Problem::read_only()),
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(Self(app.access.pass(of_parts(app, parts).asking(None)).await?))
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Caller(pass) = Caller::from_request_parts(parts, app).await?;
        if pass.is_admin() { Ok(Self) } else { Err(Problem::forbidden("this takes the role admin for all documents")) }
    }
}

impl FromRequestParts<App> for Observer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Caller(pass) = Caller::from_request_parts(parts, app).await?;
        if pass.sees_everything() { Ok(Self) } else { Err(Problem::forbidden("this takes a role for all documents")) }
    }
}

impl FromRequestParts<App> for MayView {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        allowed(parts, app, Role::View).await.map(Self)
    }
}

impl FromRequestParts<App> for MayEdit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        allowed(parts, app, Role::Edit).await.map(Self)
    }
}

impl FromRequestParts<App> for MayDelete {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        allowed(parts, app, Role::Admin).await.map(Self)
    }
}
