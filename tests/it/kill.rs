//! What was acknowledged is there after the process was killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use ydock::ClientId;

use crate::client::Client;
use crate::server::TestServer;
use crate::yjs::letter;

const WRITERS: u64 = 20;

/// One writer's document and how much of it was acknowledged.
struct Acknowledged {
    doc: String,
    client: u64,
    updates: AtomicU64,
}

impl Acknowledged {
    fn new(doc: String, client: u64) -> Arc<Self> {
        Arc::new(Self { doc, client, updates: AtomicU64::new(0) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_has_everything_that_it_acknowledged_three_times_over() {
    let mut server = TestServer::start();
    let mut total = 0;
    for round in 0..3 {
        let mut writers = JoinSet::new();
        let mut all = Vec::new();
        for writer in 0..WRITERS {
            let by_http = Acknowledged::new(format!("http-{}", writer % 5), 1000 * (round + 1) + writer);
            let by_echo = Acknowledged::new(format!("echo-{}", writer % 5), 1000 * (round + 1) + 500 + writer);
            writers.spawn(post(server.http(&format!("/api/docs/{}/updates", by_http.doc)), Arc::clone(&by_http)));
            writers.spawn(edit(format!("{}?ack=echo", server.ws(&by_echo.doc)), Arc::clone(&by_echo)));
            all.extend([by_http, by_echo]);
        }
        tokio::time::sleep(Duration::from_millis(400 + 150 * round)).await;
        server.kill_and_restart();
        while writers.join_next().await.is_some() {}
        for acknowledged in all {
            let url = server.http(&format!("/api/docs/{}/snapshot", acknowledged.doc));
            let bytes = reqwest::get(url).await.unwrap().bytes().await.unwrap();
            let state = ydock::sync::state_vector_of([&bytes[..]]).unwrap();
            let stored = u64::from(state.clock(ClientId::new(acknowledged.client).unwrap()));
            let promised = acknowledged.updates.load(Ordering::SeqCst);
            assert!(stored >= promised, "{}: {promised} acknowledged, {stored} stored", acknowledged.doc);
            total += promised;
        }
    }
    println!("{total} acknowledged updates, none lost");
    assert!(total > 100, "too few to mean anything: {total}");
}

async fn post(url: String, acknowledged: Arc<Acknowledged>) {
    let http = reqwest::Client::new();
    for clock in 0.. {
        let sent = http.post(&url).body(letter(acknowledged.client, clock)).send().await;
        match sent {
            Ok(response) if response.status().is_success() => acknowledged.updates.store(clock + 1, Ordering::SeqCst),
            _ => return,
        }
    }
}

async fn edit(url: String, acknowledged: Arc<Acknowledged>) {
    let mut client = Client::join(&url).await;
    for clock in 0.. {
        let update = letter(acknowledged.client, clock);
        if !client.update(&update).await {
            return;
        }
        loop {
            match client.next_update().await {
                Some(received) if received == update => break,
                Some(_) => {}
                None => return,
            }
        }
        acknowledged.updates.store(clock + 1, Ordering::SeqCst);
    }
}
