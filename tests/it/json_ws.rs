//! The JSON front over a real socket: messages, acknowledgements, limits, ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, WebSocketUpgrade};
use axum::routing::any;
use bytes::Bytes;
use bytesize::ByteSize;
use futures_util::{SinkExt, StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};
use ydock::connection::{self, Connections};
use ydock::fronts::json_ws::{JsonWs, JsonWsParts};
use ydock::gateway::{
    Client, Config, Emit, EventError, Gateway, Gateways, GatewaysBuilder, Handshake, Payload, Streamed, Transports,
};
use ydock::listen;
use ydock::shutdown::Tasks;
use ydock::telemetry::Metrics;

use crate::server::until;

/// A gateway server of the front alone.
struct Front {
    address: SocketAddr,
    gateways: Gateways,
    tasks: Tasks,
}

impl Front {
    async fn start(config: Config) -> Self {
        let mut gateways = GatewaysBuilder::default();
        gateways.add(chat());
        gateways.add(Gateway::new("/closed").guard(async || Err::<(), _>(EventError::new("Members only"))));
        gateways.add(Gateway::new("/broken").guard(async || Err::<(), _>(EventError::internal("no database"))));
        gateways.add(Gateway::new("/stuck").guard(std::future::pending::<()>));
        gateways.add(Gateway::new("/polling").transports(Transports::POLLING));
        let tasks = Tasks::new();
        let gateways = gateways.build(config, tasks.clone()).await;
        let metrics = Arc::new(Metrics::new());
        let connections = Connections::new(connection::Config::default(), tasks.clone(), metrics);
        let front = JsonWs::new(JsonWsParts { gateways: gateways.clone(), connections, port: None });
        let route = any(async move |upgrade: WebSocketUpgrade, request: Request| {
            front.upgrade(front.connections().admit(listen::Client::default()).unwrap(), upgrade, &request)
        });
        let routes = Router::new().route("/ws", route).into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = tasks.clone();
        tasks.spawn(async move {
            tokio::select! {
                served = async { axum::serve(listener, routes).await } => served.unwrap(),
                () = stop.stopped() => {}
            }
        });
        Self { address, gateways, tasks }
    }

    async fn connect(&self, query: &str) -> Socket {
        Socket::open(&format!("ws://{}/ws?{query}", self.address)).await
    }

