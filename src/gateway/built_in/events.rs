//! Echoes, rooms and a stream: something to try a client on, open to everybody.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::json;
use ydock::gateway::{
    Client, Emit, EventError, Gateway, Namespace, Payload, State, Streamed, Validate, Validated, interval,
};

/// The gateway `/events`, whose stream has a number for each `period`.
///
/// ```
/// use std::time::Duration;
/// use ydock::gateway::built_in::events;
///
/// let _gateway = events(Duration::from_secs(1));
/// ```
#[must_use]
pub fn events(period: Duration) -> Gateway<Duration> {
    Gateway::with_state("/events", period)
        .on("message", message)
        .on("events", count)
        .on("joinRoom", join_room)
        .on("leaveRoom", leave_room)
        .on("messageToRoom", message_to_room)
}

async fn message(Payload(text): Payload<String>) -> String {
    format!("Echo: {text}")
}

/// 0, 1, 2 and so on, until the client goes.
async fn count(State(period): State<Duration>) -> Streamed<impl Stream<Item = Emit<u64>>> {
    Streamed(interval(period).map(|number| Emit::new("events", number)))
}

async fn join_room(
    client: Client,
    namespace: Namespace,
    Validated(Room(room)): Validated<Room>,
) -> Result<(), EventError> {
    client.join(&room);
    namespace.to(&room).emit("userJoined", &json!({ "userId": client.id(), "room": room }))?;
    Ok(())
}

async fn leave_room(
    client: Client,
    namespace: Namespace,
    Validated(Room(room)): Validated<Room>,
) -> Result<(), EventError> {
    client.leave(&room);
    namespace.to(&room).emit("userLeft", &json!({ "userId": client.id(), "room": room }))?;
    Ok(())
}

async fn message_to_room(
    client: Client,
    namespace: Namespace,
    Validated(sent): Validated<RoomMessage>,
) -> Result<(), EventError> {
    let message = json!({ "from": client.id(), "message": sent.message });
    namespace.to(&sent.room.0).emit("roomMessage", &message)?;
    Ok(())
}

#[derive(Deserialize)]
struct Room(String);

#[derive(Deserialize)]
struct RoomMessage {
    room: Room,
    message: String,
}

impl Validate for Room {
    fn faults(&self) -> Vec<String> {
        let fits = !self.0.is_empty() && self.0.chars().count() <= LONGEST_ROOM;
        if fits { Vec::new() } else { vec![format!("room must be 1 to {LONGEST_ROOM} characters long")] }
    }
}

impl Validate for RoomMessage {
    fn faults(&self) -> Vec<String> {
        self.room.faults()
    }
}

const LONGEST_ROOM: usize = 128;
