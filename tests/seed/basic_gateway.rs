//! "Basic Gateway": a handler's value goes back to whoever sent the event.

use ydock::gateway::{Gateway, Payload};
use ydock::testing::TestServer;

fn events_gateway() -> Gateway {
    Gateway::new("/").on("message", handle_message)
}

async fn handle_message(Payload(data): Payload<String>) -> String {
    format!("Echo: {data}")
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_returns_acknowledges_the_event() {
    let server = TestServer::of(events_gateway()).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "Echo: hello");
}
