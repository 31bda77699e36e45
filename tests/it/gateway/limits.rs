//! What a client may take: events, waiting bytes, places; and what becomes of one that takes more.

use std::net::SocketAddr;

use bytesize::ByteSize;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use ydock::gateway::{Config, ConnectError, DisconnectReason, Emit, Gateway, Origins, Payload, Streamed};
use ydock::testing::TestServer;

fn echo() -> Gateway {
    Gateway::new("/").on("message", async |Payload(value): Payload<Value>| value).on("hang", std::future::pending::<()>)
}

#[tokio::test(start_paused = true)]
async fn who_sends_faster_than_it_may_is_told_and_sent_away() {
    let config = Config { events_at_once: 3, events_per_second: 1, ..Config::default() };
    let server = TestServer::with(echo(), config).await;
    let client = server.client("/").connect().await.unwrap();
    for number in 0..3 {
        assert_eq!(client.ask::<Value>("message", &number).await, json!(number));
    }
    for number in 3..10 {
        client.emit("message", &number).await;
    }
    assert_eq!(client.expect("exception").await.data["message"], json!("Too many messages"));
    assert_eq!(client.sent_away().await, DisconnectReason::RateLimited);
    client.nothing().await;
    client.freed().await;
    assert_eq!(server.clients(), 0);
}

#[tokio::test(start_paused = true)]
async fn all_clients_of_an_address_share_a_rate_and_others_do_not() {
    let config = Config { address_events_at_once: 3, address_events_per_second: 1, ..Config::default() };
    let server = TestServer::with(echo(), config).await;
    let connect =
        async |address: &str| server.client("/").from(address.parse::<SocketAddr>().unwrap()).connect().await.unwrap();
    let (ada, again, ben) = (connect("10.0.0.1:1").await, connect("10.0.0.1:2").await, connect("10.0.0.2:1").await);
    for client in [&ada, &ada, &again] {
        client.ask::<Value>("message", &1).await;
    }
    again.emit("message", &1).await;
    assert_eq!(again.sent_away().await, DisconnectReason::RateLimited);
    ben.ask::<Value>("message", &1).await;
    let proxy = connect("127.0.0.1:1").await;
    for _ in 0..10 {
        proxy.ask::<Value>("message", &1).await;
    }
}

#[tokio::test]
async fn a_stream_goes_no_faster_than_its_client_reads() {
    let gateway = Gateway::new("/")
        .on("count", async || Streamed(stream::iter(0..1000).map(|number| Emit::new("counted", number))));
    let server = TestServer::with(gateway, Config { max_outgoing: 8, ..Config::default() }).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("count", &()).await;
    for number in 0..1000 {
        assert_eq!(client.expect("counted").await.data, json!(number));
    }
    assert!(client.is_connected());
}

#[tokio::test(start_paused = true)]
async fn who_has_more_events_waiting_than_may_wait_is_told_and_sent_away() {
    let server = TestServer::with(echo(), Config { max_waiting_events: 2, ..Config::default() }).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("hang", &()).await;
    for _ in 0..2 {
        client.emit("message", &()).await;
    }
    assert!(client.is_connected());
    client.emit("message", &()).await;
    assert_eq!(client.expect("exception").await.data["message"], json!("Too many messages"));
    assert_eq!(client.sent_away().await, DisconnectReason::RateLimited);
}

#[tokio::test(start_paused = true)]
async fn waiting_events_may_hold_so_many_bytes_and_no_more() {
    let config = Config { max_waiting_bytes: ByteSize::kb(3), ..Config::default() };
    let server = TestServer::with(echo(), config).await;
    let client = server.client("/").connect().await.unwrap();
    let text = "x".repeat(1000);
    for _ in 0..10 {
        client.ask::<String>("message", &text).await;
    }
    client.emit("hang", &()).await;
    for _ in 0..2 {
        client.emit("message", &text).await;
    }
    assert!(client.is_connected());
    client.emit("message", &text).await;
    assert_eq!(client.sent_away().await, DisconnectReason::RateLimited);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_sent_away_and_misses_nothing_in_silence() {
    let server = TestServer::with(echo(), Config { max_outgoing: 3, ..Config::default() }).await;
    let client = server.client("/").connect().await.unwrap();
    let namespace = server.namespace("/").unwrap();
    for number in 0..3 {
        assert_eq!(namespace.emit("news", &number).unwrap(), 1);
    }
    assert_eq!(namespace.emit("news", &3).unwrap(), 0);
    assert_eq!(client.sent_away().await, DisconnectReason::TooSlow);
    for number in 0..3 {
        assert_eq!(client.expect("news").await.data, json!(number));
    }
}

#[tokio::test]
async fn a_full_server_lets_nobody_in_until_somebody_leaves() {
    let server = TestServer::with(echo(), Config { max_open: 1, ..Config::default() }).await;
    let ada = server.client("/").connect().await.unwrap();
    assert!(matches!(server.client("/").connect().await, Err(ConnectError::Full)));
    assert_eq!(server.clients(), 1);
    ada.leave().await;
    server.client("/").connect().await.unwrap();
}

#[tokio::test]
async fn a_page_from_elsewhere_is_not_let_in_unless_it_is_listed() {
    let origins = Origins::Listed(vec!["https://app.example.org".to_owned()]);
    let server = TestServer::of(Gateway::new("/").origins(origins)).await;
    let connect = async |origin| server.client("/").header("origin", origin).connect().await;
    assert!(matches!(connect("https://evil.example").await, Err(ConnectError::Origin)));
    assert!(connect("https://app.example.org").await.is_ok());
}
