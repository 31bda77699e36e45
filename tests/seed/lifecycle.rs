//! "Lifecycle Hooks": when the namespace begins, when a client comes, when it goes.

use ydock::gateway::{Client, EventError, Gateway, Namespace};

use crate::client::{Connected, serve};
use crate::log::Log;

fn events_gateway() -> Gateway {
    Gateway::new("/").after_init(after_init).on_connect(handle_connection).on_disconnect(handle_disconnect)
}

async fn after_init(_server: Namespace) {
    tracing::info!("WebSocket gateway initialized");
}

async fn handle_connection(client: Client) {
    tracing::info!("Client connected: {}", client.id());
}

async fn handle_disconnect(client: Client) {
    tracing::info!("Client disconnected: {}", client.id());
}

#[tokio::test(start_paused = true)]
async fn each_hook_runs_at_its_time() {
    let log = Log::begin();
    let gateways = serve(events_gateway()).await;
    log.says("WebSocket gateway initialized").await;
    let client = Connected::to(&gateways, "/").await;
    let id = client.id().to_owned();
    log.says(&format!("Client connected: {id}")).await;
    client.leave();
    log.says(&format!("Client disconnected: {id}")).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_while_a_hook_waits_for_ever_leaves_nothing_behind() {
    let gateways = serve(Gateway::new("/").on_connect(std::future::pending::<()>)).await;
    let before = gateways.tasks().len();
    let client = Connected::to(&gateways, "/").await;
    assert_eq!((gateways.clients(), gateways.tasks().len()), (1, before + 1));
    client.leave();
    tokio::time::sleep(gateways.config().linger * 2).await;
    assert_eq!((gateways.clients(), gateways.tasks().len()), (0, before));
}

#[tokio::test(start_paused = true)]
async fn an_error_when_a_client_comes_sends_it_away_and_nothing_of_it_is_handled() {
    let log = Log::begin();
    let refuse = async || Err::<(), _>(EventError::new("Closed on Sundays"));
    let handler = async || tracing::info!("handled");
    let gateways = serve(Gateway::new("/").on_connect(refuse).on("message", handler)).await;
    let mut client = Connected::to(&gateways, "/").await;
    client.emit("message", "hello");
    assert_eq!(client.exception().await, "Closed on Sundays");
    assert!(client.is_sent_away().await);
    log.does_not_say("handled");
}
