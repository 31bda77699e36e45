//! Events and their answers: order, acknowledgements, exceptions, streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use ydock::gateway::{
    Ack, AckError, Client, Config, Emit, EventError, EventName, Gateway, Payload, State, Streamed, Validate, Validated,
    handle,
};
use ydock::testing::TestServer;

#[derive(Deserialize)]
struct Message {
    room: String,
}

impl Validate for Message {
    fn faults(&self) -> Vec<String> {
        if self.room.is_empty() { vec!["room must not be empty".to_owned()] } else { Vec::new() }
    }
}

#[tokio::test]
async fn a_thousand_events_are_handled_in_the_order_in_which_they_came() {
    async fn count(client: Client, Payload(number): Payload<u64>) {
        for _ in 0..(number * 2_654_435_761 % 97) % 4 {
            tokio::task::yield_now().await;
        }
        client.emit("counted", &number).unwrap();
    }
    let server = TestServer::of(Gateway::new("/").on("count", count)).await;
    let client = server.client("/").connect().await.unwrap();
    for number in 0..1000 {
        client.emit("count", &number).await;
    }
    for number in 0..1000 {
        assert_eq!(client.expect("counted").await.data, json!(number));
    }
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_unordered_handler_keeps_no_event_waiting() {
    async fn slow() -> &'static str {
        tokio::time::sleep(Duration::from_secs(1)).await;
        "slow"
    }
    let gateway = Gateway::new("/").on("slow", handle(slow).unordered()).on("quick", async || "quick");
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    let begin = tokio::time::Instant::now();
    let slow = async {
        assert_eq!(client.ask::<String>("slow", &()).await, "slow");
        begin.elapsed()
    };
    let quick = async {
        assert_eq!(client.ask::<String>("quick", &()).await, "quick");
        begin.elapsed()
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!((slow, quick), (Duration::from_secs(1), Duration::ZERO));
}

fn answering() -> Gateway {
    Gateway::new("/")
        .on("value", async || Ack(json!({ "ok": true })))
        .on("several", async || Ack((1, "two")))
        .on("nothing", async || ())
        .on("event", async || Emit::new("events", 7))
        .on("error", async || Err::<(), _>(EventError::new("Message cannot be empty")))
        .on("object", async || Err::<(), _>(EventError::object(&json!({ "code": 17 }))))
        .on("inside", async || Err::<(), _>(EventError::internal("the password is wrong")))
        .on("panic", panicking)
        .on("message", async |Payload(message): Payload<Message>| message.room)
        .on("validated", async |Validated(message): Validated<Message>| message.room)
}

async fn panicking() {
    panic!("a handler panics, as this test wants");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_asks_for_an_acknowledgement_gets_one_when_all_is_well() {
    let server = TestServer::of(answering()).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<Value>("value", &()).await, json!({ "ok": true }));
    assert_eq!(client.ask::<(u8, String)>("several", &()).await, (1, "two".to_owned()));
    client.ask::<()>("nothing", &()).await;
    client.nothing().await;
    client.ask::<()>("event", &()).await;
    assert_eq!(client.expect("events").await.data, json!(7));
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_is_told_by_exception_and_by_its_acknowledgement() {
    let server = TestServer::of(answering()).await;
    let client = server.client("/").connect().await.unwrap();
    let message = json!({ "room": 3 });
    let empty = json!({ "room": "" });
    let told = |event: &str, message: Value, data: &Value| json!({ "status": "error", "message": message, "cause": { "pattern": event, "data": data } });
    for (event, data, exception) in [
        ("error", json!({ "a": [1] }), told("error", json!("Message cannot be empty"), &json!({ "a": [1] }))),
        ("object", json!(1), json!({ "code": 17 })),
        ("inside", json!(1), told("inside", json!("Internal server error"), &json!(1))),
        ("panic", json!("x"), told("panic", json!("Internal server error"), &json!("x"))),
        ("none", json!(1), told("none", json!("Unknown event \"none\""), &json!(1))),
        (
            "message",
            message.clone(),
            told("message", json!("room: invalid type: integer `3`, expected a string"), &message),
        ),
        ("validated", empty.clone(), told("validated", json!(["room must not be empty"]), &empty)),
    ] {
        assert_eq!(client.ask::<Value>(event, &data).await, exception);
        assert_eq!(client.expect("exception").await.data, exception);
        client.emit(event, &data).await;
        assert_eq!(client.expect("exception").await.data, exception);
        client.nothing().await;
    }
    assert_eq!(client.ask::<Value>("value", &()).await, json!({ "ok": true }), "the client is still served");
}

#[tokio::test]
async fn an_event_of_no_handler_goes_to_the_fallback() {
    let gateway = Gateway::new("/").fallback(async |EventName(name): EventName| name);
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<String>("anything", &()).await, "anything");
}

#[tokio::test]
async fn binary_values_come_and_go_as_bytes() {
    async fn reverse(Payload((name, bytes)): Payload<(String, Bytes)>) -> Emit<(String, Bytes)> {
        Emit::new("reversed", (name, bytes.iter().rev().copied().collect()))
    }
    let server = TestServer::of(Gateway::new("/").on("reverse", reverse)).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("reverse", &("a", Bytes::from_static(&[1, 0, 255]))).await;
    let reversed: (String, Bytes) = client.expect("reversed").await.decode();
    assert_eq!(reversed, ("a".to_owned(), Bytes::from_static(&[255, 0, 1])));
}

fn numbers(up_to: u32) -> impl Stream<Item = Emit<u32>> {
    stream::iter(0..up_to).map(|number| Emit::new("events", number))
}

#[tokio::test]
async fn a_stream_gives_one_event_after_the_other_and_one_acknowledgement() {
    let gateway = Gateway::new("/")
        .on("events", async || Streamed(numbers(3)))
        .on("values", async || Streamed(stream::iter(["first", "second"])));
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    client.ask::<()>("events", &()).await;
    for number in 0..3 {
        assert_eq!(client.expect("events").await.data, json!(number));
    }
    assert_eq!(client.ask::<String>("values", &()).await, "first");
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_a_stream_and_is_told() {
    let gateway = Gateway::new("/").on("events", async || {
        let items = [Ok("first"), Err(EventError::new("No more")), Ok("never")];
        Streamed(stream::iter(items).map(|item| item.map(|text| Emit::new("events", text))))
    });
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("events", &()).await;
    assert_eq!(client.expect("events").await.data, json!("first"));
    assert_eq!(client.expect("exception").await.data["message"], json!("No more"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.nothing().await;
}

/// Counts how many of it there are.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn endless(open: &Arc<AtomicUsize>) -> Gateway<Arc<AtomicUsize>> {
    Gateway::with_state("/", Arc::clone(open)).on("endless", async |State(open): State<Arc<AtomicUsize>>| {
        let counted = Counted::new(&open);
        Streamed(stream::once(async { Emit::new("begun", 0) }).chain(stream::pending()).map(move |item| {
            let _lives_with_the_stream = &counted;
            item
        }))
    })
}

#[tokio::test(start_paused = true)]
async fn streams_end_when_their_client_goes() {
    let open = Arc::new(AtomicUsize::new(0));
    let server = TestServer::of(endless(&open)).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("endless", &()).await;
    client.emit("endless", &()).await;
    client.expect("begun").await;
    client.expect("begun").await;
    assert_eq!(open.load(Ordering::SeqCst), 2);
    let begin = tokio::time::Instant::now();
    client.leave().await;
    assert_eq!(open.load(Ordering::SeqCst), 0);
    assert_eq!(begin.elapsed(), Duration::ZERO, "they do not linger");
}

#[tokio::test(start_paused = true)]
async fn a_client_may_have_so_many_streams_and_no_more() {
    let open = Arc::new(AtomicUsize::new(0));
    let server = TestServer::with(endless(&open), Config { max_streams: 2, ..Config::default() }).await;
    let client = server.client("/").connect().await.unwrap();
    for _ in 0..2 {
        client.emit("endless", &()).await;
        client.expect("begun").await;
    }
    let told = client.ask::<Value>("endless", &()).await;
    assert_eq!(told["message"], json!("Too many streams at once"));
    assert_eq!(client.expect("exception").await.data, told);
    assert_eq!(open.load(Ordering::SeqCst), 2);
    assert!(client.is_connected());
}

#[tokio::test]
async fn streams_that_have_ended_make_room_also_while_events_keep_coming() {
    let gateway = Gateway::new("/").on("events", async || Streamed(numbers(1)));
    let server = TestServer::with(gateway, Config { max_streams: 2, ..Config::default() }).await;
    let client = server.client("/").connect().await.unwrap();
    for _ in 0..100 {
        client.ask::<()>("events", &()).await;
        client.expect("events").await;
    }
    client.nothing().await;
}

async fn question(client: Client) -> String {
    match client.emit_with_ack::<u32>("question", "how many?", Duration::from_secs(1)).await {
        Ok(number) => format!("{number}"),
        Err(AckError::Timeout) => "timeout".to_owned(),
        Err(AckError::Gone) => "gone".to_owned(),
        Err(error) => format!("{error}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_can_wait_for_an_acknowledgement_of_the_client() {
    let server = TestServer::of(Gateway::new("/").on("ask me", question)).await;
    let client = server.client("/").connect().await.unwrap();
    let answers = async {
        let question = client.expect("question").await;
        assert_eq!(question.data, json!("how many?"));
        client.acks(&question, &3);
        client.acks(&question, &4); // late: of no effect
        let question = client.expect("question").await;
        client.acks(&question, "many");
        client.expect("question").await;
    };
    let asks = async {
        let mut heard = Vec::new();
        for _ in 0..3 {
            heard.push(client.ask::<String>("ask me", &()).await);
        }
        heard
    };
    let ((), heard) = tokio::join!(answers, asks);
    assert_eq!(heard[0], "3");
    assert!(heard[1].starts_with("the acknowledgement is not what was expected: invalid type"), "{}", heard[1]);
    assert_eq!(heard[2], "timeout");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_client_that_goes_is_told_at_once() {
    let server = TestServer::of(Gateway::new("/").on("ask me", question)).await;
    let client = server.client("/").connect().await.unwrap();
    let seen = server.namespace("/").unwrap().client(client.id()).unwrap();
    let begin = tokio::time::Instant::now();
    let (heard, ()) = tokio::join!(question(seen.clone()), client.leave());
    assert_eq!((heard.as_str(), begin.elapsed()), ("gone", Duration::ZERO));
    let later = seen.emit_with_ack::<()>("question", &(), Duration::from_secs(1)).await;
    assert!(matches!(later, Err(AckError::Emit(_))), "{later:?}");
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_collects_acknowledgements_as_they_come() {
    let server = TestServer::of(Gateway::new("/")).await;
    let ada = server.client("/").connect().await.unwrap();
    let ben = server.client("/").connect().await.unwrap();
    let namespace = server.namespace("/").unwrap();
    let answers = namespace.broadcast().emit_with_ack::<String>("vote", &(), Duration::from_secs(2)).unwrap();
    // Before anybody looks at the answers.
    let (for_ada, _) = (ada.expect("vote").await, ben.expect("vote").await);
    ada.acks(&for_ada, "yes");
    let answers: Vec<_> = answers.collect().await;
    assert_eq!(answers.len(), 2);
    assert_eq!((answers[0].0.id(), answers[0].1.as_deref().unwrap()), (ada.id(), "yes"));
    assert!(matches!(answers[1], (ref client, Err(AckError::Timeout)) if client.id() == ben.id()));
}
