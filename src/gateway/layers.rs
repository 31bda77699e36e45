//! Guards, interceptors and filters: layers around handlers, written as asynchronous functions.
//!
//! The pipeline is a [`tower::Service`] from [`Event`] to [`Reply`]; any tower layer fits into it. These three are what a
//! NestJS gateway has names for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};

use super::error::EventError;
use super::event::Event;
use super::handler::{Handler, Verdict};
use super::reply::Reply;

/// What handles an event, with all that lies around it.
pub type EventService = BoxCloneSyncService<Event, Reply, EventError>;

pub(super) type Handled = Pin<Box<dyn Future<Output = Result<Reply, EventError>> + Send>>;

/// What comes after an interceptor: further ones, and the handler in the end.
#[derive(Debug)]
pub struct Next {
    inner: EventService,
}

impl Next {
    /// Goes on with the event.
    ///
    /// # Errors
    /// When the handler, or something around it, fails.
    pub async fn run(self, event: Event) -> Result<Reply, EventError> {
        self.inner.oneshot(event).await
    }
}

/// A layer that an asynchronous function makes: see [`guard`], [`interceptor`] and [`filter`].
#[derive(Clone)]
pub struct FnLayer {
    around: Around,
}

/// What a layer does with an event and with what comes after it.
type Around = Arc<dyn Fn(Event, EventService) -> Handled + Send + Sync>;

impl std::fmt::Debug for FnLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FnLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for FnLayer
where
    S: Service<Event, Response = Reply, Error = EventError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    type Service = FnService;

    fn layer(&self, inner: S) -> FnService {
        FnService { around: Arc::clone(&self.around), inner: BoxCloneSyncService::new(inner) }
    }
}

/// The service of an [`FnLayer`].
#[derive(Clone)]
pub struct FnService {
    around: Around,
    inner: EventService,
}

impl std::fmt::Debug for FnService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FnService").finish_non_exhaustive()
    }
}

impl Service<Event> for FnService {
    type Response = Reply;
    type Error = EventError;
    type Future = Handled;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), EventError>> {
        Poll::Ready(Ok(())) // what comes after it is asked when the event goes on
    }

    fn call(&mut self, event: Event) -> Handled {
        (self.around)(event, self.inner.clone())
    }
}

/// Lets an event pass, or not: a function of extractors that returns a `bool` or a `Result`.
///
/// ```
/// use ydock::gateway::{Handshake, guard};
///
/// async fn has_token(handshake: Handshake) -> bool {
///     #[derive(serde::Deserialize)]
///     struct Auth { token: String }
///     handshake.auth::<Auth>().is_ok_and(|auth| !auth.token.is_empty())
/// }
///
/// let _layer = guard(has_token, ());
/// ```
pub fn guard<T: 'static, S, G>(guard: G, state: S) -> FnLayer
where
    G: Handler<T, S, Output: Verdict>,
    S: Clone + Send + Sync + 'static,
{
    layer_of(move |event, inner| {
        let verdict = guard.call(event.clone(), &state);
        Box::pin(async move {
            verdict.await?.verdict()?;
            inner.oneshot(event).await
        })
    })
}

/// Stands around the handler: sees the event before it and the answer after it, and may change both.
///
/// ```
/// use ydock::gateway::{Event, EventError, Next, Reply, interceptor};
///
/// async fn log(event: Event, next: Next) -> Result<Reply, EventError> {
///     let id = event.client().id().to_owned();
///     println!("[{id}] in: {:?}", event.data());
///     let reply = next.run(event).await?;
///     println!("[{id}] out: {reply:?}");
///     Ok(reply)
/// }
///
/// let _layer = interceptor(log);
/// ```
pub fn interceptor<F, Fut>(interceptor: F) -> FnLayer
where
    F: Fn(Event, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, EventError>> + Send + 'static,
{
    layer_of(move |event, inner| Box::pin(interceptor(event, Next { inner })))
}

/// Catches errors: makes another answer of one, or passes it on.
///
/// ```
/// use serde_json::json;
/// use ydock::gateway::{Emit, Event, EventError, IntoReply, Reply, filter};
///
/// async fn as_error_event(error: EventError, _event: Event) -> Result<Reply, EventError> {
///     Emit::new("error", json!({ "message": error.message() })).into_reply()
/// }
///
/// let _layer = filter(as_error_event);
/// ```
pub fn filter<F, Fut>(filter: F) -> FnLayer
where
    F: Fn(EventError, Event) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, EventError>> + Send + 'static,
{
    let filter = Arc::new(filter);
    layer_of(move |event, inner| {
        let filter = Arc::clone(&filter);
        Box::pin(async move {
            match inner.oneshot(event.clone()).await {
                Ok(reply) => Ok(reply),
                Err(error) => filter(error, event).await,
            }
        })
    })
}

fn layer_of(around: impl Fn(Event, EventService) -> Handled + Send + Sync + 'static) -> FnLayer {
    FnLayer { around: Arc::new(around) }
}

/// Any service that errors with something that can be told.
pub(super) fn boxed<S>(service: S) -> EventService
where
    S: Service<Event, Response = Reply, Error: Into<EventError>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    BoxCloneSyncService::new(service.map_err(Into::into))
}
