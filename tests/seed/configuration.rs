//! "Gateway Configuration": where a gateway is reached, and from which pages.

use ydock::gateway::{Config, ConnectError, Entrance, Gateway, GatewaysBuilder, Origins, Payload, Transports};
use ydock::testing::TestServer;

fn events_gateway() -> Gateway {
    Gateway::new("/events").path("/socket.io/").origins(Origins::Any).on("message", handle_message)
}

/// The remaining options.
fn with_its_own_port() -> Gateway {
    Gateway::new("/events").port(4001).transports(Transports { websocket: true, polling: true })
}

async fn handle_message(Payload(data): Payload<String>) -> String {
    data
}

#[tokio::test(start_paused = true)]
async fn a_gateway_is_reached_at_its_path_and_namespace_from_every_page() {
    let server = TestServer::of(events_gateway()).await;
    assert_eq!(server.gateways().entrances(), [Entrance { port: None, path: "/socket.io".to_owned() }]);
    let elsewhere = server.client("/events").header("origin", "https://elsewhere.example");
    let client = elsewhere.connect().await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "hello");
    assert!(matches!(server.client("/").connect().await, Err(ConnectError::UnknownNamespace)));
}

#[tokio::test(start_paused = true)]
async fn of_two_gateways_for_a_namespace_nothing_of_the_first_is_left() {
    let mut builder = GatewaysBuilder::default();
    builder.add(with_its_own_port().after_init(async |_| panic!("it has been replaced")));
    builder.add(events_gateway());
    let server = TestServer::start(builder, Config::default()).await;
    assert_eq!(server.gateways().entrances(), [Entrance { port: None, path: "/socket.io".to_owned() }]);
}

#[tokio::test(start_paused = true)]
async fn without_origins_only_pages_of_the_server_may_connect() {
    let server = TestServer::of(Gateway::new("/")).await;
    let from = |origin| server.client("/").header("host", "docs.example.org").header("origin", origin).connect();
    assert!(matches!(from("https://elsewhere.example").await, Err(ConnectError::Origin)));
    assert!(from("https://docs.example.org").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_port_and_transports_are_told_to_whoever_listens() {
    let server = TestServer::of(with_its_own_port()).await;
    let entrance = Entrance { port: Some(4001), path: "/socket.io".to_owned() };
    assert_eq!(server.gateways().ports(), [4001]);
    assert_eq!(server.gateways().transports(&entrance), Transports::default());
}
