//! The door to the WebSocket fronts.

use std::net::SocketAddr;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::demo;
use super::names;
use super::problem::Problem;
use super::routes::App;
use crate::auth::Credentials;
use crate::connection::RequestParts;
use crate::fronts::json_ws::JsonWs;
use crate::listen::Client;
use crate::websocket::{Upgrade, UpgradeRejection};

/// An upgrade at `/yjs/{doc}`.
pub(super) async fn y_websocket(
    State(app): State<App>,
    upgrade: Result<Upgrade, UpgradeRejection>,
    request: Request,
) -> Response {
    match upgrade {
        Ok(upgrade) => enter(&app, upgrade, &request),
        Err(rejection) => refused(rejection, "this address is for WebSocket connections of Yjs clients"),
    }
}

/// An upgrade at `/hocuspocus`; what else stands in the address is the application's.
pub(super) async fn hocuspocus(
    State(app): State<App>,
    upgrade: Result<Upgrade, UpgradeRejection>,
    request: Request,
) -> Response {
    match upgrade {
        Ok(upgrade) => converse(&app, upgrade, &request),
        Err(rejection) => refused(rejection, "this address is for WebSocket connections of Hocuspocus providers"),
    }
}

/// The address without a path: an upgrade is a Hocuspocus provider's, anything else is the demo's page.
pub(super) async fn root(
    State(app): State<App>,
    upgrade: Result<Upgrade, UpgradeRejection>,
    request: Request,
) -> Response {
    match upgrade {
        Ok(upgrade) => converse(&app, upgrade, &request),
        Err(rejection) if request.headers().contains_key(header::SEC_WEBSOCKET_KEY) => rejection.into_response(),
        Err(_) if app.demo => demo::index().await,
        Err(_) => Problem::no_such_page().into_response(),
    }
}

/// An upgrade at `/ws`.
pub(super) async fn json_ws(
    State(front): State<JsonWs>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return Problem::bad_request("this address is for WebSocket connections of gateway clients").into_response();
    };
    match front.connections().admit(Client::of(request.extensions())) {
        Ok(slot) => front.upgrade(slot, upgrade, &request),
        Err(no_slot) => Problem::from(no_slot).into_response(),
    }
}

/// Any address that nothing else owns: an upgrade is a y-websocket client's, anything else is a file of the demo.
pub(super) async fn fallback(
    State(app): State<App>,
    upgrade: Result<Upgrade, UpgradeRejection>,
    request: Request,
) -> Response {
    let path = request.uri().path();
    match upgrade {
        Ok(_) if is_reserved(path) => Problem::no_such_page().into_response(),
        Ok(upgrade) => enter(&app, upgrade, &request),
        Err(rejection) if request.headers().contains_key(header::SEC_WEBSOCKET_KEY) => rejection.into_response(),
        Err(_) if app.demo => demo::file(path, request.headers()),
        Err(_) => Problem::no_such_page().into_response(),
    }
}

/// Why there is no upgrade; whoever asked for none is told what the address is for.
fn refused(rejection: UpgradeRejection, purpose: &'static str) -> Response {
    match rejection {
        UpgradeRejection::NotAsked => Problem::bad_request(purpose).into_response(),
        rejection => rejection.into_response(),
    }
}

fn enter(app: &App, upgrade: Upgrade, request: &Request) -> Response {
    if !app.origins.allow(request.headers()) {
        return Problem::origin().into_response();
    }
    let doc = match names::of_websocket(request.uri()) {
        Ok(doc) => doc,
        Err(problem) => return problem.into_response(),
    };
    let slot = match app.y_websocket.connections().admit(Client::of(request.extensions())) {
        Ok(slot) => slot,
        Err(no_slot) => return Problem::from(no_slot).into_response(),
    };
    let credentials = credentials(app, request);
    app.y_websocket.upgrade(slot, upgrade, doc, &parts_of(request, &credentials))
}

fn converse(app: &App, upgrade: Upgrade, request: &Request) -> Response {
    if !app.origins.allow(request.headers()) {
        return Problem::origin().into_response();
    }
    match app.hocuspocus.connections().admit(Client::of(request.extensions())) {
        Ok(slot) => app.hocuspocus.upgrade(slot, upgrade, &parts_of(request, &credentials(app, request))),
        Err(no_slot) => Problem::from(no_slot).into_response(),
    }
}

fn parts_of<'a>(request: &'a Request, credentials: &'a Credentials) -> RequestParts<'a> {
    let (query, remote) = (request.uri().query(), remote(request));
    RequestParts { query, headers: request.headers(), remote, credentials }
}

fn credentials(app: &App, request: &Request) -> Credentials {
    let address = remote(request).map(|remote| remote.ip());
    Credentials::of(request.headers(), request.uri().query(), app.access.cookie(), address)
}

fn remote(request: &Request) -> Option<SocketAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(remote)| *remote)
}

fn is_reserved(path: &str) -> bool {
    RESERVED.contains(&path) || path.starts_with("/api/") || path.starts_with("/assets/")
}

/// Addresses that belong to other wires, or to nothing.
const RESERVED: [&str; 5] = ["/api", "/yjs", "/socket.io/", "/socket.io", "/ws"];
