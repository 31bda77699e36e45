//! "Event Handling": who comes and goes, an event for everybody, and one for a single client.

use serde::Deserialize;
use serde_json::json;
use ydock::gateway::{Client, EventError, Gateway, Namespace, Payload};
use ydock::testing::TestServer;

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
    let server = TestServer::of(chat_gateway()).await;
    let ada = server.client("/").connect().await.unwrap();
    let ben = server.client("/").connect().await.unwrap();
    let eve = server.client("/").connect().await.unwrap();

    ada.emit("message", "hello").await;
    for client in [&ada, &ben, &eve] {
        assert_eq!(client.expect("message").await.data, "hello");
    }

    ada.emit("privateMessage", &json!({ "to": ben.id(), "message": "psst" })).await;
    assert_eq!(ben.expect("privateMessage").await.data, json!({ "from": ada.id(), "message": "psst" }));
    ada.nothing().await;
    eve.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn coming_and_going_is_noticed() {
    let log = Log::begin();
    let server = TestServer::of(chat_gateway()).await;
    let ada = server.client("/").connect().await.unwrap();
    let id = ada.id().to_owned();
    log.says(&format!("Client connected: {id}")).await;
    ada.leave().await;
    log.says(&format!("Client disconnected: {id}")).await;
    assert_eq!(server.clients(), 0);
}
