//! The front for Hocuspocus providers over a store that fails on demand: the real wire, in paused time.

mod full_disk;
mod outage;
mod panics;
mod provider;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::any;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tower::ServiceExt;
use ydock::access::Role;
use ydock::auth::{Access, Credentials};
use ydock::connection::{self, Connections, RequestParts, Sessions};
use ydock::delivery;
use ydock::doc_rooms::Config;
use ydock::fronts::hocuspocus::{Hocuspocus, HocuspocusParts};
use ydock::listen::Client;
use ydock::storage::Store;
use ydock::telemetry::Metrics;
use ydock::websocket::Upgrade;

use self::provider::Provider;
use crate::client;
use crate::outage::{Bench, doc};

/// The front over rooms with a store that fails on demand.
struct Served {
    bench: Bench,
    routes: Router,
}

impl Served {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let bench = Bench::new(config);
        let limits = connection::Config::default();
        let (enter_within, max_documents) = (limits.enter_within, limits.max_documents);
        let front = Hocuspocus::new(HocuspocusParts {
            rooms: bench.rooms.clone(),
            connections: Connections::new(limits, bench.tasks.clone(), Arc::new(Metrics::new())),
            delivery: delivery::Config::default(),
            access: Access::everyone(Role::Edit),
            sessions: Sessions::default(),
            enter_within,
            max_documents,
        });
        let routes = Router::new().route("/hocuspocus", any(upgrade)).with_state(front);
        Self { bench, routes }
    }

    /// A provider on a socket of its own.
    async fn provider(&self) -> Provider {
        let (near, far) = tokio::io::duplex(1 << 16);
        self.bench.tasks.spawn(serve(far, self.routes.clone()));
        Provider::over(client::any(near)).await
    }

    /// A document as it is stored, however often the store has to be asked.
    async fn stored(&self, name: &str) -> Vec<u8> {
        let stored = loop {
            match self.bench.store.load(&doc(name)).await {
                Ok(stored) => break stored,
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
        };
        ydock::sync::merge(stored.bytes.parts().map(|part| &part[..])).unwrap()
    }
}

async fn upgrade(State(front): State<Hocuspocus>, upgrade: Upgrade, headers: HeaderMap) -> Response {
    let slot = front.connections().admit(Client { address: None, held: None }).unwrap();
    let credentials = Credentials::default();
    let parts = RequestParts { query: None, headers: &headers, remote: None, credentials: &credentials };
    front.upgrade(slot, upgrade, &parts)
}

async fn serve(stream: DuplexStream, routes: Router) {
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| routes.clone().oneshot(request));
    let http = hyper::server::conn::http1::Builder::new();
    let _client_has_gone = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await.is_err();
}

/// Lets so much of paused time go by.
async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
