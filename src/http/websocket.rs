//! The door to the WebSocket fronts.

use std::net::SocketAddr;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::demo;
use super::names;
use super::permission::credentials;
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
) -> Result<Response, Problem> {
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
) -> Result<Response, Problem> {
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
) -> Result<Response, Problem> {
    match upgrade {
        Ok(upgrade) => converse(&app, upgrade, &request),
        Err(rejection) if request.headers().contains_key(header::SEC_WEBSOCKET_KEY) => Ok(rejection.into_response()),
        Err(_) if app.demo => Ok(demo::index().await),
        Err(_) => Err(Problem::no_such_page()),
    }
}

/// An upgrade at `/ws`.
pub(super) async fn json_ws(
    State(front): State<JsonWs>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Ok(upgrade) = upgrade else {
        return Err(Problem::bad_request("this address is for WebSocket connections of gateway clients"));
    };
    let slot = front.connections().admit(Client::of(request.extensions()))?;
    Ok(front.upgrade(slot, upgrade, &request))
}

/// Any address that nothing else owns: an upgrade is a y-websocket client's, anything else is a file of the demo.
pub(super) async fn fallback(
    State(app): State<App>,
    upgrade: Result<Upgrade, UpgradeRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let path = request.uri().path();
    match upgrade {
        Ok(_) if is_reserved(path) => Err(Problem::no_such_page()),
        Ok(upgrade) => enter(&app, upgrade, &request),
        Err(rejection) if request.headers().contains_key(header::SEC_WEBSOCKET_KEY) => Ok(rejection.into_response()),
        Err(_) if app.demo => Ok(demo::file(path, request.headers())),
        Err(_) => Err(Problem::no_such_page()),
    }
}

/// Why there is no upgrade; whoever asked for none is told what the address is for.
fn refused(rejection: UpgradeRejection, purpose: &'static str) -> Result<Response, Problem> {
    match rejection {
        UpgradeRejection::NotAsked => Err(Problem::bad_request(purpose)),
        rejection => Ok(rejection.into_response()),
    }
}

fn enter(app: &App, upgrade: Upgrade, request: &Request) -> Result<Response, Problem> {
    from_here(app, request)?;
    let doc = names::of_websocket(request.uri())?;
    let slot = app.y_websocket.connections().admit(Client::of(request.extensions()))?;
    let credentials = credentials(app, request.headers(), request.uri(), request.extensions());
    Ok(app.y_websocket.upgrade(slot, upgrade, doc, &parts_of(request, &credentials)))
}

fn converse(app: &App, upgrade: Upgrade, request: &Request) -> Result<Response, Problem> {
    from_here(app, request)?;
    let slot = app.hocuspocus.connections().admit(Client::of(request.extensions()))?;
    let credentials = credentials(app, request.headers(), request.uri(), request.extensions());
    Ok(app.hocuspocus.upgrade(slot, upgrade, &parts_of(request, &credentials)))
}

/// Browsers send WebSocket requests to any host and do not ask: so the server does.
fn from_here(app: &App, request: &Request) -> Result<(), Problem> {
    if app.origins.allow(request.headers()) { Ok(()) } else { Err(Problem::origin()) }
}

fn parts_of<'a>(request: &'a Request, credentials: &'a Credentials) -> RequestParts<'a> {
    let remote = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(remote)| *remote);
    RequestParts { query: request.uri().query(), headers: request.headers(), remote, credentials }
}

fn is_reserved(path: &str) -> bool {
    RESERVED.contains(&path) || path.starts_with("/api/") || path.starts_with("/assets/")
}

/// Addresses that belong to other wires, or to nothing.
const RESERVED: [&str; 5] = ["/api", "/yjs", "/socket.io/", "/socket.io", "/ws"];
