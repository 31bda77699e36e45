//! "Custom Decorators": a handler takes the user that the client came with.

use serde::Deserialize;
use ydock::gateway::{Event, EventError, FromEvent, Gateway, Payload};
use ydock::testing::TestServer;

use crate::log::Log;

#[derive(Deserialize)]
struct WsUser {
    username: String,
}

impl<S: Sync> FromEvent<S> for WsUser {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        #[derive(Deserialize)]
        struct Auth {
            user: WsUser,
        }
        Ok(event.client().handshake().auth::<Auth>()?.user)
    }
}

fn chat_gateway() -> Gateway {
    Gateway::new("/").on("message", handle_message)
}

async fn handle_message(user: WsUser, Payload(_data): Payload<String>) {
    tracing::info!("Message from {}", user.username);
}

#[tokio::test(start_paused = true)]
async fn a_handler_takes_the_user_of_its_client() {
    let log = Log::begin();
    let server = TestServer::of(chat_gateway()).await;
    let auth = serde_json::json!({ "user": { "username": "Ada" } });
    let client = server.client("/").auth(&auth).connect().await.unwrap();
    client.emit("message", "hello").await;
    log.says("Message from Ada").await;
}

#[tokio::test(start_paused = true)]
async fn who_came_without_a_user_is_told_so() {
    let server = TestServer::of(chat_gateway()).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("message", "hello").await;
    assert_eq!(client.expect("exception").await.data["message"], "missing field `user`");
}
