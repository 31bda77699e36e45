//! Every address, in one table.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::problem::Problem;
use super::{demo, documents, health, sessions, snapshot, tokens, updates, webhooks, websocket};
use crate::auth::Access;
use crate::connection::Sessions;
use crate::doc_rooms::Rooms;
use crate::fronts::hocuspocus::Hocuspocus;
use crate::fronts::json_ws::JsonWs;
use crate::fronts::socket_io;
use crate::fronts::y_websocket::YWebSocket;
use crate::gateway::{Gateways, Origins};
use crate::materialise::Materialiser;
use crate::shutdown::Tasks;
use crate::storage::Store;
use crate::telemetry::Metrics;
use crate::webhooks::Webhooks;

/// What requests are answered from.
#[derive(Debug, Clone)]
pub struct App {
    /// The documents that are open, and the way to all others.
    pub rooms: Rooms,
    /// Where documents are kept.
    pub store: Arc<dyn Store>,
    /// The maker of JSON and text.
    pub materialiser: Arc<dyn Materialiser>,
    /// The front for y-websocket clients.
    pub y_websocket: YWebSocket,
    /// The front for Hocuspocus providers.
    pub hocuspocus: Hocuspocus,
    /// The front for gateway clients that speak JSON.
    pub json_ws: JsonWs,
    /// Who may do what.
    pub access: Access,
    /// Everybody who is there.
    pub sessions: Sessions,
    /// From which pages browsers may come.
    pub origins: Origins,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Where work is counted.
    pub tasks: Tasks,
    /// The longest update that is taken, in bytes.
    pub max_update: usize,
    /// Whether the demo is served.
    pub demo: bool,
    /// The gateways.
    pub gateways: Gateways,
    /// What tells the owner's backend, if anything does.
    pub webhooks: Option<Webhooks>,
    /// Tells this run of the server from others, for what is not durable yet.
    pub run: uuid::Uuid,
}

/// All addresses of the server.
pub fn routes(app: App) -> Router {
    let api = Router::new()
        .route("/api/docs", get(documents::list))
        .route("/api/docs/{name}", get(documents::stat).delete(documents::delete))
        .route("/api/docs/{name}/snapshot", get(snapshot::snapshot))
        .route("/api/docs/{name}/updates", post(updates::post))
        .route("/api/sessions", get(sessions::list))
        .route("/api/sessions/kick", post(sessions::kick))
        .route("/api/sessions/revoke", post(sessions::revoke))
        .route("/api/sessions/restore", post(sessions::restore))
        .route("/api/revocations", get(sessions::revocations))
        .route("/api/tokens", post(tokens::mint))
        .route("/api/webhooks", get(webhooks::list))
        .route("/api/webhooks/retry", post(webhooks::retry))
        .route("/api/webhooks/forget", post(webhooks::forget))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(app.max_update))
        .layer(cross_origin(app.origins.clone()))
        .layer(middleware::from_fn_with_state(app.clone(), keep_others_out));
    let mut router = Router::new()
        .merge(api)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/yjs/{*doc}", any(websocket::y_websocket))
        .route("/hocuspocus", any(websocket::hocuspocus))
        .route("/hocuspocus/{*any}", any(websocket::hocuspocus))
        .route("/", get(websocket::root));
    if app.demo {
        router = router.route("/d/{*doc}", get(demo::index));
    }
    let gateways = gateway_routes(&app.gateways, app.json_ws.clone(), None);
    router
        .merge(gateways.with_state(()))
        .fallback(websocket::fallback)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), count))
        .with_state(app)
}

/// The addresses of gateways on a port; `None` for the server's own.
pub fn gateway_routes(gateways: &Gateways, json_ws: JsonWs, port: Option<u16>) -> Router {
    let json = Router::new().route("/ws", any(websocket::json_ws)).with_state(json_ws);
    json.merge(socket_io::routes(gateways, port))
}

async fn wrong_method() -> Problem {
    Problem::method()
}

/// A browser sends cookies along wherever a page sends it: so pages of others are refused, and not only kept from reading.
async fn keep_others_out(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::OPTIONS && !app.origins.allow(request.headers()) {
        return Problem::origin().into_response();
    }
    next.run(request).await
}

/// What browsers are told of other origins.
fn cross_origin(origins: Origins) -> CorsLayer {
    let is_allowed = move |_: &HeaderValue, request: &Parts| origins.allow(&request.headers);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_NONE_MATCH])
        .expose_headers([header::ETAG, header::RETRY_AFTER])
        .allow_credentials(true)
        .max_age(Duration::from_mins(10))
}

async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    app.metrics.http_requests.increment(1);
    next.run(request).await
}
