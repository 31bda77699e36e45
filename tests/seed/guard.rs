//! "WebSocket Guards": who brings no token neither connects nor sends.

use serde::Deserialize;
use ydock::gateway::{ConnectError, Event, Gateway, Handshake, Payload, handle};

use crate::client::{Connected, serve};

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
    let gateways = serve(events_gateway()).await;
    for auth in [serde_json::json!({}), serde_json::json!({ "token": "" })] {
        let refused = Connected::with_auth(&gateways, "/", auth).await.map(|_| ());
        let Err(ConnectError::Refused(error)) = refused else { panic!("{refused:?}") };
        assert_eq!(error.to_string(), "Forbidden resource");
    }
    let auth = serde_json::json!({ "token": "your-auth-token" });
    let mut client = Connected::with_auth(&gateways, "/", auth).await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_guard_of_one_handler_sees_each_of_its_events() {
    let only_small = async |event: Event| event.data().len() < 20;
    let gateways = serve(Gateway::new("/").on("message", handle(handle_message).guard(only_small))).await;
    let mut client = Connected::to(&gateways, "/").await;
    assert_eq!(client.ask::<String>("message", "hello").await, "hello");
    client.emit("message", "much too long for this guard");
    assert_eq!(client.exception().await, "Forbidden resource");
}
