//! What lies around handlers: guards, interceptors, filters, layers, and in which order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::timeout::TimeoutLayer;
use ydock::gateway::{
    Client, ConnectError, Emit, Event, EventError, FromEvent, Gateway, Handshake, IntoReply, Next, Payload, Reply,
    State, handle,
};
use ydock::testing::TestServer;

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: &str) {
        self.0.lock().unwrap().push(what.to_owned());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// An extractor that notes that it was asked for.
struct Extracted;

impl FromEvent<Log> for Extracted {
    async fn from_event(_: &mut Event, log: &Log) -> Result<Self, EventError> {
        log.note("extractor");
        Ok(Self)
    }
}

async fn has_token(handshake: Handshake) -> Result<(), EventError> {
    let auth: Value = handshake.auth()?;
    if auth.get("token") == Some(&json!("secret")) { Ok(()) } else { Err(EventError::new("Who are you?")) }
}

#[tokio::test]
async fn a_guard_lets_in_or_refuses_with_its_words() {
    let server = TestServer::of(Gateway::new("/chat").guard(has_token).on("message", async || "sent")).await;
    let refused = server.client("/chat").connect().await.unwrap_err();
    assert!(matches!(refused, ConnectError::Refused(_)));
    assert_eq!(refused.to_string(), "Who are you?");
    assert_eq!((server.clients(), server.namespace("/chat").unwrap().len()), (0, 0));
    let client = server.client("/chat").auth(&json!({ "token": "secret" })).connect().await.unwrap();
    assert_eq!(client.ask::<String>("message", &()).await, "sent");
    let unknown = server.client("/else").connect().await.unwrap_err();
    assert_eq!(unknown.to_string(), "Invalid namespace");
}

#[tokio::test]
async fn a_guard_that_panics_lets_nobody_in_and_keeps_no_place() {
    async fn panics() -> bool {
        panic!("a guard panics, as this test wants");
    }
    let server = TestServer::of(Gateway::new("/").guard(panics)).await;
    let refused = server.client("/").connect().await.unwrap_err();
    assert_eq!((refused.to_string().as_str(), server.clients()), ("Internal server error", 0));
}

#[derive(Clone)]
struct Muted;

#[tokio::test]
async fn guards_of_a_gateway_and_of_a_handler_look_at_each_event() {
    async fn may_speak(client: Client) -> bool {
        client.get::<Muted>().is_none()
    }
    let gateway = Gateway::new("/")
        .guard(may_speak)
        .on("mute", async |client: Client| client.set(Muted))
        .on("delete", handle(async || "deleted").guard(async || false))
        .on("message", async || "sent");
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    let forbidden = |event: &str| json!({ "status": "error", "message": "Forbidden resource", "cause": { "pattern": event, "data": null } });
    assert_eq!(client.ask::<Value>("delete", &()).await, forbidden("delete"));
    assert_eq!(client.expect("exception").await.data, forbidden("delete"));
    assert_eq!(client.ask::<String>("message", &()).await, "sent");
    client.ask::<()>("mute", &()).await;
    assert_eq!(client.ask::<Value>("message", &()).await, forbidden("message"));
    assert!(client.is_connected());
}

fn noting(log: &Log, name: &'static str) -> impl Fn(Event, Next) -> Around + Clone + Send + Sync + 'static {
    let log = log.clone();
    move |event, next| {
        let log = log.clone();
        Box::pin(async move {
            log.note(&format!("{name} before"));
            let reply = next.run(event).await;
            log.note(&format!("{name} after"));
            reply
        })
    }
}

type Around = std::pin::Pin<Box<dyn Future<Output = Result<Reply, EventError>> + Send>>;

#[tokio::test]
async fn an_event_meets_guards_then_interceptors_then_extractors_then_the_handler_and_errors_meet_filters() {
    let log = Log::default();
    let filter = |name: &'static str| {
        let log = log.clone();
        move |error: EventError, _: Event| {
            let log = log.clone();
            async move {
                log.note(name);
                Err(error)
            }
        }
    };
    // Written the wrong way round.
    let handler = handle(async |State(log): State<Log>, _: Extracted| {
        log.note("handler");
        Err::<(), _>("no")
    });
    let handler = handler
        .filter(filter("own filter"))
        .interceptor(noting(&log, "own interceptor"))
        .guard(async |State(log): State<Log>| log.note("own guard"));
    let gateway = Gateway::with_state("/", log.clone())
        .on("message", handler)
        .filter(filter("filter"))
        .interceptor(noting(&log, "interceptor"))
        .guard(async |State(log): State<Log>| log.note("guard"));
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(log.take(), ["guard"], "guards run when a client connects, and nothing else does");
    client.ask::<Value>("message", &()).await;
    let order = [
        "guard",
        "own guard",
        "interceptor before",
        "own interceptor before",
        "extractor",
        "handler",
        "own interceptor after",
        "interceptor after",
        "own filter",
        "filter",
    ];
    assert_eq!(log.take(), order);
}

#[tokio::test]
async fn an_interceptor_may_change_what_goes_in_and_what_comes_out() {
    async fn louder(event: Event, next: Next) -> Result<Reply, EventError> {
        let Reply::Value(data) = next.run(event).await? else { return Ok(Reply::Nothing) };
        data.decode::<String>()?.to_uppercase().into_reply()
    }
    let gateway = Gateway::new("/").interceptor(louder).on("message", async |Payload(text): Payload<String>| text);
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "HELLO");
}

#[tokio::test]
async fn a_filter_makes_an_event_of_an_error_also_of_a_guards() {
    async fn as_error(error: EventError, event: Event) -> Result<Reply, EventError> {
        Emit::new("error", json!({ "in": event.name(), "message": error.message() })).into_reply()
    }
    let gateway = Gateway::new("/")
        .filter(as_error)
        .on("message", async || Err::<(), _>("Message cannot be empty"))
        .on("delete", handle(async || ()).guard(async || false));
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    client.ask::<()>("message", &()).await;
    let told = client.expect("error").await.data;
    assert_eq!(told, json!({ "in": "message", "message": "Message cannot be empty" }));
    client.emit("delete", &()).await;
    assert_eq!(client.expect("error").await.data["message"], json!("Forbidden resource"));
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn any_tower_layer_fits_a_time_limit_for_example() {
    let handler = handle(async || std::future::pending::<()>().await);
    let gateway = Gateway::new("/").on("slow", handler.layer(TimeoutLayer::new(Duration::from_secs(1))));
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    let told = client.ask::<Value>("slow", &()).await;
    assert_eq!(told["message"], json!("The event took too long to handle, try again later"));
}

#[tokio::test(start_paused = true)]
async fn a_concurrency_limit_with_load_shedding_turns_away_what_is_too_much_for_all_clients_together() {
    async fn slow() -> &'static str {
        tokio::time::sleep(Duration::from_secs(1)).await;
        "done"
    }
    let handler = handle(slow).layer(LoadShedLayer::new()).layer(ConcurrencyLimitLayer::new(1));
    let gateway = Gateway::new("/").on("slow", handler);
    let server = TestServer::of(gateway).await;
    let ada = server.client("/").connect().await.unwrap();
    let ben = server.client("/").connect().await.unwrap();
    let (for_ada, for_ben) = tokio::join!(ada.ask::<Value>("slow", &()), ben.ask::<Value>("slow", &()));
    assert_eq!(for_ada, json!("done"));
    assert_eq!(for_ben["message"], json!("The server is busy, try again later"));
}
