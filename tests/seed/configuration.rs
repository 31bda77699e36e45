//! "Gateway Configuration": where a gateway is reached, and from which pages.

use ydock::gateway::{
    Config, ConnectError, Entrance, Gateway, GatewaysBuilder, Origins, Payload, Transport, Transports,
};
use ydock::shutdown::Tasks;

use crate::client::{Connected, Visit, serve};

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
    let gateways = serve(events_gateway()).await;
    let elsewhere = Visit { path: "/events", origin: Some("https://elsewhere.example"), ..Visit::default() };
    let mut client = Connected::visit(&gateways, elsewhere).await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "hello");

    let no_such_namespace = Connected::visit(&gateways, Visit::default()).await;
    assert!(matches!(no_such_namespace, Err(ConnectError::UnknownNamespace)));
    let other_path = Visit { path: "/events", at: "/other", ..Visit::default() };
    assert!(matches!(Connected::visit(&gateways, other_path).await, Err(ConnectError::UnknownNamespace)));
}

#[tokio::test(start_paused = true)]
async fn of_two_gateways_for_a_namespace_nothing_of_the_first_is_left() {
    let mut builder = GatewaysBuilder::default();
    builder.add(with_its_own_port().after_init(async |_| panic!("it has been replaced")));
    builder.add(events_gateway());
    let gateways = builder.build(Config::default(), Tasks::new()).await;
    assert_eq!(gateways.entrances(), [Entrance { port: None, path: "/socket.io".to_owned() }]);
}

#[tokio::test(start_paused = true)]
async fn without_origins_only_pages_of_the_server_may_connect() {
    let gateways = serve(Gateway::new("/")).await;
    let elsewhere = Visit { origin: Some("https://elsewhere.example"), ..Visit::default() };
    assert!(matches!(Connected::visit(&gateways, elsewhere).await, Err(ConnectError::Origin)));
    let own = Visit { origin: Some("https://docs.example.org"), ..Visit::default() };
    assert!(Connected::visit(&gateways, own).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_port_and_transports_are_told_to_whoever_listens() {
    let gateways = serve(with_its_own_port()).await;
    let entrance = Entrance { port: Some(4001), path: "/socket.io".to_owned() };
    assert_eq!(gateways.entrances(), std::slice::from_ref(&entrance));
    assert_eq!(gateways.transports(&entrance), Transports::default());
    let at_the_servers_port = Visit { path: "/events", by: Transport::Polling, ..Visit::default() };
    assert!(matches!(Connected::visit(&gateways, at_the_servers_port).await, Err(ConnectError::UnknownNamespace)));
}
