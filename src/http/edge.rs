//! What stands before all addresses: who the client is, and how long its request's body may take.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use thiserror::Error;
use tokio::time::Sleep;

use super::Config;
use super::problem::Problem;
use super::proxies;
use crate::telemetry::{Limit, Metrics};

/// What the edge knows.
#[derive(Debug)]
struct Edge {
    config: Config,
    metrics: Arc<Metrics>,
}

/// Routes behind the edge: from here on, a request's `ConnectInfo<SocketAddr>` is where its client comes from, with the word of trusted
/// proxies for it (see [`Client`](crate::listen::Client)), and its body takes as long as it may and no longer.
pub fn behind_edge(routes: Router, config: &Config, metrics: &Arc<Metrics>) -> Router {
    let edge = Arc::new(Edge { config: config.clone(), metrics: Arc::clone(metrics) });
    routes.layer(middleware::from_fn_with_state(edge, pass))
}

async fn pass(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let Edge { config, metrics } = edge.as_ref();
    if !config.trusted_proxies.is_empty() {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        let trusted = (config.trusted_proxies.as_slice(), config.proxy_header);
        if let Some(client) = proxies::client(peer, request.headers(), trusted) {
            request.extensions_mut().insert(ConnectInfo(client));
        }
    }
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let timed = |body| Body::new(TimedBody::new(body, config.body_within, Arc::clone(&is_late)));
    let response = next.run(request.map(timed)).await;
    if is_late.load(Ordering::Relaxed) {
        metrics.refused.count(Limit::HttpBodyWithin);
        return Problem::late_body().into_response();
    }
    response
}

/// A body that fails when all of it has not come in time. Who does not read it does not wait for it.
struct TimedBody {
    body: Body,
    deadline: Pin<Box<Sleep>>,
    is_late: Arc<AtomicBool>,
}

#[derive(Debug, Error)]
#[error("the body took too long")]
struct LateBody;

impl TimedBody {
    fn new(body: Body, within: Duration, is_late: Arc<AtomicBool>) -> Self {
        Self { body, deadline: Box::pin(tokio::time::sleep(within)), is_late }
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        // The deadline first: a body that always has a byte more must not put it off.
        if self.deadline.as_mut().poll(context).is_ready() {
            self.is_late.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(LateBody.into())));
        }
        Pin::new(&mut self.body).poll_frame(context).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
