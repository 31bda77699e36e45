//! "Rooms": joining, leaving, and a message for those who are there.

use serde::Deserialize;
use serde_json::json;
use ydock::gateway::{Client, EventError, Gateway, Namespace, Payload};
use ydock::testing::TestServer;

fn chat_gateway() -> Gateway {
    Gateway::new("/")
        .on("joinRoom", handle_join_room)
        .on("leaveRoom", handle_leave_room)
        .on("messageToRoom", handle_room_message)
}

async fn handle_join_room(client: Client, server: Namespace, Payload(room): Payload<String>) -> Result<(), EventError> {
    client.join(&room);
    server.to(&room).emit("userJoined", &json!({ "userId": client.id(), "room": room }))?;
    Ok(())
}

async fn handle_leave_room(
    client: Client,
    server: Namespace,
    Payload(room): Payload<String>,
) -> Result<(), EventError> {
    client.leave(&room);
    server.to(&room).emit("userLeft", &json!({ "userId": client.id(), "room": room }))?;
    Ok(())
}

#[derive(Deserialize)]
struct RoomMessage {
    room: String,
    message: String,
}

async fn handle_room_message(
    client: Client,
    server: Namespace,
    Payload(data): Payload<RoomMessage>,
) -> Result<(), EventError> {
    server.to(&data.room).emit("roomMessage", &json!({ "from": client.id(), "message": data.message }))?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn those_in_a_room_hear_who_comes_who_goes_and_what_is_said() {
    let server = TestServer::of(chat_gateway()).await;
    let ada = server.client("/").connect().await.unwrap();
    let ben = server.client("/").connect().await.unwrap();
    let eve = server.client("/").connect().await.unwrap();

    ada.emit("joinRoom", "tea").await;
    assert_eq!(ada.expect("userJoined").await.data, json!({ "userId": ada.id(), "room": "tea" }));
    ben.emit("joinRoom", "tea").await;
    for client in [&ada, &ben] {
        client.expect("userJoined").await;
    }

    ben.emit("messageToRoom", &json!({ "room": "tea", "message": "hello" })).await;
    let said = json!({ "from": ben.id(), "message": "hello" });
    assert_eq!(ada.expect("roomMessage").await.data, said);
    assert_eq!(ben.expect("roomMessage").await.data, said);

    ben.emit("leaveRoom", "tea").await;
    assert_eq!(ada.expect("userLeft").await.data, json!({ "userId": ben.id(), "room": "tea" }));
    ben.nothing().await;
    eve.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_is_in_a_bounded_number_of_rooms_and_leaves_none_behind() {
    let server = TestServer::of(chat_gateway()).await;
    let client = server.client("/").connect().await.unwrap();
    for room in 0..server.gateways().config().max_topics {
        client.emit("joinRoom", &room.to_string()).await;
        client.expect("userJoined").await;
    }
    client.emit("joinRoom", "0").await;
    client.expect("userJoined").await;
    client.emit("joinRoom", "one more").await;
    client.sent_away().await;
    client.freed().await;
    assert_eq!(server.namespace("/").unwrap().topics(), 0);
}
