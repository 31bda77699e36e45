//! A server that sends back what it gets, and tells about itself: for the test suite of the Socket.IO protocol, for the tests
//! with its clients, and to try clients on.
//!
//! `cargo run --example echo -- 127.0.0.1:3000`; settings come from `YDOCK_…` variables.

use std::alloc::System;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cap::Cap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ydock::config::{Config, Layers};
use ydock::gateway::{
    Ack, AckError, Client, Data, DisconnectReason, Event, EventError, Gateway, Gateways, GatewaysBuilder, Handshake,
    Namespace, Origins, Payload,
};

/// The numbers that a client sent, in the order in which they were handled.
#[derive(Debug, Clone, Default)]
struct Recorded(Arc<Mutex<Vec<u32>>>);

/// Any value, with binary in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Anything {
    Plain(Value),
    Binary(Bytes),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

/// Tells a client with what it connected.
async fn greet(client: Client, handshake: Handshake) -> Result<(), EventError> {
    client.set(Recorded::default());
    let auth: Value = handshake.auth()?;
    client.emit("auth", &auth).map_err(EventError::internal)
}

/// Tells those who are in the topic `observers` who has left, and why.
async fn farewell(client: Client, reason: DisconnectReason) -> Result<(), EventError> {
    client.to("observers").emit("left", &json!({ "id": client.id(), "reason": reason.as_str() }))?;
    Ok(())
}

/// Sends all values back as an event.
async fn message(event: Event) -> Result<(), EventError> {
    event.client().emit_data("message-back", event.data()).map_err(EventError::internal)
}

/// Sends all values back as the acknowledgement.
async fn message_with_ack(event: Event) -> Data {
    event.data().clone()
}

/// Has the client acknowledge its own values, and tells it what it answered.
async fn emit_with_ack(client: Client, Payload(value): Payload<Anything>) -> Result<Ack<Anything>, EventError> {
    match client.emit_with_ack("emit-with-ack", &value, Duration::from_millis(200)).await {
        Ok(answer) => Ok(Ack(answer)),
        Err(error @ (AckError::Timeout | AckError::Gone)) => Err(EventError::new(error.to_string())),
        Err(error) => Err(EventError::internal(error)),
    }
}

async fn join(client: Client, Payload(topic): Payload<String>) -> bool {
    client.join(&topic);
    client.is_in(&topic)
}

async fn leave(client: Client, Payload(topic): Payload<String>) -> bool {
    client.leave(&topic);
    client.is_in(&topic)
}

/// Says something to the others in a topic; the answer is to how many.
async fn say(client: Client, Payload((topic, what)): Payload<(String, Anything)>) -> Result<Ack<usize>, EventError> {
    Ok(Ack(client.to(&topic).emit("said", &what)?))
}

/// Records a number after a while that nobody knows.
async fn record(client: Client, Payload(number): Payload<u32>) {
    let [first, ..] = uuid::Uuid::new_v4().into_bytes();
    for _ in 0..first % 7 {
        tokio::task::yield_now().await;
    }
    if let Some(Recorded(numbers)) = client.get() {
        numbers.lock().unwrap_or_else(PoisonError::into_inner).push(number);
    }
}

async fn recorded(client: Client) -> Vec<u32> {
    let Recorded(numbers) = client.get().unwrap_or_default();
    let numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
    numbers.clone()
}

#[expect(clippy::panic, reason = "clients must be told of what handlers do wrong")]
async fn panics() {
    panic!("a handler that does not hold")
}

/// Sends the client away.
async fn kick(client: Client) {
    client.disconnect();
}

/// Counts what is allocated: what the system's allocator keeps of freed memory says nothing of what is still held.
#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// How many there are of what must not stay.
async fn counts(gateways: Gateways) -> Value {
    let namespaces: Vec<_> = ["/", "/custom"].iter().filter_map(|path| gateways.of(path)).collect();
    json!({
        "clients": gateways.clients(),
        "namespaces": gateways.namespaces(),
        "topics": namespaces.iter().map(Namespace::topics).sum::<usize>(),
        "members": namespaces.iter().map(Namespace::len).sum::<usize>(),
        "allocated": ALLOCATED.allocated(),
    })
}

/// Whether a client may enter `/guarded`.
async fn knows_the_word(handshake: Handshake) -> Result<(), EventError> {
    let auth: Value = handshake.auth()?;
    let knows = auth.get("token").is_some_and(|token| token == "secret");
    if knows { Ok(()) } else { Err(EventError::new("Unauthorized")) }
}

fn echo(path: &str) -> Gateway {
    Gateway::new(path)
        .on_connect(greet)
        .on_disconnect(farewell)
        .on("message", message)
        .on("message-with-ack", message_with_ack)
        .on("emit-with-ack", emit_with_ack)
        .on("join", join)
        .on("leave", leave)
        .on("say", say)
        .on("record", record)
        .on("recorded", recorded)
        .on("panic", panics)
        .on("kick", kick)
        .on("counts", counts)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ydock::materialise::run_if_worker();
    let mut settings = Layers::new();
    settings.variables(std::env::vars());
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned()).parse()?;
    let config = Config { listen, ..settings.read()? };
    let mut gateways = GatewaysBuilder::default();
    gateways.add(echo("/"));
    gateways.add(echo("/custom").origins(Origins::Listed(vec!["https://app.example.org".to_owned()])));
    gateways.add(echo("/guarded").guard(knows_the_word));
    gateways.add(Gateway::matching(|path| path.starts_with("/tenant-"), ()).on("message", message));
    let server = ydock::Server::bind_with(config, gateways).await?;
    #[expect(clippy::print_stdout, reason = "the line that tests wait for")]
    {
        println!("listening on {}", server.origin());
    }
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
    Ok(())
}
