//! "Client-Side Example": what a client does, against a gateway: connect with a token, hear, send, disconnect.

use serde_json::json;
use ydock::gateway::{EventError, Gateway, Handshake, Namespace, Payload};

use crate::client::{Connected, serve};

#[derive(serde::Deserialize)]
struct Auth {
    token: String,
}

async fn is_known(handshake: Handshake) -> bool {
    handshake.auth::<Auth>().is_ok_and(|auth| auth.token == "your-auth-token")
}

async fn to_everybody(server: Namespace, Payload(text): Payload<String>) -> Result<(), EventError> {
    server.emit("message", &text)?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_client_connects_hears_sends_and_disconnects() {
    let gateways = serve(Gateway::new("/").guard(is_known).on("message", to_everybody)).await;
    let mut socket = Connected::with_auth(&gateways, "/", json!({ "token": "your-auth-token" })).await.unwrap();
    assert!(!socket.id().is_empty());
    socket.emit("message", "Hello, server!");
    assert_eq!(socket.expect("message").await, "Hello, server!");
    socket.leave();
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert_eq!(gateways.clients(), 0);
}
