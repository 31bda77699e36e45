//! "WebSocket Guards": who brings no token neither connects nor sends.

use serde::Deserialize;
use ydock::gateway::{ConnectError, Event, Gateway, Handshake, Payload, handle};
use ydock::testing::TestServer;

#[derive(Deserialize)]
struct Auth {
    token: String,
}

async fn ws_auth_guard(handshake: Handshake) -> bool {
    handshake.auth::<Auth>().is_ok_and(|auth| !auth.token.is_empty())
}

fn events_gateway() -> Gateway {
    Gateway::new("/").guard(ws_auth_guard).on("message", handle_message)
}

async fn handle_message(Payload(data): Payload<String>) -> String {
    data
}

#[tokio::test(start_paused = true)]
async fn only_who_brings_a_token_comes_in() {
    let server = TestServer::of(events_gateway()).await;
    for auth in [serde_json::json!({}), serde_json::json!({ "token": "" })] {
        let refused = server.client("/").auth(&auth).connect().await.map(|_| ());
        let Err(ConnectError::Refused(error)) = refused else { panic!("{refused:?}") };
        assert_eq!(error.to_string(), "Forbidden resource");
    }
    let auth = serde_json::json!({ "token": "your-auth-token" });
    let client = server.client("/").auth(&auth).connect().await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_guard_of_one_handler_sees_each_of_its_events() {
    let only_small = async |event: Event| event.data().len() < 20;
    let server = TestServer::of(Gateway::new("/").on("message", handle(handle_message).guard(only_small))).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "hello");
    client.emit("message", "much too long for this guard").await;
    assert_eq!(client.expect("exception").await.data["message"], "Forbidden resource");
}