    /// Nothing is left of anybody.
    async fn is_empty(&self) {
        until("every client is freed", || async { self.gateways.clients() == 0 }).await;
        let chat = self.gateways.of("/chat").unwrap();
        assert_eq!((chat.len(), chat.topics()), (0, 0));
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

fn chat() -> Gateway {
    Gateway::new("/chat")
        .on("echo", async |Payload(value): Payload<Value>| value)
        .on("pair", async |Payload((a, b)): Payload<(String, u8)>| format!("{a}{b}"))
        .on("nothing", async || ())
        .on("event", async || Emit::new("events", 7))
        .on("events", async || Streamed(stream::iter(0..3).map(|number| Emit::new("events", number))))
        .on("count", async |Payload(up_to): Payload<u32>| {
            let large = "x".repeat(20_000);
            Streamed(stream::iter(0..up_to).map(move |number| Emit::new("counted", (number, large.clone()))))
        })
        .on("picture", async || Emit::new("picture", ("a", Bytes::from_static(&[1, 255]))))
        .on("fail", async || Err::<(), _>(EventError::new("Message cannot be empty")))
        .on("join", async |client: Client, Payload(topic): Payload<String>| client.join(&topic))
        .on("auth", async |handshake: Handshake| handshake.auth::<Value>().unwrap())
        .on("address", async |handshake: Handshake| handshake.address.unwrap().ip().to_string())
        .on("disconnect me", async |client: Client| client.disconnect())
        .on("ask me", async |client: Client| {
            let answer: String = client.emit_with_ack("question", "who?", Duration::from_secs(5)).await.unwrap();
            client.emit("answered", &answer).unwrap();
        })
}

/// A client that sees every message.
struct Socket {
    socket: WebSocketStream<TcpStream>,
}

impl Socket {
    async fn open(url: &str) -> Self {
        let request = url.into_client_request().unwrap();
        let stream = TcpStream::connect(request.uri().authority().unwrap().as_str()).await.unwrap();
        let (socket, _) = client_async(request, stream).await.unwrap();
        Self { socket }
    }

    async fn say(&mut self, message: impl Into<Message>) {
        self.socket.send(message.into()).await.unwrap();
    }

    async fn send(&mut self, message: Value) {
        self.say(message.to_string()).await;
    }

    /// The next text.
    async fn text(&mut self) -> String {
        loop {
            match tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no text came, but {other:?}"),
            }
        }
    }

    async fn next(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The code with which the server ends the connection, after everything else.
    async fn close(&mut self) -> u16 {
        let closed = async {
            while let Some(message) = self.socket.next().await {
                if let Message::Close(frame) = message.unwrap() {
                    return u16::from(frame.unwrap().code);
                }
            }
            panic!("the connection ended without a goodbye")
        };
        tokio::time::timeout(Duration::from_secs(20), closed).await.unwrap()
    }
}

#[tokio::test]
async fn values_are_bare_events_have_names_and_acknowledgements_their_id() {
    let front = Front::start(Config::default()).await;
    let mut client = front.connect("namespace=/chat").await;
    client.say(r#"{"event":"echo","data":{"b":1,"a":[2]}}"#).await;
    assert_eq!(client.next().await, json!({ "b": 1, "a": [2] }));
    client.say(Bytes::from_static(br#"{"event":"echo","data":"binary"}"#)).await;
    assert_eq!(client.text().await, r#""binary""#);
    client.send(json!({ "event": "echo", "data": "x", "id": { "any": "thing" } })).await;
    assert_eq!(client.next().await, json!({ "event": "ack", "id": { "any": "thing" }, "data": "x" }));
    client.send(json!({ "event": "pair", "data": ["a", 1], "id": "b" })).await;
    assert_eq!(client.text().await, r#"{"event":"ack","id":"b","data":"a1"}"#);
    client.send(json!({ "event": "nothing", "id": 1 })).await;
    assert_eq!(client.text().await, r#"{"event":"ack","id":1,"data":null}"#);
    client.send(json!({ "event": "nothing" })).await;
    client.send(json!({ "event": "event" })).await;
    assert_eq!(client.text().await, r#"{"event":"events","data":7}"#);
    client.send(json!({ "event": "events" })).await;
    for number in 0..3 {
        assert_eq!(client.next().await, json!({ "event": "events", "data": number }));
    }
    client.send(json!({ "event": "picture" })).await;
    let picture = json!(["a", { "type": "Buffer", "data": [1, 255] }]);
    assert_eq!(client.next().await, json!({ "event": "picture", "data": picture }));
}

#[tokio::test]
async fn the_query_is_the_auth_and_the_peer_is_known() {
    let front = Front::start(Config::default()).await;
    let mut client = front.connect("token=a+b&namespace=/chat&room=1").await;
    client.send(json!({ "event": "auth" })).await;
    assert_eq!(client.next().await, json!({ "token": "a b", "room": "1" }));
    client.send(json!({ "event": "address" })).await;
    assert_eq!(client.next().await, json!("127.0.0.1"));
}

#[tokio::test]
async fn errors_are_told_by_exception_and_by_the_acknowledgement_and_the_connection_goes_on() {
    let front = Front::start(Config::default()).await;
    let mut client = front.connect("namespace=/chat").await;
    let told =
        json!({ "status": "error", "message": "Message cannot be empty", "cause": { "pattern": "fail", "data": 1 } });
    client.send(json!({ "event": "fail", "data": 1, "id": 5 })).await;
    assert_eq!(client.next().await, json!({ "event": "exception", "data": told }));
    assert_eq!(client.next().await, json!({ "event": "ack", "id": 5, "data": told }));
    for nonsense in ["hello", "[1]", "{}", r#"{"event":1}"#, r#"{"event":"a","data":}"#, r#"{"event":"ack","id":"x"}"#]
    {
        client.say(nonsense).await;
        let told = client.next().await;
        assert_eq!((&told["event"], &told["data"]["status"]), (&json!("exception"), &json!("error")), "{nonsense}");
        assert!(told["data"]["message"].as_str().unwrap().len() > 20, "{told}");
    }
    client.send(json!({ "event": "echo", "data": 1 })).await;
    assert_eq!(client.next().await, json!(1));
}

#[tokio::test]
async fn the_server_can_wait_for_an_acknowledgement() {
    let front = Front::start(Config::default()).await;
    let mut client = front.connect("namespace=/chat").await;
    client.send(json!({ "event": "ask me" })).await;
    let question = client.next().await;
    assert_eq!((&question["event"], &question["data"]), (&json!("question"), &json!("who?")));
    client.send(json!({ "event": "ack", "id": question["id"], "data": "me" })).await;
    assert_eq!(client.next().await, json!({ "event": "answered", "data": "me" }));
}

#[tokio::test]
async fn who_may_not_come_in_is_told_why_and_whether_to_come_back() {
    let front = Front::start(Config { connect_within: Duration::from_millis(200), ..Config::default() }).await;
    for (query, message, code) in [
        ("namespace=/none", "Invalid namespace", 4404),
        ("", "Invalid namespace", 4404),
        ("namespace=/closed", "Members only", 4403),
        ("namespace=/polling", "Transport not allowed", 4403),
        ("namespace=/broken", "Internal server error", 4503),
        ("namespace=/stuck", "it took too long to let the client in", 4503),
    ] {
        let mut client = front.connect(query).await;
        assert_eq!(client.next().await, json!({ "event": "connect_error", "data": { "message": message } }));
        assert_eq!(client.close().await, code, "{query}");
    }
    front.is_empty().await;
}

#[tokio::test]
async fn topics_and_services_reach_clients_and_nothing_of_one_that_goes_is_left() {
    let front = Front::start(Config::default()).await;
    let (mut ada, mut ben) = (front.connect("namespace=/chat").await, front.connect("namespace=/chat").await);
    for client in [&mut ada, &mut ben] {
        client.send(json!({ "event": "join", "data": "a", "id": 0 })).await;
        client.next().await;
    }
    let chat = front.gateways.of("/chat").unwrap();
    assert_eq!(chat.to("a").emit("news", "x").unwrap(), 2);
    for client in [&mut ada, &mut ben] {
        assert_eq!(client.text().await, r#"{"event":"news","data":"x"}"#);
    }
    ada.socket.close(None).await.unwrap();
    assert!(matches!(ada.socket.next().await, Some(Ok(Message::Close(_)))), "a goodbye is answered");
    drop(ben); // without a goodbye
    front.is_empty().await;
}

#[tokio::test]
async fn the_application_can_send_a_client_away() {
    let front = Front::start(Config::default()).await;
    let mut client = front.connect("namespace=/chat").await;
    client.send(json!({ "event": "disconnect me", "id": 1 })).await;
    assert_eq!(client.close().await, 4410);
    front.is_empty().await;
}

#[tokio::test]
async fn who_sends_more_or_larger_than_it_may_is_sent_away() {
    let config = Config { max_message: ByteSize::kb(1), events_at_once: 5, events_per_second: 1, ..Config::default() };
    let front = Front::start(config).await;
    let mut large = front.connect("namespace=/chat").await;
    large.send(json!({ "event": "echo", "data": "x".repeat(900) })).await;
    assert_eq!(large.next().await, json!("x".repeat(900)));
    large.send(json!({ "event": "echo", "data": "x".repeat(1100) })).await;
    assert_eq!(large.close().await, 4413);

    let mut many = front.connect("namespace=/chat").await;
    for number in 0..5 {
        many.send(json!({ "event": "echo", "data": number, "id": number })).await;
        many.next().await;
    }
    many.say("nonsense counts too").await;
    let told = many.next().await;
    assert_eq!((&told["event"], &told["data"]["message"]), (&json!("exception"), &json!("Too many messages")));
    assert_eq!(many.close().await, 1013);
    front.is_empty().await;
}

#[tokio::test]
async fn who_does_not_read_is_sent_away_and_holds_nothing() {
    let config = Config { max_outgoing: 8, ping_timeout: Duration::from_secs(5), ..Config::default() };
    let front = Front::start(config).await;
    let client = front.connect("namespace=/chat").await;
    let chat = front.gateways.of("/chat").unwrap();
    until("the client is in", || async { chat.len() == 1 }).await;
    let large = "x".repeat(900_000);
    // More than any socket buffers.
    until("the client is sent away", || async { chat.emit("news", &large).unwrap() == 0 }).await;
    front.is_empty().await;
    drop(client);
}

#[tokio::test]
async fn a_stream_goes_no_faster_than_its_client_reads() {
    let front = Front::start(Config { max_outgoing: 8, ..Config::default() }).await;
    let mut client = front.connect("namespace=/chat").await;
    client.send(json!({ "event": "count", "data": 300 })).await;
    for number in 0..300 {
        let counted = client.next().await;
        assert_eq!(counted["data"][0], json!(number), "{}", counted["event"]);
    }
}

#[tokio::test]
async fn who_answers_no_ping_is_gone() {
    let quick = Duration::from_millis(100);
    let front = Front::start(Config { ping_interval: quick, ping_timeout: quick, ..Config::default() }).await;
    let mut lively = front.connect("namespace=/chat").await;
    let silent = front.connect("namespace=/chat").await; // never polled: answers nothing
    let chat = front.gateways.of("/chat").unwrap();
    until("both are in", || async { chat.len() == 2 }).await;
    let answering = async { while lively.socket.next().await.is_some() {} };
    tokio::select! {
        () = answering => panic!("the lively client was sent away"),
        () = until("the silent one is gone", || async { chat.len() == 1 }) => {}
    }
    drop(silent);
}

#[tokio::test]
async fn a_server_that_stops_tells_everybody_to_come_back() {
    let front = Front::start(Config::default()).await;
    let mut client = front.connect("namespace=/chat").await;
    client.send(json!({ "event": "echo", "data": 1 })).await;
    client.next().await;
    front.tasks.stop();
    assert_eq!(client.close().await, 4503);
    drop(client);
    assert!(front.tasks.drain(Duration::from_secs(10)).await, "every task ends");
    assert_eq!(front.gateways.clients(), 0);
}

#[tokio::test]
async fn the_server_itself_serves_it() {
    let server = crate::server::TestServer::start();
    let mut client = Socket::open(&server.http("/ws?namespace=/none").replace("http:", "ws:")).await;
    assert_eq!(client.next().await["event"], json!("connect_error"));
    assert_eq!(client.close().await, 4404);
    let plain = reqwest::get(server.http("/ws")).await.unwrap();
    assert_eq!(plain.status(), 400);
}
