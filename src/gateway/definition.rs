//! A gateway as its author writes it, and as the server runs it.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tower::{Layer, Service, service_fn};

use super::answers::guarded;
use super::error::EventError;
use super::event::Event;
use super::handler::{Called, Handler, Verdict};
use super::layers::{self, EventService, Next};
use super::namespace::Namespace;
use super::options::{Options, Origins, Paths, Transports};
use super::reply::Reply;
use super::route::{Arounds, IntoRoute, Order, Route};

/// A gateway in the making: a namespace, its handlers, and what lies around them.
///
/// ```
/// use ydock::gateway::{Client, EventError, Gateway, Payload};
///
/// async fn echo(Payload(text): Payload<String>) -> Result<String, EventError> {
///     if text.is_empty() {
///         return Err(EventError::new("Message cannot be empty"));
///     }
///     Ok(format!("Echo: {text}"))
/// }
///
/// async fn join(client: Client, Payload(room): Payload<String>) {
///     client.join(&room);
/// }
///
/// let _gateway = Gateway::new("/events").on("message", echo).on("joinRoom", join);
/// ```
pub struct Gateway<S = ()> {
    state: S,
    paths: Paths,
    options: Options,
    around: Arounds<S>,
    routes: HashMap<String, Route<S>>,
    fallback: Option<Route<S>>,
    on_connect: Vec<Hook<S>>,
    on_disconnect: Vec<Hook<S>>,
    after_init: Vec<AfterInit>,
}

type Hook<S> = Arc<dyn Fn(Event, &S) -> Called<Result<(), EventError>> + Send + Sync>;
type AfterInit = Arc<dyn Fn(Namespace) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
type RunHook = Arc<dyn Fn(Event) -> Called<Result<(), EventError>> + Send + Sync>;

impl Gateway<()> {
    /// A gateway for the namespace of this path. A missing `/` at its beginning is added.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self::with_state(path, ())
    }
}

impl<S: Clone + Send + Sync + 'static> Gateway<S> {
    /// The same, whose handlers may take the application's state, or parts of it, with [`State`](super::State).
    #[must_use]
    pub fn with_state(path: &str, state: S) -> Self {
        Self::of_paths(Paths::fixed(path), state)
    }

    /// A gateway for all namespaces whose path matches. Each one is made when its first client is let in, and freed when the
    /// last one has left.
    ///
    /// ```
    /// use ydock::gateway::Gateway;
    ///
    /// let _gateway = Gateway::matching(|path| path.starts_with("/tenant-"), ());
    /// ```
    #[must_use]
    pub fn matching(matches: impl Fn(&str) -> bool + Send + Sync + 'static, state: S) -> Self {
        Self::of_paths(Paths::Matching(Arc::new(matches)), state)
    }

    fn of_paths(paths: Paths, state: S) -> Self {
        Self {
            state,
            paths,
            options: Options::default(),
            around: Arounds::none(),
            routes: HashMap::new(),
            fallback: None,
            on_connect: Vec::new(),
            on_disconnect: Vec::new(),
            after_init: Vec::new(),
        }
    }

    /// Handles events of this name; a later handler for the same name takes the place of the earlier one.
    #[must_use]
    pub fn on<T>(mut self, event: &str, handler: impl IntoRoute<T, S>) -> Self {
        self.routes.insert(event.to_owned(), handler.into_route());
        self
    }

    /// Handles events that no other handler is for. Without it their senders get an `exception`.
    #[must_use]
    pub fn fallback<T>(mut self, handler: impl IntoRoute<T, S>) -> Self {
        self.fallback = Some(handler.into_route());
        self
    }

    /// Lets only those connect and only those events pass that a guard allows: a function of extractors that returns a
    /// `bool` or a `Result`. It runs when a client connects, with its `auth` as the values, and for each of its events.
    #[must_use]
    pub fn guard<T: 'static, G>(mut self, guard: G) -> Self
    where
        G: Handler<T, S, Output: Verdict>,
    {
        self.around.guard(guard);
        self
    }

    /// Puts an interceptor around all handlers: a function of the event and of what comes after it.
    #[must_use]
    pub fn interceptor<F, Fut>(mut self, interceptor: F) -> Self
    where
        F: Fn(Event, Next) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply, EventError>> + Send + 'static,
    {
        self.around.interceptor(interceptor);
        self
    }

    /// Has a filter catch errors: a function of the error and of the event. What it does not turn into an answer goes to the
    /// sender as `exception`.
    #[must_use]
    pub fn filter<F, Fut>(mut self, filter: F) -> Self
    where
        F: Fn(EventError, Event) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply, EventError>> + Send + 'static,
    {
        self.around.filter(filter);
        self
    }

    /// Puts any tower layer around all handlers.
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

    /// Runs when a client has connected, before any event of it is handled. An error sends it away with an `exception`.
    #[must_use]
    pub fn on_connect<T: 'static, H>(mut self, handler: H) -> Self
    where
        H: Handler<T, S, Output: Verdict>,
    {
        self.on_connect.push(hook(handler));
        self
    }

    /// Runs when a client has gone; it is still in its topics then. It may take the
    /// [`DisconnectReason`](super::DisconnectReason).
    #[must_use]
    pub fn on_disconnect<T: 'static, H>(mut self, handler: H) -> Self
    where
        H: Handler<T, S, Output: Verdict>,
    {
        self.on_disconnect.push(hook(handler));
        self
    }

    /// Runs once when a namespace of the gateway begins, before any client is let in.
    #[must_use]
    pub fn after_init<F, Fut>(mut self, init: F) -> Self
    where
        F: Fn(Namespace) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.after_init.push(Arc::new(move |namespace| Box::pin(init(namespace))));
        self
    }

    /// From which pages browsers may connect. Without it, from the server's own alone.
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.options.origins = origins;
        self
    }

    /// By which ways clients may connect. Without it, by all.
    #[must_use]
    pub fn transports(mut self, transports: Transports) -> Self {
        self.options.transports = transports;
        self
    }

    /// The address below which Socket.IO is spoken. Without it `/socket.io`.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.options.path = format!("/{}", path.trim_matches('/'));
        self
    }

    /// Listens on a port of its own, at the address of the server. Without it, on the server's.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.options.port = Some(port);
        self
    }

    pub(super) fn define(self) -> Definition {
        let Self { state, paths, options, around, routes, fallback, on_connect, on_disconnect, after_init } = self;
        let routes = routes.into_iter().map(|(event, route)| {
            let order = route.order;
            (event, Defined { service: route.into_service(&around, &state), order })
        });
        let routes = routes.collect();
        let fallback = fallback.unwrap_or_else(|| super::route::handle(unknown));
        let order = fallback.order;
        let fallback = Defined { service: fallback.into_service(&around, &state), order };
        let nothing = layers::boxed(service_fn(async |_: Event| Ok::<_, EventError>(Reply::Nothing)));
        let connect = around.guarded(nothing, &state);
        let run = |hooks: Vec<Hook<S>>| -> Vec<RunHook> {
            let run = |hook: Hook<S>| -> RunHook {
                let state = state.clone();
                Arc::new(move |event| hook(event, &state))
            };
            hooks.into_iter().map(run).collect()
        };
        let (on_connect, on_disconnect) = (run(on_connect), run(on_disconnect));
        Definition { paths, options, routes, fallback, connect, on_connect, on_disconnect, after_init }
    }
}

