//! "Using ws Library": WebSocket alone, and an event that is sent by hand.

use ydock::gateway::{Client, EmitError, Gateway, Payload, Transports};
use ydock::testing::TestServer;

fn events_gateway() -> Gateway {
    Gateway::new("/").transports(Transports::WEBSOCKET).on("message", handle_message)
}

async fn handle_message(client: Client, Payload(data): Payload<String>) -> Result<(), EmitError> {
    client.emit("message", &data)
}

#[tokio::test(start_paused = true)]
async fn a_message_comes_back_and_only_websocket_is_open() {
    let server = TestServer::of(events_gateway()).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("message", "hello").await;
    assert_eq!(client.expect("message").await.data, "hello");

    let entrances = server.gateways().entrances();
    let open: Vec<_> = entrances.iter().map(|at| server.gateways().transports(at)).collect();
    assert_eq!(open, [Transports::WEBSOCKET]);
}
