//! "Using ws Library": WebSocket alone, and an event that is sent by hand.

use ydock::gateway::{Client, ConnectError, EmitError, Gateway, Payload, Transport, Transports};

use crate::client::{Connected, Visit, serve};

fn events_gateway() -> Gateway {
    Gateway::new("/").transports(Transports::WEBSOCKET).on("message", handle_message)
}

async fn handle_message(client: Client, Payload(data): Payload<String>) -> Result<(), EmitError> {
    client.emit("message", &data)
}

#[tokio::test(start_paused = true)]
async fn a_message_comes_back_by_websocket_and_polling_is_refused() {
    let gateways = serve(events_gateway()).await;
    let mut client = Connected::to(&gateways, "/").await;
    client.emit("message", "hello");
    assert_eq!(client.next().await, ("message".to_owned(), "hello".into()));

    let polling = Visit { by: Transport::Polling, ..Visit::default() };
    assert!(matches!(Connected::visit(&gateways, polling).await, Err(ConnectError::Transport)));
}
