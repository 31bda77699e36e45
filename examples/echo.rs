//! A server that sends back what it gets: for the test suite of the Socket.IO protocol, and to try clients on.
//!
//! `cargo run --example echo -- 127.0.0.1:3000`; settings come from `YDOCK_…` variables.

use std::time::Duration;

use ydock::config::{Config, Layers};
use ydock::gateway::{Ack, AckError, Client, Data, Event, EventError, Gateway, GatewaysBuilder, Handshake, Payload};

/// Tells a client with what it connected.
async fn greet(client: Client, handshake: Handshake) -> Result<(), EventError> {
    let auth: serde_json::Value = handshake.auth()?;
    client.emit("auth", &auth).map_err(EventError::internal)
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
async fn emit_with_ack(
    client: Client,
    Payload(value): Payload<serde_json::Value>,
) -> Result<Ack<serde_json::Value>, EventError> {
    match client.emit_with_ack("emit-with-ack", &value, Duration::from_millis(200)).await {
        Ok(answer) => Ok(Ack(answer)),
        Err(error @ (AckError::Timeout | AckError::Gone)) => Err(EventError::new(error.to_string())),
        Err(error) => Err(EventError::internal(error)),
    }
}

fn echo(path: &str) -> Gateway {
    Gateway::new(path)
        .on_connect(greet)
        .on("message", message)
        .on("message-with-ack", message_with_ack)
        .on("emit-with-ack", emit_with_ack)
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
    gateways.add(echo("/custom"));
    let server = ydock::Server::bind_with(config, gateways).await?;
    #[expect(clippy::print_stdout, reason = "the line that tests wait for")]
    {
        println!("listening on http://{}", server.local_addr());
    }
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
    Ok(())
}
