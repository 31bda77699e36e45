//! "Acknowledgments": what a handler returns acknowledges, and so does an error.

use serde_json::{Value, json};
use ydock::gateway::{EventError, Gateway, Payload};
use ydock::testing::TestServer;

fn chat_gateway() -> Gateway {
    Gateway::new("/").on("messageWithAck", handle_message_with_ack)
}

async fn handle_message_with_ack(Payload(data): Payload<String>) -> Result<Value, EventError> {
    process_message(&data).await?;
    Ok(json!({ "status": "processed" }))
}

async fn process_message(data: &str) -> Result<(), EventError> {
    tokio::task::yield_now().await;
    if data.is_empty() { Err(EventError::new("Nothing to process")) } else { Ok(()) }
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_told_that_it_was_processed() {
    let server = TestServer::of(chat_gateway()).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<Value>("messageWithAck", "data").await, json!({ "status": "processed" }));
}

#[tokio::test(start_paused = true)]
async fn who_waits_hears_of_an_error_too_and_of_an_event_that_nobody_handles() {
    let server = TestServer::of(chat_gateway()).await;
    let client = server.client("/").connect().await.unwrap();
    for (event, why) in [("messageWithAck", "Nothing to process"), ("other", "Unknown event \"other\"")] {
        let answered: Value = client.ask(event, "").await;
        assert_eq!(client.expect("exception").await.data, answered);
        assert_eq!((&answered["status"], &answered["message"]), (&json!("error"), &json!(why)));
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_handler_that_returns_nothing_is_answered_all_the_same() {
    let server = TestServer::of(Gateway::new("/").on("silent", async || ())).await;
    let client = server.client("/").connect().await.unwrap();
    client.ask::<()>("silent", "").await;
}
