//! "WebSocket Interceptors": what comes in and what goes out is logged.

use ydock::gateway::{Event, EventError, Gateway, Next, Payload, Reply};
use ydock::testing::TestServer;

use crate::log::Log;

async fn ws_logging_interceptor(event: Event, next: Next) -> Result<Reply, EventError> {
    let id = event.client().id().to_owned();
    tracing::info!("[{id}] Incoming: {:?}", event.data());
    let response = next.run(event).await?;
    tracing::info!("[{id}] Outgoing: {response:?}");
    Ok(response)
}

fn events_gateway() -> Gateway {
    Gateway::new("/").interceptor(ws_logging_interceptor).on("message", handle_message)
}

async fn handle_message(Payload(data): Payload<String>) -> String {
    format!("Echo: {data}")
}

#[tokio::test(start_paused = true)]
async fn the_event_is_seen_before_its_handler_and_the_answer_after_it() {
    let log = Log::begin();
    let server = TestServer::of(events_gateway()).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<String>("message", "hello").await, "Echo: hello");
    log.says(&format!("[{}] Incoming: ", client.id())).await;
    log.says(&format!("[{}] Outgoing: ", client.id())).await;
    log.says("Echo: hello").await;
}
