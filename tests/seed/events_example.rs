//! The gateway `ydock::gateway::built_in::events`, which has the smaller snippets of the seed together.

use std::time::Duration;

use serde_json::json;
use ydock::gateway::built_in::events;

use crate::client::{Connected, serve};

#[tokio::test(start_paused = true)]
async fn a_message_is_echoed_and_numbers_come_until_the_client_goes() {
    let gateways = serve(events(Duration::from_millis(10))).await;
    let mut client = Connected::to(&gateways, "/events").await;
    assert_eq!(client.ask::<String>("message", "hello").await, "Echo: hello");
    client.emit("events", json!(null));
    for number in 0..3 {
        assert_eq!(client.expect("events").await, number);
    }
}

#[tokio::test(start_paused = true)]
async fn those_in_a_room_hear_who_comes_who_goes_and_what_is_said() {
    let gateways = serve(events(Duration::from_secs(1))).await;
    let mut ada = Connected::to(&gateways, "/events").await;
    let mut ben = Connected::to(&gateways, "/events").await;
    ada.emit("joinRoom", "tea");
    assert_eq!(ada.expect("userJoined").await, json!({ "userId": ada.id(), "room": "tea" }));
    ben.emit("messageToRoom", json!({ "room": "tea", "message": "hello" }));
    assert_eq!(ada.expect("roomMessage").await, json!({ "from": ben.id(), "message": "hello" }));
    ben.emit("joinRoom", "tea");
    ada.expect("userJoined").await;
    ben.expect("userJoined").await;
    ben.emit("leaveRoom", "tea");
    assert_eq!(ada.expect("userLeft").await, json!({ "userId": ben.id(), "room": "tea" }));
    ben.emit("joinRoom", "");
    assert_eq!(ben.exception().await, json!(["room must be 1 to 128 characters long"]));
}
