//! "Custom Decorators": a handler takes the user that the client came with.

use serde::Deserialize;
use ydock::gateway::{Event, EventError, FromEvent, Gateway, Payload};

use crate::client::{Connected, serve};
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
    let gateways = serve(chat_gateway()).await;
    let auth = serde_json::json!({ "user": { "username": "Ada" } });
    let client = Connected::with_auth(&gateways, "/", auth).await.unwrap();
    client.emit("message", "hello");
    log.says("Message from Ada").await;
}

#[tokio::test(start_paused = true)]
async fn who_came_without_a_user_is_told_so() {
    let gateways = serve(chat_gateway()).await;
    let mut client = Connected::to(&gateways, "/").await;
    client.emit("message", "hello");
    assert_eq!(client.exception().await, "missing field `user`");
}
