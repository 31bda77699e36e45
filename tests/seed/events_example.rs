//! The gateway `ydock::gateway::built_in::events`, which has the smaller snippets of the seed together.

use std::time::Duration;

use serde_json::json;
use ydock::gateway::built_in::events;
use ydock::testing::TestServer;

#[tokio::test(start_paused = true)]
async fn a_message_is_echoed_and_numbers_come_until_the_client_goes() {
    let server = TestServer::of(events(Duration::from_millis(10))).await;
    let client = server.client("/events").connect().await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "Echo: hello");
    client.emit("events", &json!(null)).await;
    for number in 0..3 {
        assert_eq!(client.expect("events").await.data, number);
    }
}

#[tokio::test(start_paused = true)]
async fn those_in_a_room_hear_who_comes_who_goes_and_what_is_said() {
    let server = TestServer::of(events(Duration::from_secs(1))).await;
    let ada = server.client("/events").connect().await.unwrap();
    let ben = server.client("/events").connect().await.unwrap();
    ada.emit("joinRoom", "tea").await;
    assert_eq!(ada.expect("userJoined").await.data, json!({ "userId": ada.id(), "room": "tea" }));
    ben.emit("messageToRoom", &json!({ "room": "tea", "message": "hello" })).await;
    assert_eq!(ada.expect("roomMessage").await.data, json!({ "from": ben.id(), "message": "hello" }));
    ben.emit("joinRoom", "tea").await;
    ada.expect("userJoined").await;
    ben.expect("userJoined").await;
    ben.emit("leaveRoom", "tea").await;
    assert_eq!(ada.expect("userLeft").await.data, json!({ "userId": ben.id(), "room": "tea" }));
    ben.emit("joinRoom", "").await;
    assert_eq!(ben.expect("exception").await.data["message"], json!(["room must be 1 to 128 characters long"]));
}
