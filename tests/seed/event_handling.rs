//! "Event Handling": who comes and goes, an event for everybody, and one for a single client.

use serde::Deserialize;
use serde_json::json;
use ydock::gateway::{Client, EventError, Gateway, Namespace, Payload};

use crate::client::{Connected, serve};
use crate::log::Log;

fn chat_gateway() -> Gateway {
    Gateway::new("/")
        .on_connect(handle_connection)
        .on_disconnect(handle_disconnect)
        .on("message", handle_message)
        .on("privateMessage", handle_private_message)
}

async fn handle_connection(client: Client) {
    tracing::info!("Client connected: {}", client.id());
}

async fn handle_disconnect(client: Client) {
    tracing::info!("Client disconnected: {}", client.id());
}

async fn handle_message(server: Namespace, Payload(data): Payload<String>) -> Result<(), EventError> {
    server.emit("message", &data)?;
    Ok(())
}

#[derive(Deserialize)]
struct PrivateMessage {
    to: String,
    message: String,
}

async fn handle_private_message(client: Client, Payload(data): Payload<PrivateMessage>) -> Result<(), EventError> {
    let message = json!({ "from": client.id(), "message": data.message });
    client.to(&data.to).emit("privateMessage", &message)?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_everybody_and_a_private_one_to_one() {
    let gateways = serve(chat_gateway()).await;
    let mut ada = Connected::to(&gateways, "/").await;
    let mut ben = Connected::to(&gateways, "/").await;
    let mut eve = Connected::to(&gateways, "/").await;

    ada.emit("message", "hello");
    for client in [&mut ada, &mut ben, &mut eve] {
        assert_eq!(client.expect("message").await, "hello");
    }

    ada.emit("privateMessage", json!({ "to": ben.id(), "message": "psst" }));
    assert_eq!(ben.expect("privateMessage").await, json!({ "from": ada.id(), "message": "psst" }));
    ada.hears_nothing().await;
    eve.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn coming_and_going_is_noticed() {
    let log = Log::begin();
    let gateways = serve(chat_gateway()).await;
    let ada = Connected::to(&gateways, "/").await;
    let id = ada.id().to_owned();
    log.says(&format!("Client connected: {id}")).await;
    ada.leave();
    log.says(&format!("Client disconnected: {id}")).await;
    assert_eq!(gateways.clients(), 0);
}
