//! "Complete Chat Example": the twin is `ydock::gateway::built_in::chat`, and this is what it promises.

use bytes::Bytes;
use serde_json::{Value, json};
use ydock::gateway::ConnectError;
use ydock::gateway::built_in::{chat, has_token};
use ydock::testing::{TestClient, TestServer};

async fn enter(server: &TestServer, username: &str) -> TestClient {
    let auth = json!({ "username": username, "token": "any" });
    server.client("/chat").auth(&auth).connect().await.unwrap()
}

async fn join(client: &TestClient, room: &str) {
    client.emit("joinRoom", room).await;
    client.expect("notification").await;
}

/// Without the time, which is checked here.
fn untimed(mut value: Value) -> Value {
    let timestamp = value.as_object_mut().unwrap().remove("timestamp").unwrap();
    let timestamp = timestamp.as_str().unwrap().to_owned();
    assert_eq!((timestamp.len(), timestamp.find('T'), timestamp.find('Z')), (24, Some(10), Some(23)), "{timestamp}");
    value
}

#[tokio::test(start_paused = true)]
async fn those_in_a_room_hear_who_comes_who_goes_and_what_is_said() {
    let server = TestServer::of(chat(has_token)).await;
    let (ada, ben, eve) = (enter(&server, "Ada").await, enter(&server, " Ben ").await, enter(&server, "Eve").await);
    ada.emit("joinRoom", "tea").await;
    assert_eq!(untimed(ada.expect("notification").await.data), json!({ "message": "Ada joined the room" }));
    ben.emit("joinRoom", "tea").await;
    for client in [&ada, &ben] {
        assert_eq!(untimed(client.expect("notification").await.data), json!({ "message": "Ben joined the room" }));
    }

    ben.emit("chatMessage", &json!({ "room": "tea", "message": "hello" })).await;
    for client in [&ada, &ben] {
        let said = json!({ "room": "tea", "user": "Ben", "message": "hello" });
        assert_eq!(untimed(client.expect("chatMessage").await.data), said);
    }

    ben.emit("typing", &json!({ "room": "tea", "isTyping": true })).await;
    assert_eq!(ada.expect("typing").await.data, json!({ "user": "Ben", "isTyping": true }));

    ben.emit("leaveRoom", "tea").await;
    assert_eq!(untimed(ada.expect("notification").await.data), json!({ "message": "Ben left the room" }));
    ben.nothing().await;
    eve.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_disconnects_leaves_each_room_with_a_word() {
    let server = TestServer::of(chat(has_token)).await;
    let (ada, ben) = (enter(&server, "Ada").await, enter(&server, "Ben").await);
    for room in ["tea", "coffee"] {
        join(&ben, room).await;
        join(&ada, room).await;
        ben.expect("notification").await;
    }
    ada.leave().await;
    for _ in 0..2 {
        assert_eq!(untimed(ben.expect("notification").await.data), json!({ "message": "Ada left the room" }));
    }
    ben.nothing().await;
    assert_eq!(server.clients(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_who_is_in_a_room_speaks_and_types_there() {
    let server = TestServer::of(chat(has_token)).await;
    let (ada, eve) = (enter(&server, "Ada").await, enter(&server, "Eve").await);
    join(&ada, "tea").await;
    eve.emit("chatMessage", &json!({ "room": "tea", "message": "hello" })).await;
    assert_eq!(eve.expect("exception").await.data["message"], "Join the room first");
    eve.emit("typing", &json!({ "room": "tea", "isTyping": true })).await;
    assert_eq!(eve.expect("exception").await.data["message"], "Join the room first");
    eve.emit("leaveRoom", "tea").await;
    eve.nothing().await;
    ada.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_private_message_reaches_a_client_or_all_of_a_name_and_no_room() {
    let server = TestServer::of(chat(has_token)).await;
    let (ada, ben, other_ben) = (enter(&server, "Ada").await, enter(&server, "Ben").await, enter(&server, "Ben").await);
    join(&ben, "tea").await;

    ada.emit("privateMessage", &json!({ "to": ben.id(), "message": "psst" })).await;
    assert_eq!(ben.expect("privateMessage").await.data, json!({ "from": ada.id(), "message": "psst" }));
    other_ben.nothing().await;

    ada.emit("privateMessage", &json!({ "to": "Ben", "message": "both" })).await;
    assert_eq!(ben.expect("privateMessage").await.data["message"], "both");
    assert_eq!(other_ben.expect("privateMessage").await.data["message"], "both");

    ada.emit("privateMessage", &json!({ "to": "tea", "message": "hello" })).await;
    assert_eq!(ada.expect("exception").await.data["message"], "Nobody has this id or name");
    ben.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn messages_and_bytes_are_acknowledged_and_an_empty_message_is_not_taken() {
    let server = TestServer::of(chat(has_token)).await;
    let ada = enter(&server, "Ada").await;
    assert_eq!(ada.ask::<Value>("messageWithAck", "data").await, json!({ "status": "processed" }));
    assert_eq!(ada.ask::<String>("message", "hello").await, "hello");
    let bytes = Bytes::from_static(&[0, 1, 255]);
    assert_eq!(ada.ask::<Bytes>("binary", &bytes.clone()).await, bytes);

    ada.emit("message", "").await;
    let cause = json!({ "pattern": "message", "data": "" });
    let told = json!({ "status": "error", "message": "Message cannot be empty", "cause": cause });
    assert_eq!(ada.expect("exception").await.data, told);
}

#[tokio::test(start_paused = true)]
async fn names_rooms_and_messages_are_bounded_in_words_that_tell_the_bound() {
    let server = TestServer::of(chat(has_token)).await;
    let ada = enter(&server, &"a".repeat(64)).await;
    ada.emit("joinRoom", &"x".repeat(1029)).await;
    assert_eq!(ada.expect("exception").await.data["message"], json!(["room must be 1 to 1028 characters long"]));
    join(&ada, &"é".repeat(1028)).await;
    ada.emit("chatMessage", &json!({ "room": "é".repeat(1028), "message": "x".repeat(4001) })).await;
    assert_eq!(ada.expect("exception").await.data["message"], json!(["message must be 1 to 4000 characters long"]));
    ada.emit("message", &"x".repeat(4001)).await;
    assert_eq!(ada.expect("exception").await.data["message"], "message must be 1 to 4000 characters long");
    ada.emit("chatMessage", &json!({ "room": 3 })).await;
    assert_eq!(
        ada.expect("exception").await.data["message"],
        json!(["room: invalid type: integer `3`, expected a string"])
    );
}

#[tokio::test(start_paused = true)]
async fn who_has_no_token_or_no_name_does_not_come_in() {
    let server = TestServer::of(chat(has_token)).await;
    let refusals = [
        (json!({ "username": "Ada" }), "Forbidden resource"),
        (json!({ "username": "Ada", "token": "" }), "Forbidden resource"),
        (json!({ "token": "any" }), "missing field `username`"),
        (json!({ "token": "any", "username": "  " }), "username must be 1 to 64 characters long"),
        (json!({ "token": "any", "username": "a".repeat(65) }), "username must be 1 to 64 characters long"),
    ];
    for (auth, why) in refusals {
        let refused = server.client("/chat").auth(&auth).connect().await.map(|_| ());
        let Err(ConnectError::Refused(error)) = refused else { panic!("{refused:?}") };
        assert_eq!(error.to_string(), why);
    }
    assert_eq!(server.clients(), 0);
}
