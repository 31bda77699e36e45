//! The addresses of Socket.IO as routes, with what browsers are told of other origins.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::engine::{self, Refusal, Sessions};
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
    let cors = cors(Arc::clone(&origins));
    let sessions = Sessions::new(gateways.clone(), entrance);
    let router = paths.iter().fold(Router::new(), |router, path| router.route(path, any(engine::answer)));
    router.with_state(sessions).layer(cors).layer(middleware::from_fn_with_state(origins, keep_others_out))
}

/// Browsers send WebSocket requests to any host and do not ask: so the server does, for all transports.
async fn keep_others_out(State(origins): State<Arc<[Origins]>>, request: Request, next: Next) -> Response {
    if request.method() != Method::OPTIONS && !allowed(&origins, request.headers()) {
        return Refusal::Origin.into_response();
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
