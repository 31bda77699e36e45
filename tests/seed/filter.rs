//! "Exception Filters": errors that are for the sender become an event of their own.

use std::time::SystemTime;

use serde_json::json;
use ydock::gateway::{Emit, Event, EventError, Gateway, IntoReply, Payload, Reply};
use ydock::testing::TestServer;

async fn ws_exception_filter(exception: EventError, _event: Event) -> Result<Reply, EventError> {
    if exception.is_internal() {
        return Err(exception); // caught is only what is for the sender
    }
    let timestamp = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    Emit::new("error", json!({ "message": exception.message(), "timestamp": timestamp })).into_reply()
}

fn events_gateway() -> Gateway {
    Gateway::new("/").filter(ws_exception_filter).on("message", handle_message)
}

async fn handle_message(Payload(data): Payload<String>) -> Result<String, EventError> {
    if data.is_empty() {
        return Err(EventError::new("Message cannot be empty"));
    }
    Ok(data)
}

#[tokio::test(start_paused = true)]
async fn an_error_is_told_in_the_filters_words() {
    let server = TestServer::of(events_gateway()).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "hello");
    client.emit("message", "").await;
    let error = client.expect("error").await.data;
    assert_eq!(error["message"], "Message cannot be empty");
    let timestamp = error["timestamp"].as_str().unwrap();
    assert!(timestamp.len() == 24 && timestamp.ends_with('Z'), "{timestamp}");
}

#[tokio::test(start_paused = true)]
async fn what_a_filter_passes_on_and_what_no_filter_sees_is_an_exception() {
    let broken = async || Err::<(), _>(EventError::internal("the disk is full"));
    let server = TestServer::of(events_gateway().on("broken", broken)).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("broken", &json!({ "a": 1 })).await;
    let cause = json!({ "pattern": "broken", "data": { "a": 1 } });
    let told = json!({ "status": "error", "message": "Internal server error", "cause": cause });
    assert_eq!(client.expect("exception").await.data, told);
}
