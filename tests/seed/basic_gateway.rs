//! "Basic Gateway": a handler's value goes back to whoever sent the event.

use ydock::gateway::{Gateway, Payload};

use crate::client::{Connected, serve};

fn events_gateway() -> Gateway {
    Gateway::new("/").on("message", handle_message)
}

async fn handle_message(Payload(data): Payload<String>) -> String {
    format!("Echo: {data}")
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_returns_acknowledges_the_event() {
    let gateways = serve(events_gateway()).await;
    let mut client = Connected::to(&gateways, "/").await;
    assert_eq!(client.ask::<String>("message", "hello").await, "Echo: hello");
}
