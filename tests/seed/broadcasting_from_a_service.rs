//! "Broadcasting from Service": something that is no handler notifies a user.

use ydock::gateway::{Client, DecodeError, EncodeError, Gateway, Namespace};
use ydock::testing::TestServer;

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
    let server = TestServer::of(Gateway::new("/chat").on_connect(handle_connection)).await;
    let as_user = |user: &str| serde_json::json!({ "user": user });
    let phone = server.client("/chat").auth(&as_user("ada")).connect().await.unwrap();
    let laptop = server.client("/chat").auth(&as_user("ada")).connect().await.unwrap();
    let ben = server.client("/chat").auth(&as_user("ben")).connect().await.unwrap();
    tokio::task::yield_now().await;

    let service = NotificationService { chat: server.namespace("/chat").unwrap() };
    assert_eq!(service.send_notification("ada", "Tea is ready").unwrap(), 2);
    assert_eq!(phone.expect("notification").await.data, "Tea is ready");
    assert_eq!(laptop.expect("notification").await.data, "Tea is ready");
    ben.nothing().await;
}
