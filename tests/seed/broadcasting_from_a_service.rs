//! "Broadcasting from Service": something that is no handler notifies a user.

use ydock::gateway::{Client, DecodeError, EncodeError, Gateway, Namespace};

use crate::client::{Connected, serve};

struct NotificationService {
    chat: Namespace,
}

impl NotificationService {
    fn send_notification(&self, user_id: &str, message: &str) -> Result<usize, EncodeError> {
        self.chat.to_user(user_id).emit("notification", message)
    }
}

#[derive(serde::Deserialize)]
struct Auth {
    user: String,
}

/// Every client of a user is reached under the user's id.
async fn handle_connection(client: Client) -> Result<(), DecodeError> {
    client.identify(&client.handshake().auth::<Auth>()?.user);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_service_reaches_every_client_of_a_user() {
    let gateways = serve(Gateway::new("/chat").on_connect(handle_connection)).await;
    let as_user = |user: &str| serde_json::json!({ "user": user });
    let mut phone = Connected::with_auth(&gateways, "/chat", as_user("ada")).await.unwrap();
    let mut laptop = Connected::with_auth(&gateways, "/chat", as_user("ada")).await.unwrap();
    let mut ben = Connected::with_auth(&gateways, "/chat", as_user("ben")).await.unwrap();
    tokio::task::yield_now().await;

    let service = NotificationService { chat: gateways.of("/chat").unwrap() };
    assert_eq!(service.send_notification("ada", "Tea is ready").unwrap(), 2);
    assert_eq!(phone.expect("notification").await, "Tea is ready");
    assert_eq!(laptop.expect("notification").await, "Tea is ready");
    ben.hears_nothing().await;
}
