//! "Client-Side Example": what a client does, against a gateway: connect with a token, hear, send, disconnect.

use serde_json::json;
use ydock::gateway::{EventError, Gateway, Handshake, Namespace, Payload};
use ydock::testing::TestServer;

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
    let server = TestServer::of(Gateway::new("/").guard(is_known).on("message", to_everybody)).await;
    let socket = server.client("/").auth(&json!({ "token": "your-auth-token" })).connect().await.unwrap();
    assert!(!socket.id().is_empty());
    socket.emit("message", "Hello, server!").await;
    assert_eq!(socket.expect("message").await.data, "Hello, server!");
    socket.leave().await;
    assert_eq!(server.clients(), 0);
}
