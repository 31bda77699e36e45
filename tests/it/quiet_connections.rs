//! A quiet connection is kept awake, a dead one is found, and one that the server itself keeps waiting is neither.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use ydock::connection::{self, Connections, Driver, Protocol};
use ydock::delivery::{self, Ending, Outbox};
use ydock::listen;
use ydock::shutdown::Tasks;
use ydock::telemetry::Metrics;
use ydock::websocket::Socket;

type Client = WebSocketStream<DuplexStream>;

/// Holds whoever sends something for a while.
struct Slow(Duration);

impl Protocol for Slow {
    async fn frame(&mut self, _frame: &[u8], _more: bool) -> Result<(), Ending> {
        sleep(self.0).await;
        Ok(())
    }

    fn keep_alive(&self) -> Bytes {
        Bytes::from_static(b"\x82\x05awake")
    }
}

/// Clients of one server, each with what holds its messages.
async fn clients<const COUNT: usize>(config: connection::Config, slowness: Duration) -> [Client; COUNT] {
    let tasks = Tasks::new();
    let connections = Connections::new(config, tasks.clone(), Arc::new(Metrics::new()));
    let mut clients = Vec::new();
    for _ in 0..COUNT {
        let (near, far) = tokio::io::duplex(4096);
        let driver = Driver::new(
            connections.admit(listen::Client::default()).unwrap(),
            Outbox::new(&delivery::Config::default()),
        );
        tasks.spawn(driver.run(Socket::other(far), Slow(slowness)));
        clients.push(WebSocketStream::from_raw_socket(near, Role::Client, None).await);
    }
    clients.try_into().unwrap()
}

/// What a client hears within a time, and when; it answers pings.
async fn hear(client: &mut Client, within: Duration) -> Vec<(Duration, Message)> {
    let (start, mut heard) = (Instant::now(), Vec::new());
    while let Ok(Some(message)) = timeout((start + within) - Instant::now(), client.next()).await {
        heard.push((start.elapsed(), message.unwrap()));
    }
    heard
}

#[tokio::test(start_paused = true)]
async fn who_is_sent_nothing_is_kept_awake_and_stays() {
    let mut clients = clients::<20>(connection::Config::default(), Duration::ZERO).await;
    let heard =
        futures_util::future::join_all(clients.iter_mut().map(|client| hear(client, Duration::from_mins(5)))).await;
    for heard in heard {
        assert!(heard.iter().all(|(_, message)| !message.is_close()), "{heard:?}");
        let awake = heard.iter().filter(|(_, message)| message.is_binary()).map(|(at, _)| *at);
        let awake: Vec<_> = std::iter::once(Duration::ZERO).chain(awake).collect();
        let gaps = awake.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        // y-websocket gives up after 30 s; twice the setting would be too late.
        assert!(awake.len() > 12 && gaps.max().unwrap() < Duration::from_secs(24), "{awake:?}");
        let pings = heard.iter().filter(|(_, message)| message.is_ping()).count();
        assert!((9..=10).contains(&pings), "{pings} pings");
    }
}

#[tokio::test(start_paused = true)]
async fn who_answers_nothing_is_gone_after_the_time_that_is_set() {
    let config = connection::Config { linger: Duration::ZERO, ..connection::Config::default() };
    let [client] = clients(config, Duration::ZERO).await;
    let (start, mut stream) = (Instant::now(), client.into_inner());
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let after = start.elapsed();
    assert!((Duration::from_mins(1)..Duration::from_secs(69)).contains(&after), "{after:?}");
    let close = bytes.windows(4).position(|bytes| bytes[0] == 0x88 && bytes[2..] == 4504u16.to_be_bytes());
    assert!(close.is_some(), "{bytes:?}");
}

#[tokio::test(start_paused = true)]
async fn whom_the_server_keeps_waiting_is_not_taken_for_dead() {
    let [mut client] = clients(connection::Config::default(), Duration::from_mins(3)).await;
    futures_util::SinkExt::send(&mut client, Message::Binary(Bytes::from_static(b"edit"))).await.unwrap();
    let heard = hear(&mut client, Duration::from_secs(200)).await;
    assert!(heard.iter().any(|(_, message)| message.is_ping()), "{heard:?}");
    assert!(heard.iter().all(|(_, message)| !message.is_close()), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn who_takes_a_long_document_slowly_is_not_taken_for_dead_although_the_ping_waits_behind_it() {
    let tasks = Tasks::new();
    let connections = Connections::new(connection::Config::default(), tasks.clone(), Arc::new(Metrics::new()));
    let (mut near, far) = tokio::io::duplex(4096);
    let driver =
        Driver::new(connections.admit(listen::Client::default()).unwrap(), Outbox::new(&delivery::Config::default()));
    let frame = [&[0x82, 126, 0xff, 0xff][..], &vec![7; 0xffff]].concat();
    let document = frame.repeat(16);
    for _ in 0..16 {
        driver.outbox().control(Bytes::from(frame.clone()));
    }
    tasks.spawn(driver.run(Socket::other(far), Slow(Duration::ZERO)));
    let (start, mut received, mut piece) = (Instant::now(), Vec::new(), [0; 4096]);
    while received.len() < document.len() {
        sleep(Duration::from_secs(1)).await;
        let len = near.read(&mut piece).await.unwrap();
        assert!(len > 0, "ended after {:?} and {} bytes", start.elapsed(), received.len());
        received.extend_from_slice(&piece[..len]);
    }
    assert!(received.starts_with(&document) && start.elapsed() > Duration::from_mins(4), "{:?}", start.elapsed());
    // Pings and what keeps it awake follow, and nothing else for a while.
    let mut rest = received.split_off(document.len());
    while let Ok(len) = timeout(Duration::from_secs(10), near.read(&mut piece)).await {
        let len = len.unwrap();
        assert!(len > 0, "ended after {rest:?}");
        rest.extend_from_slice(&piece[..len]);
    }
    let close = rest.windows(2).position(|bytes| bytes == 4504u16.to_be_bytes());
    assert!(close.is_none() && rest.windows(2).any(|bytes| bytes == b"\x89\x00"), "{rest:?}");
}
