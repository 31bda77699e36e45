//! A chat: rooms, who comes and goes, who is typing, and words to one person.
//!
//! Clients connect with `auth: { username, token }`. Names are not unique and prove nothing: whoever has a token may take any.
//! A room called `doc:NAME` is that of a document: who types in one shows in the other. Whoever has the document open in an
//! editor too gives its Yjs client id as `clientId`, and is not taken for two.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ydock::ClientId;
use ydock::gateway::{
    Client, Event, EventError, FromEvent, Gateway, Handler, Namespace, Payload, Validate, Validated, Verdict,
};

/// The gateway `/chat`, for those whom a guard lets in when they connect and with each of their events.
///
/// ```
/// use ydock::gateway::built_in::{chat, has_token};
///
/// let _gateway = chat(has_token);
/// ```
pub fn chat<T: 'static>(is_allowed: impl Handler<T, (), Output: Verdict>) -> Gateway {
    Gateway::new("/chat")
        .guard(is_allowed)
        .guard(has_name)
        .on_connect(connected)
        .on_disconnect(disconnected)
        .on("joinRoom", join_room)
        .on("leaveRoom", leave_room)
        .on("chatMessage", chat_message)
        .on("typing", typing)
        .on("privateMessage", private_message)
        .on("message", message)
        .on("messageWithAck", message_with_ack)
        .on("binary", binary)
}

/// A guard that asks for any token at all.
pub async fn has_token(client: Client) -> bool {
    #[derive(Deserialize)]
    struct Auth {
        token: String,
    }
    client.handshake().auth::<Auth>().is_ok_and(|auth| !auth.token.is_empty())
}

/// A client's name, in bounds and without blanks around it.
#[derive(Clone)]
struct User(Arc<str>);

impl<S: Sync> FromEvent<S> for User {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        #[derive(Deserialize)]
        struct Auth {
            username: String,
        }
        let client = event.client();
        if let Some(known) = client.get::<Self>() {
            return Ok(known);
        }
        let Auth { username } = client.handshake().auth()?;
        if let Some(fault) = fault("username", username.trim(), LONGEST_NAME) {
            return Err(EventError::new(fault));
        }
        let user = Self(username.trim().into());
        client.set(user.clone());
        Ok(user)
    }
}

/// Who has no name is refused when it is taken.
async fn has_name(_: User) {}

async fn connected(client: Client, User(name): User) -> Result<(), EventError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Auth {
        client_id: Option<u64>,
    }
    client.identify(&name);
    if let Some(editor) = client.handshake().auth::<Auth>()?.client_id.and_then(ClientId::new) {
        client.stand_beside(editor);
    }
    tracing::debug!(user = &*name, client = client.id(), "connected to the chat");
    Ok(())
}

async fn disconnected(client: Client, User(name): User) -> Result<(), EventError> {
    for room in client.topics() {
        notify(&client, &room, &format!("{name} left the room"))?;
    }
    tracing::debug!(user = &*name, client = client.id(), "disconnected from the chat");
    Ok(())
}

async fn join_room(client: Client, User(name): User, Validated(Room(room)): Validated<Room>) -> Result<(), EventError> {
    if client.is_in(&room) {
        return Ok(());
    }
    client.join(&room);
    notify(&client, &room, &format!("{name} joined the room"))
}

async fn leave_room(client: Client, User(name): User, Payload(room): Payload<String>) -> Result<(), EventError> {
    if !client.is_in(&room) {
        return Ok(());
    }
    client.leave(&room);
    notify(&client, &room, &format!("{name} left the room"))
}

async fn chat_message(
    client: Client,
    User(user): User,
    Validated(sent): Validated<RoomMessage>,
) -> Result<(), EventError> {
    #[derive(Serialize)]
    struct ChatMessage<'a> {
        room: &'a str,
        user: &'a str,
        message: &'a str,
        timestamp: String,
    }
    let RoomMessage { room, message } = &sent;
    is_member(&client, room)?;
    let message = ChatMessage { room, user: &user, message, timestamp: now() };
    client.namespace().to(room).emit("chatMessage", &message)?;
    Ok(())
}

async fn typing(client: Client, User(user): User, Payload(sent): Payload<Typing>) -> Result<(), EventError> {
    is_member(&client, &sent.room)?;
    if sent.room.starts_with(DOCUMENT) {
        // Editors and all others in the document hear of it from there.
        return client.typing(&sent.room, sent.is_typing);
    }
    let typing = json!({ "user": &*user, "isTyping": sent.is_typing });
    client.to(&sent.room).volatile().emit("typing", &typing)?;
    Ok(())
}

/// To one client by its id, or to all that have a name.
async fn private_message(
    client: Client,
    namespace: Namespace,
    Validated(sent): Validated<PrivateMessage>,
) -> Result<(), EventError> {
    let message = json!({ "from": client.id(), "message": sent.message });
    let reached = match namespace.client(&sent.to) {
        Some(one) => one.emit("privateMessage", &message).map(|()| 1)?,
        None => namespace.to_user(&sent.to).emit("privateMessage", &message)?,
    };
    if reached == 0 { Err(EventError::new("Nobody has this id or name")) } else { Ok(()) }
}

async fn message(Payload(text): Payload<Option<String>>) -> Result<String, EventError> {
    let text = text.unwrap_or_default();
    if text.is_empty() {
        return Err(EventError::new("Message cannot be empty"));
    }
    match fault("message", &text, LONGEST_MESSAGE) {
        Some(fault) => Err(EventError::new(fault)),
        None => Ok(text),
    }
}

async fn message_with_ack(Payload(_): Payload<Value>) -> Value {
    json!({ "status": "processed" })
}

async fn binary(Payload(bytes): Payload<Bytes>) -> Bytes {
    bytes
}

#[derive(Deserialize)]
struct Room(String);

#[derive(Deserialize)]
struct RoomMessage {
    room: String,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typing {
    room: String,
    is_typing: bool,
}

#[derive(Deserialize)]
struct PrivateMessage {
    to: String,
    message: String,
}

impl Validate for Room {
    fn faults(&self) -> Vec<String> {
        fault("room", &self.0, LONGEST_ROOM).into_iter().collect()
    }
}

impl Validate for RoomMessage {
    fn faults(&self) -> Vec<String> {
        fault("message", &self.message, LONGEST_MESSAGE).into_iter().collect()
    }
}

impl Validate for PrivateMessage {
    fn faults(&self) -> Vec<String> {
        fault("message", &self.message, LONGEST_MESSAGE).into_iter().collect()
    }
}

/// What is wrong with a text that must not be empty and has a longest length, in characters.
fn fault(what: &str, text: &str, longest: usize) -> Option<String> {
    let fits = (1..=longest).contains(&text.chars().count());
    (!fits).then(|| format!("{what} must be 1 to {longest} characters long"))
}

fn is_member(client: &Client, room: &str) -> Result<(), EventError> {
    if client.is_in(room) { Ok(()) } else { Err(EventError::new("Join the room first")) }
}

fn notify(client: &Client, room: &str, message: &str) -> Result<(), EventError> {
    let notification = json!({ "message": message, "timestamp": now() });
    client.namespace().to(room).emit("notification", &notification)?;
    Ok(())
}

/// As JavaScript's `toISOString` writes it.
fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

/// What the topics of documents begin with.
const DOCUMENT: &str = "doc:";
const LONGEST_NAME: usize = 64;
/// Room for `doc:` and the longest name of a document.
const LONGEST_ROOM: usize = 1028;
const LONGEST_MESSAGE: usize = 4000;
