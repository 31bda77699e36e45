//! Clients that say what they have to say a byte at a time, or stop in the middle, to keep a place without end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use super::Attacked;
use crate::raw::{masked, next_frame, upgraded};

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_the_head_of_a_request_a_byte_at_a_time_or_not_at_all_is_given_up() {
    let mut attacked = Attacked::start("[http]\nhead_within = \"1s\"\n").await;
    let mut ends = JoinSet::new();
    for number in 0..400 {
        let address = attacked.server.address().to_owned();
        let begins = ["", "G", "GET /yjs/slow HTTP/1.1\r\n", "GET /yjs/slow HTTP/1.1\r\nHost: ydock\r\nX-Slow: "];
        ends.spawn(drip(address, begins[number % begins.len()], number % 2 == 0));
    }
    let ends = attacked.works_during(ends.join_all()).await;
    let longest = ends.into_iter().max().unwrap();
    assert!(longest < Duration::from_secs(8), "a place was kept for {longest:?}");
    attacked.has_grown_by_at_most(50);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_a_connection_after_an_answer_and_asks_for_nothing_is_given_up() {
    let mut attacked = Attacked::start("[http]\nhead_within = \"1s\"\n").await;
    let mut stream = TcpStream::connect(attacked.server.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: ydock\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let ended = attacked.works_during(timeout(Duration::from_secs(8), stream.read_to_end(&mut answer))).await;
    assert!(ended.is_ok() && answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

/// Who had sent a head in time was waited for without end.
#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_body_a_byte_at_a_time_or_not_at_all_is_given_up() {
    let mut attacked = Attacked::start("[http]\nbody_within = \"1s\"\n").await;
    let mut ends = JoinSet::new();
    for number in 0..200 {
        let address = attacked.server.address().to_owned();
        let head = "POST /api/docs/slow/updates HTTP/1.1\r\nHost: ydock\r\n";
        let begins = ["Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3e8\r\n"];
        let begin = format!("{head}{}", begins[number % begins.len()]);
        ends.spawn(async move { drip(address, &begin, number % 4 < 2).await });
    }
    let ends = attacked.works_during(ends.join_all()).await;
    let longest = ends.into_iter().max().unwrap();
    assert!(longest < Duration::from_secs(8), "a place was kept for {longest:?}");
    attacked.has_grown_by_at_most(50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_a_byte_at_a_time_holds_up_nobody_and_costs_what_has_come() {
    let mut attacked = Attacked::start("").await;
    let mut slow = JoinSet::new();
    for number in 0..200 {
        slow.spawn(drip_message(attacked.server.ws(&format!("slow-{}", number % 10))));
    }
    slow.spawn(drip_message(attacked.server.ws("honest")));
    attacked.works_during(slow.join_all()).await;
    attacked.has_grown_by_at_most(60);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_in_the_middle_of_a_message_is_closed_like_any_silent_client() {
    let settings = "[connections]\nkeep_alive = \"300ms\"\nping = \"300ms\"\nsilent_after = \"1s\"\n";
    let mut attacked = Attacked::start(settings).await;
    let mut stream = upgraded(&attacked.server.ws("half")).await;
    let message = masked(0x82, &[7; 1000]);
    stream.write_all(&message[..500]).await.unwrap();
    let closing = async {
        while let Some((first, payload)) = next_frame(&mut stream).await {
            if first == 0x88 {
                return Some(payload);
            }
        }
        None
    };
    // The honest client hears pings only where it reads, and it reads all the time.
    let payload = attacked.works_during(timeout(Duration::from_secs(10), closing)).await.unwrap().unwrap();
    assert_eq!(payload[..2], 4504_u16.to_be_bytes());
}

/// Sends the beginning of a request, and perhaps a byte of it now and then; how long the server puts up with it.
async fn drip(address: String, beginning: &str, goes_on: bool) -> Duration {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let start = Instant::now();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut pace = interval(Duration::from_millis(100));
    let dripping = async {
        if goes_on {
            while writing.write_all(b"x").await.is_ok() {
                pace.tick().await;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut rest = Vec::new();
    tokio::select! {
        _ended = timeout(Duration::from_secs(30), reading.read_to_end(&mut rest)) => {}
        () = dripping => {}
    }
    start.elapsed()
}

/// Announces a message of 16 MiB and sends a byte of it now and then.
async fn drip_message(url: String) {
    let mut stream = upgraded(&url).await;
    let mut head = vec![0x82, 0xff];
    head.extend((16_u64 << 20).to_be_bytes());
    head.extend([1, 2, 3, 4]);
    stream.write_all(&head).await.unwrap();
    let mut pace = interval(Duration::from_millis(50));
    for _ in 0..60 {
        pace.tick().await;
        if stream.write_all(b"x").await.is_err() {
            return;
        }
    }
}
