//! The addresses of Socket.IO as routes, with what browsers are told of other origins.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use engineioxide::TransportType;
use engineioxide::config::EngineIoConfig;
use engineioxide::service::EngineIoService;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::engine::Engine;
use crate::gateway::{Entrance, Gateways, Origins};

/// The routes of all gateways on a port; `None` for the server's own.
///
/// ```
/// use ydock::fronts::socket_io;
/// use ydock::gateway::{Config, Gateway, GatewaysBuilder};
/// use ydock::shutdown::Tasks;
///
/// # async fn example() {
/// let mut builder = GatewaysBuilder::default();
/// builder.add(Gateway::new("/").on("ping", async || "pong"));
/// let gateways = builder.build(Config::default(), Tasks::new()).await;
/// let router: axum::Router = socket_io::routes(&gateways, None);
/// # drop(router);
/// # }
/// ```
pub fn routes(gateways: &Gateways, port: Option<u16>) -> Router {
    let entrances = gateways.entrances().into_iter().filter(|entrance| entrance.port == port);
    entrances.fold(Router::new(), |router, entrance| router.merge(entrance_routes(gateways, entrance)))
}

fn entrance_routes(gateways: &Gateways, entrance: Entrance) -> Router {
    let origins: Arc<[Origins]> = gateways.origins(&entrance).into();
    let paths = [entrance.path.clone(), format!("{}/", entrance.path)];
    let config = engine_config(gateways, &entrance);
    let engine = Engine::new(gateways.clone(), entrance);
    gateways.tasks().spawn(Arc::clone(&engine).end_with_the_server());
    let service = EngineIoService::with_config(engine, config);
    let cors = cors(Arc::clone(&origins));
    let router = paths.iter().fold(Router::new(), |router, path| router.route_service(path, service.clone()));
    router.layer(cors).layer(middleware::from_fn_with_state(origins, keep_others_out))
}

fn engine_config(gateways: &Gateways, entrance: &Entrance) -> EngineIoConfig {
    let config = gateways.config();
    let max_message = usize::try_from(config.max_message.as_u64()).unwrap_or(usize::MAX);
    let builder = EngineIoConfig::builder()
        .req_path(entrance.path.clone())
        .ping_interval(config.ping_interval)
        .ping_timeout(config.ping_timeout)
        .max_buffer_size(config.max_outgoing)
        .max_payload(config.max_message.as_u64())
        .ws_read_buffer_size(READ_BUFFER)
        .ws_max_message_size(max_message)
        .ws_max_frame_size(max_message);
    let transports = gateways.transports(entrance);
    let builder = match (transports.websocket, transports.polling) {
        (true, false) => builder.transports([TransportType::Websocket]),
        (false, true) => builder.transports([TransportType::Polling]),
        _ => builder.transports([TransportType::Polling, TransportType::Websocket]),
    };
    builder.build()
}

/// Browsers send WebSocket requests to any host and do not ask: so the server does, for all transports.
async fn keep_others_out(State(origins): State<Arc<[Origins]>>, request: Request, next: Next) -> Response {
    if request.method() != Method::OPTIONS && !allowed(&origins, request.headers()) {
        // `Server.errors.FORBIDDEN` of Engine.IO.
        let body = r#"{"code":4,"message":"Forbidden"}"#;
        return (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    }
    next.run(request).await
}

fn cors(origins: Arc<[Origins]>) -> CorsLayer {
    let is_allowed = move |_: &HeaderValue, request: &axum::http::request::Parts| allowed(&origins, &request.headers);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, X_REQUESTED_WITH])
}

fn allowed(origins: &[Origins], headers: &axum::http::HeaderMap) -> bool {
    origins.iter().any(|some| some.allow(headers))
}

const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
/// The read buffer of a WebSocket, in bytes; each connection has one.
const READ_BUFFER: usize = 4096;
