//! "Multiple Responses": a handler answers with a stream of events.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use serde_json::json;
use tokio::time::Instant;
use ydock::gateway::{Emit, Gateway, Streamed, interval};

use crate::client::{Connected, serve};

fn events_gateway() -> Gateway {
    Gateway::new("/").on("events", handle_event)
}

async fn handle_event() -> Streamed<impl Stream<Item = Emit<u64>>> {
    Streamed(interval(Duration::from_secs(1)).map(|value| Emit::new("events", value)))
}

#[tokio::test(start_paused = true)]
async fn each_second_brings_a_number_and_other_events_are_answered_meanwhile() {
    let gateways = serve(events_gateway().on("ping", async || "pong")).await;
    let mut client = Connected::to(&gateways, "/").await;
    let begin = Instant::now();
    client.emit("events", json!(""));
    for number in 0..3 {
        assert_eq!(client.expect("events").await, number);
        assert_eq!(begin.elapsed().as_secs(), number + 1);
        assert_eq!(client.ask::<String>("ping", json!(null)).await, "pong");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_client_goes() {
    let gateways = serve(events_gateway()).await;
    let mut client = Connected::to(&gateways, "/").await;
    client.emit("events", json!(""));
    client.expect("events").await;
    let before = gateways.tasks().len();
    client.leave();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(gateways.tasks().len(), before - 2, "the client's task and its stream");
}
