//! Everything that the server answers, over a stream that is not plain TCP.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::client::{Client, Io};
use crate::server::TestServer;
use crate::yjs::{letter, typed};

/// Uses all that there is, and then ends the server while a client is there.
pub(crate) async fn everything_works(mut server: TestServer, connect: impl AsyncFn() -> Io) {
    assert!(request(connect().await, "GET /healthz").await.starts_with("HTTP/1.1 200"));
    documents_are_shared(&connect).await;
    let text = request(connect().await, "GET /api/docs/shared/snapshot?format=text").await;
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("abcabc"), "{text}");
    gateways_answer(&connect).await;

    let mut client = Client::join_over(connect().await, "ws://localhost/yjs/shared").await;
    client.settled().await;
    let ended = tokio::task::spawn_blocking(move || server.terminate());
    assert_eq!(client.close().await.unwrap(), (4503, "the server is shutting down".to_owned()));
    assert!(client.ends_in_order().await);
    assert!(ended.await.unwrap().success());
}

/// The answer to a request, which must end in order: over TLS, with a word that it is complete.
pub(crate) async fn request(mut stream: Io, line: &str) -> String {
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn documents_are_shared(connect: &impl AsyncFn() -> Io) {
    let mut author = Client::join_over(connect().await, "ws://localhost/yjs/shared").await;
    let mut reader = Client::join_over(connect().await, "ws://localhost/shared").await;
    author.settled().await;
    reader.settled().await;
    let update = typed(1, 0, "abcabc");
    assert!(author.update(&update).await);
    reader.receives(&update).await;
    // Far more than a stream takes at once, before the reader reads any of it.
    let large = "abcabc".repeat(100_000);
    assert!(author.update(&typed(1, 6, &large)).await);
    assert!(author.update(&letter(2, 0)).await);
    author.settled().await;
    reader.receives(&letter(2, 0)).await;
    assert!(author.goodbye().await);
    let mut late = Client::join_over(connect().await, "ws://localhost/yjs/shared").await;
    while late.next_update().await.unwrap().len() < large.len() {}
}

async fn gateways_answer(connect: &impl AsyncFn() -> Io) {
    let mut json = open(connect, "ws://localhost/ws?namespace=/events").await;
    json.send(r#"{"event":"message","data":"hello"}"#.into()).await.unwrap();
    assert_eq!(text(&mut json).await, r#""Echo: hello""#);

    let polled = request(connect().await, "GET /socket.io/?EIO=4&transport=polling").await;
    assert!(polled.contains(r#"0{"sid":""#), "{polled}");
    let mut socket = open(connect, "ws://localhost/socket.io/?EIO=4&transport=websocket").await;
    assert!(text(&mut socket).await.starts_with(r#"0{"sid":""#));
    socket.send("40/events,".into()).await.unwrap();
    assert!(text(&mut socket).await.starts_with(r#"40/events,{"sid":""#));
    socket.send(r#"42/events,7["message","hello"]"#.into()).await.unwrap();
    assert_eq!(text(&mut socket).await, r#"43/events,7["Echo: hello"]"#);
}

async fn open(connect: &impl AsyncFn() -> Io, url: &str) -> WebSocketStream<Io> {
    client_async(url, connect().await).await.unwrap().0
}

async fn text(socket: &mut WebSocketStream<Io>) -> String {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => text.to_string(),
        other => panic!("no text came, but {other:?}"),
    }
}
