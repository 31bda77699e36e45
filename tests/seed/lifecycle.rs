//! "Lifecycle Hooks": when the namespace begins, when a client comes, when it goes.

use ydock::gateway::{Client, EventError, Gateway, Namespace};
use ydock::testing::TestServer;

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
    let server = TestServer::of(events_gateway()).await;
    log.says("WebSocket gateway initialized").await;
    let client = server.client("/").connect().await.unwrap();
    let id = client.id().to_owned();
    log.says(&format!("Client connected: {id}")).await;
    client.leave().await;
    log.says(&format!("Client disconnected: {id}")).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_while_a_hook_waits_for_ever_leaves_nothing_behind() {
    let server = TestServer::of(Gateway::new("/").on_connect(std::future::pending::<()>)).await;
    let before = server.gateways().tasks().len();
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(server.clients(), 1);
    client.leave().await;
    tokio::task::yield_now().await;
    assert_eq!((server.clients(), server.gateways().tasks().len()), (0, before));
}

#[tokio::test(start_paused = true)]
async fn an_error_when_a_client_comes_sends_it_away_and_nothing_of_it_is_handled() {
    let log = Log::begin();
    let refuse = async || Err::<(), _>(EventError::new("Closed on Sundays"));
    let handler = async || tracing::info!("handled");
    let server = TestServer::of(Gateway::new("/").on_connect(refuse).on("message", handler)).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("message", "hello").await;
    assert_eq!(client.expect("exception").await.data["message"], "Closed on Sundays");
    client.sent_away().await;
    log.does_not_say("handled");
}
