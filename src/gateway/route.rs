//! A handler for one event, with what lies around it alone.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use tower::{Layer, Service, service_fn};

use super::error::EventError;
use super::event::Event;
use super::handler::{Handler, Verdict};
use super::layers::{self, EventService, Next};
use super::reply::{IntoReply, Reply};

/// A handler and its own guards, interceptors, filters and layers. However they are written, an event meets first the guards,
/// then interceptors and layers, then the handler, and errors of all of these meet the filters; of each kind first those of the
/// gateway, and the ones that were written first (filters the other way round).
///
/// ```
/// use ydock::gateway::{Gateway, Payload, handle};
///
/// async fn delete(Payload(id): Payload<u64>) -> String {
///     format!("deleted {id}")
/// }
///
/// let _gateway = Gateway::new("/admin").on("delete", handle(delete).guard(async || false));
/// ```
pub struct Route<S> {
    build: Box<dyn FnOnce(&S) -> EventService + Send>,
    around: Arounds<S>,
    pub(super) order: Order,
}

/// What lies around handlers, by kind; the first of each kind is the outermost.
pub(super) struct Arounds<S> {
    filters: Vec<Wrap<S>>,
    guards: Vec<Wrap<S>>,
    inner: Vec<Wrap<S>>,
}

/// Puts a layer around a service.
type Wrap<S> = Arc<dyn Fn(EventService, &S) -> EventService + Send + Sync>;

impl<S: Clone + Send + Sync + 'static> Arounds<S> {
    pub(super) const fn none() -> Self {
        Self { filters: Vec::new(), guards: Vec::new(), inner: Vec::new() }
    }

    pub(super) fn guard<T: 'static, G>(&mut self, guard: G)
    where
        G: Handler<T, S, Output: Verdict>,
    {
        let wrap = move |service, state: &S| layers::boxed(layers::guard(guard.clone(), state.clone()).layer(service));
        self.guards.push(Arc::new(wrap));
    }

    pub(super) fn interceptor<F, Fut>(&mut self, interceptor: F)
    where
        F: Fn(Event, Next) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply, EventError>> + Send + 'static,
    {
        self.layer(layers::interceptor(interceptor));
    }

    pub(super) fn filter<F, Fut>(&mut self, filter: F)
    where
        F: Fn(EventError, Event) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply, EventError>> + Send + 'static,
    {
        let layer = layers::filter(filter);
        self.filters.push(Arc::new(move |service, _| layers::boxed(layer.layer(service))));
    }

    pub(super) fn layer<L>(&mut self, layer: L)
    where
        L: Layer<EventService> + Send + Sync + 'static,
        L::Service: Service<Event, Response = Reply, Error: Into<EventError>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Event>>::Future: Send + 'static,
    {
        self.inner.push(Arc::new(move |service, _| layers::boxed(layer.layer(service))));
    }

    /// A service with everything around it, these for a whole gateway and `own` for one handler.
    pub(super) fn around(&self, own: &Self, service: EventService, state: &S) -> EventService {
        let kinds = [(&self.inner, &own.inner), (&self.guards, &own.guards), (&self.filters, &own.filters)];
        kinds.into_iter().fold(service, |service, (whole, own)| {
            let inside_out = own.iter().rev().chain(whole.iter().rev());
            inside_out.fold(service, |service, wrap| wrap(service, state))
        })
    }

    /// A service with the guards around it alone.
    pub(super) fn guarded(&self, service: EventService, state: &S) -> EventService {
        self.guards.iter().rev().fold(service, |service, wrap| wrap(service, state))
    }
}

/// Whether a client's next event waits for this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Kept,
    Free,
}

/// A handler by itself, to put something around it.
pub fn handle<T: 'static, S, H>(handler: H) -> Route<S>
where
    H: Handler<T, S, Output: IntoReply>,
    S: Clone + Send + Sync + 'static,
{
    let build = move |state: &S| -> EventService {
        let state = state.clone();
        layers::boxed(service_fn(move |event: Event| {
            let called = handler.call(event, &state);
            async move { called.await?.into_reply() }
        }))
    };
    Route { build: Box::new(build), around: Arounds::none(), order: Order::Kept }
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// Lets only those events pass that a guard allows: a function of extractors that returns a `bool` or a `Result`.
    #[must_use]
    pub fn guard<T: 'static, G>(mut self, guard: G) -> Self
    where
        G: Handler<T, S, Output: Verdict>,
    {
        self.around.guard(guard);
        self
    }

    /// Puts an interceptor around the handler: a function of the event and of what comes after it.
    #[must_use]
    pub fn interceptor<F, Fut>(mut self, interceptor: F) -> Self
    where
        F: Fn(Event, Next) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply, EventError>> + Send + 'static,
    {
        self.around.interceptor(interceptor);
        self
    }

    /// Has a filter catch errors: a function of the error and of the event.
    #[must_use]
    pub fn filter<F, Fut>(mut self, filter: F) -> Self
    where
        F: Fn(EventError, Event) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply, EventError>> + Send + 'static,
    {
        self.around.filter(filter);
        self
    }

    /// Puts any tower layer around the handler: a time limit, a concurrency limit.
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<EventService> + Send + Sync + 'static,
        L::Service: Service<Event, Response = Reply, Error: Into<EventError>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Event>>::Future: Send + 'static,
    {
        self.around.layer(layer);
        self
    }

    /// Does not keep a client's next event waiting while this one is handled. Without it, one client's events are handled
    /// one after the other, in the order in which they came.
    #[must_use]
    pub fn unordered(mut self) -> Self {
        self.order = Order::Free;
        self
    }

    pub(super) fn into_service(self, gateway: &Arounds<S>, state: &S) -> EventService {
        gateway.around(&self.around, (self.build)(state), state)
    }
}

impl<S> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("order", &self.order).finish_non_exhaustive()
    }
}

/// What `on` takes: a handler, or a [`Route`].
pub trait IntoRoute<T, S> {
    /// Makes a route of it.
    fn into_route(self) -> Route<S>;
}

/// Tells a route from a handler.
#[derive(Debug)]
pub struct IsRoute(PhantomData<()>);

impl<S> IntoRoute<IsRoute, S> for Route<S> {
    fn into_route(self) -> Self {
        self
    }
}

impl<T: 'static, S, H> IntoRoute<(T,), S> for H
where
    H: Handler<T, S, Output: IntoReply>,
    S: Clone + Send + Sync + 'static,
{
    fn into_route(self) -> Route<S> {
        handle(self)
    }
}
