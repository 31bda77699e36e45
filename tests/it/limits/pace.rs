//! Who sends faster than it may is read more slowly: everything arrives, in its order, and nobody is ended for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use bytesize::ByteSize;
use futures_util::{SinkExt, StreamExt};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use ydock::connection::{Config, Connections, Driver, Protocol};
use ydock::delivery::{self, Ending, Outbox};
use ydock::listen::Client;
use ydock::shutdown::Tasks;
use ydock::telemetry::Metrics;
use ydock::websocket::Socket;

/// Notes when each message came.
#[derive(Clone, Default)]
struct Notes {
    came: Arc<Mutex<Vec<(usize, Instant)>>>,
    count: Arc<AtomicUsize>,
}

impl Protocol for Notes {
    async fn frame(&mut self, frame: &[u8], _more: bool) -> Result<(), Ending> {
        let number = u32::try_from(self.count.fetch_add(1, Ordering::Relaxed)).unwrap();
        assert!(frame.starts_with(&number.to_be_bytes()), "{number} is missing");
        self.came.lock().unwrap().push((frame.len(), Instant::now()));
        Ok(())
    }

    fn keep_alive(&self) -> Bytes {
        Bytes::from_static(b"\x82\x00")
    }
}

/// Sends so many messages of a length as fast as it goes, to a connection with these settings; how long that took to be read, and the
/// server's metrics.
async fn sent(config: Config, count: u32, len: usize) -> (Duration, String) {
    let (tasks, metrics) = (Tasks::new(), Arc::new(Metrics::new()));
    let connections = Connections::new(config, tasks.clone(), Arc::clone(&metrics));
    let (near, far) = tokio::io::duplex(1 << 20);
    let driver = Driver::new(connections.admit(Client::default()).unwrap(), Outbox::new(&delivery::Config::default()));
    let (notes, start) = (Notes::default(), Instant::now());
    tasks.spawn(driver.run(Socket::other(far), notes.clone()));
    let (mut sink, mut stream) = WebSocketStream::from_raw_socket(near, Role::Client, None).await.split();
    tasks.spawn(async move {
        // Pings are answered while the client reads, and what the server sends is read.
        while let Some(message) = stream.next().await {
            assert!(!message.unwrap().is_close(), "ended for sending fast");
        }
    });
    for number in 0..count {
        let mut frame = number.to_be_bytes().to_vec();
        frame.resize(len, 0);
        sink.send(Message::Binary(frame.into())).await.unwrap();
    }
    while notes.count.load(Ordering::Relaxed) < count as usize {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = notes.came.lock().unwrap().last().unwrap().1 - start;
    (took, metrics.render())
}

fn slowed(metrics: &str, limit: &str) -> u64 {
    let start = format!("ydock_slowed_total{{limit=\"connections.{limit}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse().unwrap()
}

fn about(took: Duration, seconds: f64) {
    assert!((seconds * 0.95..seconds * 1.05 + 0.1).contains(&took.as_secs_f64()), "{took:?} instead of {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn messages_beyond_the_rate_are_read_later_and_all_of_them() {
    let config = Config { messages_per_second: 100, messages_at_once: 500, ..Config::default() };
    let (took, metrics) = sent(config.clone(), 2500, 8).await;
    about(took, 20.0);
    assert!(slowed(&metrics, "messages_per_second") > 0 && slowed(&metrics, "bytes_per_second") == 0);
    // For so long that silence would have ended it, had it been one.
    let (took, _) = sent(Config { messages_per_second: 1, messages_at_once: 1, ..config.clone() }, 300, 8).await;
    about(took, 299.0);
    let (took, metrics) = sent(config, 500, 8).await;
    assert!(took < Duration::from_millis(100) && slowed(&metrics, "messages_per_second") == 0, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn bytes_beyond_the_rate_are_read_later_and_all_of_them() {
    let rate = |per_second, at_once| Config {
        bytes_per_second: ByteSize::kib(per_second),
        bytes_at_once: ByteSize::kib(at_once),
        ..Config::default()
    };
    let (took, metrics) = sent(rate(100, 1024), 124, 16 << 10).await;
    about(took, 9.6);
    assert!(slowed(&metrics, "bytes_per_second") > 0 && slowed(&metrics, "messages_per_second") == 0);
    let (took, _) = sent(rate(0, 0), 1000, 16 << 10).await;
    assert!(took < Duration::from_millis(100), "{took:?}");
}

/// A paste of 8 MiB, a client that brings work of months, and a flood of small edits.
#[tokio::test(start_paused = true)]
async fn what_honest_clients_do_is_not_slowed_by_the_defaults() {
    for (count, len) in [(1, 8 << 20), (12, 8 << 20), (100_000, 30)] {
        let (took, metrics) = sent(Config::default(), count, len).await;
        assert!(took < Duration::from_millis(100), "{took:?}");
        assert_eq!((slowed(&metrics, "messages_per_second"), slowed(&metrics, "bytes_per_second")), (0, 0));
    }
}