impl<S> fmt::Debug for Gateway<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("paths", &self.paths)
            .field("events", &self.routes.keys())
            .finish_non_exhaustive()
    }
}

fn hook<T: 'static, S, H>(handler: H) -> Hook<S>
where
    H: Handler<T, S, Output: Verdict>,
    S: Clone + Send + Sync + 'static,
{
    Arc::new(move |event, state| {
        let called = handler.call(event, state);
        Box::pin(async move { Ok(called.await?.verdict()) })
    })
}

async fn unknown(event: Event) -> Result<(), EventError> {
    Err(EventError::new(format!("Unknown event {:?}", event.name())))
}

/// A gateway as the server runs it.
pub(super) struct Definition {
    pub(super) paths: Paths,
    pub(super) options: Options,
    routes: HashMap<String, Defined>,
    fallback: Defined,
    connect: EventService,
    on_connect: Vec<RunHook>,
    on_disconnect: Vec<RunHook>,
    after_init: Vec<AfterInit>,
}

/// What handles the events of one name.
#[derive(Clone)]
pub(super) struct Defined {
    pub(super) service: EventService,
    pub(super) order: Order,
}

impl Definition {
    pub(super) fn route(&self, event: &str) -> Defined {
        self.routes.get(event).unwrap_or(&self.fallback).clone()
    }

    /// The guards alone.
    pub(super) fn connect(&self) -> EventService {
        self.connect.clone()
    }

    /// A namespace of it begins.
    pub(super) async fn begin(&self, namespace: &Namespace) {
        for init in &self.after_init {
            init(namespace.clone()).await;
        }
    }

    pub(super) async fn connected(&self, event: &Event) -> Result<(), EventError> {
        for hook in &self.on_connect {
            hook(event.clone()).await??;
        }
        Ok(())
    }

    /// All of them run, whatever becomes of one of them.
    pub(super) async fn disconnected(&self, event: &Event) {
        for hook in &self.on_disconnect {
            let outcome = guarded(hook(event.clone())).await.and_then(|outcome| outcome);
            if let Err(error) = outcome.and_then(|outcome| outcome) {
                let error = error.source_text().unwrap_or_else(|| error.to_string());
                tracing::warn!(error, "an on_disconnect handler failed");
            }
        }
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("paths", &self.paths).finish_non_exhaustive()
    }
}
