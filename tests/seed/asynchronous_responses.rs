//! "Asynchronous Responses": a handler waits before it answers, with a value or with an event.

use futures_util::{Stream, StreamExt, stream};
use ydock::gateway::{Emit, Gateway, Payload, Streamed};
use ydock::testing::TestServer;

fn events_gateway() -> Gateway {
    Gateway::new("/").on("async", handle_async_event).on("observable", handle_observable)
}

async fn handle_async_event(Payload(data): Payload<String>) -> String {
    some_async_operation(data).await
}

async fn handle_observable(Payload(data): Payload<String>) -> Streamed<impl Stream<Item = Emit<String>>> {
    Streamed(stream::once(some_async_operation(data)).map(|result| Emit::new("observable", result)))
}

async fn some_async_operation(data: String) -> String {
    tokio::task::yield_now().await;
    data.to_uppercase()
}

#[tokio::test(start_paused = true)]
async fn a_result_is_sent_when_it_is_there() {
    let server = TestServer::of(events_gateway()).await;
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<String>("async", "hello").await, "HELLO");
    client.emit("observable", "hello").await;
    assert_eq!(client.expect("observable").await.data, "HELLO");
}
