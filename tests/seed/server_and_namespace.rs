//! "Server and Namespace": events for everybody in a namespace, from outside of any handler.

use serde::Serialize;
use ydock::gateway::{Config, EncodeError, EventError, Gateway, Gateways, GatewaysBuilder, Namespace, Payload};
use ydock::testing::TestServer;

fn chat_gateway() -> Gateway {
    Gateway::new("chat")
}

fn broadcast_message(server: &Namespace, message: &str) -> Result<usize, EncodeError> {
    server.emit("message", message)
}

fn broadcast_to_namespace(server: &Gateways, namespace: &str, event: &str, data: &impl Serialize) {
    let _reached = server.of(namespace).map(|namespace| namespace.emit(event, data));
}

/// In a handler, [`Gateways`] is an extractor.
async fn announce(server: Gateways, Payload(text): Payload<String>) -> Result<(), EventError> {
    broadcast_to_namespace(&server, "/chat", "announcement", &text);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_reached_from_everywhere_and_no_other_hears_of_it() {
    let mut builder = GatewaysBuilder::default();
    builder.add(chat_gateway());
    builder.add(Gateway::new("/").on("announce", announce));
    let server = TestServer::start(builder, Config::default()).await;
    let chatting = server.client("/chat").connect().await.unwrap();
    let other = server.client("/").connect().await.unwrap();

    let chat = server.namespace("/chat").unwrap();
    assert_eq!(broadcast_message(&chat, "hello").unwrap(), 1);
    assert_eq!(chatting.expect("message").await.data, "hello");

    broadcast_to_namespace(server.gateways(), "/chat", "news", &17);
    assert_eq!(chatting.expect("news").await.data, 17);

    other.emit("announce", "soon").await;
    assert_eq!(chatting.expect("announcement").await.data, "soon");
    other.nothing().await;
}
