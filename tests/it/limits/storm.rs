//! Ten thousand connections from one address, of which it may have a hundred: the rest is refused in words, everybody else notices
//! nothing, and nothing of it stays in the server's memory.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{ADA, BEN, connect, is_refusal, is_upgrade, upgrade};
use crate::client::{Client, any};
use crate::server::{TestServer, until};
use crate::yjs::letter;

const ATTEMPTS: usize = 10_000;
const ALLOWED: usize = 100;
/// So many come at the same time.
const ABREAST: usize = 64;
/// The first ones fill the places and the server's buffers; nothing may grow after them.
const FIRST: usize = 2000;
const GROWTH: u64 = 4 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_websockets_of_one_address_leave_it_a_hundred_and_the_others_undisturbed() {
    storm("connections.max_per_address", "YDOCK_CONNECTIONS__MAX_PER_ADDRESS").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_tcp_connections_of_one_address_leave_it_a_hundred_and_the_others_undisturbed() {
    storm("http.max_per_address", "YDOCK_HTTP__MAX_PER_ADDRESS").await;
}

async fn storm(setting: &str, variable: &str) {
    let server = Arc::new(TestServer::start_set(&[(variable, &ALLOWED.to_string())]));
    let mut stay = attempts(&server, FIRST).await;
    let before = server.memory();
    let mut others = JoinSet::new();
    others.spawn(work(Arc::clone(&server)));
    stay.extend(attempts(&server, ATTEMPTS - FIRST).await);
    assert!(others.try_join_next().is_none(), "the others were disturbed");
    drop(others);
    let grown = server.memory().saturating_sub(before);
    println!("{setting}: {} stay, {grown} bytes more", stay.len());
    assert_eq!(stay.len(), ALLOWED);
    assert!(grown < GROWTH, "{grown} bytes more");
    assert_eq!(server.refused(setting).await, (ATTEMPTS - ALLOWED) as u64);
    until("the others are gone", || async { server.metric("ydock_connections").await == ALLOWED as u64 }).await;
    // And the one by which this is asked.
    until("no socket is left", || async { server.metric("ydock_sockets").await == ALLOWED as u64 + 1 }).await;
    // Whoever stays was not touched, and a place that is given back is free.
    let mut one = Client::over_upgraded(any(stay.pop().unwrap())).await;
    one.settled().await;
    drop(one);
    until("a place is free", || async {
        is_upgrade(&upgrade(&mut connect(&server, ADA).await, "/yjs/stays", "").await)
    })
    .await;
}

/// Attempts to connect; those that stay. All others must be told why not.
async fn attempts(server: &Arc<TestServer>, count: usize) -> Vec<TcpStream> {
    let mut lanes = JoinSet::new();
    for lane in 0..ABREAST {
        let server = Arc::clone(server);
        lanes.spawn(async move {
            let mut stay = Vec::new();
            for _ in (lane..count).step_by(ABREAST) {
                let mut stream = connect(&server, ADA).await;
                let answer = upgrade(&mut stream, "/yjs/stays", "").await;
                if is_upgrade(&answer) {
                    stay.push(stream);
                } else {
                    assert!(is_refusal(&answer), "{answer:?}");
                }
            }
            stay
        });
    }
    lanes.join_all().await.into_iter().flatten().collect()
}

/// Two of another address work on a document for ever, coming anew for each letter.
async fn work(server: Arc<TestServer>) {
    let url = server.ws("undisturbed");
    let mut reader = Client::join_over(any(connect(&server, BEN).await), &url).await;
    for clock in 0.. {
        let started = Instant::now();
        let mut writer = Client::join_over(any(connect(&server, BEN).await), &url).await;
        writer.settled().await;
        let update = letter(7, clock);
        assert!(writer.update(&update).await);
        reader.receives(&update).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{:?} for a letter", started.elapsed());
    }
}
