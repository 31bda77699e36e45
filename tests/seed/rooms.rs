//! "Rooms": joining, leaving, and a message for those who are there.

use serde::Deserialize;
use serde_json::json;
use ydock::gateway::{Client, EventError, Gateway, Namespace, Payload};

use crate::client::{Connected, serve};

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
    let gateways = serve(chat_gateway()).await;
    let mut ada = Connected::to(&gateways, "/").await;
    let mut ben = Connected::to(&gateways, "/").await;
    let mut eve = Connected::to(&gateways, "/").await;

    ada.emit("joinRoom", "tea");
    assert_eq!(ada.expect("userJoined").await, json!({ "userId": ada.id(), "room": "tea" }));
    ben.emit("joinRoom", "tea");
    for client in [&mut ada, &mut ben] {
        client.expect("userJoined").await;
    }

    ben.emit("messageToRoom", json!({ "room": "tea", "message": "hello" }));
    let said = json!({ "from": ben.id(), "message": "hello" });
    assert_eq!(ada.expect("roomMessage").await, said);
    assert_eq!(ben.expect("roomMessage").await, said);

    ben.emit("leaveRoom", "tea");
    assert_eq!(ada.expect("userLeft").await, json!({ "userId": ben.id(), "room": "tea" }));
    ben.hears_nothing().await;
    eve.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_is_in_a_bounded_number_of_rooms_and_leaves_none_behind() {
    let gateways = serve(chat_gateway()).await;
    let mut client = Connected::to(&gateways, "/").await;
    for room in 0..gateways.config().max_topics {
        client.emit("joinRoom", room.to_string());
        client.expect("userJoined").await;
    }
    client.emit("joinRoom", "0");
    client.expect("userJoined").await;
    client.emit("joinRoom", "one more");
    assert!(client.is_sent_away().await);

    client.leave();
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert_eq!(gateways.of("/").unwrap().topics(), 0);
}
