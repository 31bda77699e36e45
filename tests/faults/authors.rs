//! Members over real WebSockets that write and count what is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use ydock::ClientId;

use crate::client::Client;
use crate::served::Server;
use crate::tally::Tally;
use crate::yjs::typed;

/// One member: what it writes, and how far it got.
#[derive(Debug)]
pub(crate) struct Author {
    doc: String,
    client: u64,
    len: usize,
    pause: Duration,
    sent: AtomicU64,
    acknowledged: AtomicU64,
}

/// Members that write at the same time.
pub(crate) struct Authors {
    pub(crate) all: Vec<Arc<Author>>,
    running: JoinSet<Result<(), String>>,
    stop: Arc<AtomicBool>,
}

/// Who writes how much where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crowd {
    pub(crate) authors: u64,
    pub(crate) documents: u64,
    /// The first client id; each author has one of its own.
    pub(crate) first_client: u64,
    /// The length of an update's text.
    pub(crate) len: usize,
    /// How long an author rests after each update.
    pub(crate) pause: Duration,
}

/// How many updates an author sends before it waits for an acknowledgement.
const WINDOW: u64 = 3;

impl Author {
    fn update(&self, number: u64) -> Vec<u8> {
        typed(self.client, number * self.len as u64, &"x".repeat(self.len))
    }

    pub(crate) fn doc(&self) -> &str {
        &self.doc
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Writes until it is told to stop and everything is acknowledged.
    async fn write(&self, url: String, stop: &AtomicBool) -> Result<(), String> {
        let mut client = Client::join(&url).await;
        let (mut sent, mut acknowledged) = (0, 0);
        loop {
            let is_stopping = stop.load(Ordering::SeqCst);
            if is_stopping && acknowledged == sent {
                return Ok(());
            }
            if !is_stopping && sent < acknowledged + WINDOW {
                if !client.update(&self.update(sent)).await {
                    return Err("an update could not be sent".to_owned());
                }
                sent += 1;
                self.sent.store(sent, Ordering::SeqCst);
                tokio::time::sleep(self.pause).await;
                continue;
            }
            let received = client.next_update().await.ok_or("the connection ended")?;
            if received == self.update(acknowledged) {
                acknowledged += 1;
                self.acknowledged.store(acknowledged, Ordering::SeqCst);
            }
        }
    }
}

impl Authors {
    pub(crate) fn join(server: &Server, crowd: Crowd) -> Self {
        let mut authors = Self { all: Vec::new(), running: JoinSet::new(), stop: Arc::default() };
        for number in 0..crowd.authors {
            let doc = format!("crowd-{}", number % crowd.documents);
            let url = server.ws(&doc);
            let client = crowd.first_client + number;
            let (sent, acknowledged) = (AtomicU64::new(0), AtomicU64::new(0));
            let author = Arc::new(Author { doc, client, len: crowd.len, pause: crowd.pause, sent, acknowledged });
            authors.all.push(Arc::clone(&author));
            let stop = Arc::clone(&authors.stop);
            authors.running.spawn(async move { author.write(url, &stop).await });
        }
        authors
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.all.iter().map(|author| author.acknowledged()).sum()
    }

    pub(crate) fn unacknowledged(&self) -> u64 {
        self.all.iter().map(|author| author.sent.load(Ordering::SeqCst) - author.acknowledged()).sum()
    }

    /// Why members are not there any more, as far as that is so.
    pub(crate) fn departed(&mut self) -> Vec<String> {
        let mut stories = Vec::new();
        while let Some(ended) = self.running.try_join_next() {
            stories.push(format!("{:?}", ended.map_err(|error| error.to_string())));
        }
        stories
    }

    /// Waits until everybody is gone, because the server is.
    pub(crate) async fn gone(&mut self) {
        while self.running.join_next().await.is_some() {}
    }

    /// Lets everybody stop once everything is acknowledged; says what stands in the way.
    pub(crate) async fn finish(&mut self, limit: Duration) -> Result<(), String> {
        self.stop.store(true, Ordering::SeqCst);
        let finishing = async {
            while let Some(ended) = self.running.join_next().await {
                ended.map_err(|error| error.to_string())??;
            }
            Ok(())
        };
        let finished = tokio::time::timeout(limit, finishing).await;
        finished.unwrap_or_else(|_| Err(format!("{} updates were never acknowledged", self.unacknowledged())))
    }

    /// Waits until everybody has what they sent so far, and so many updates more.
    pub(crate) async fn until_caught_up(&self, more: u64) {
        for author in &self.all {
            let wanted = author.sent.load(Ordering::SeqCst) + more;
            while author.acknowledged() < wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    pub(crate) async fn until_acknowledged(&self, total: u64) {
        while self.acknowledged() < total {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Compares what the server has with what it acknowledged.
pub(crate) async fn check(server: &Server, authors: &[Arc<Author>], round: u64, tally: &mut Tally) {
    let mut docs: Vec<_> = authors.iter().map(|author| author.doc()).collect();
    docs.sort_unstable();
    docs.dedup();
    let lost_before = tally.lost;
    for doc in docs {
        let answer = reqwest::get(server.http(&format!("/api/docs/{doc}/snapshot"))).await;
        let bytes = match answer.and_then(reqwest::Response::error_for_status) {
            Ok(answer) => answer.bytes().await.unwrap(),
            Err(error) => {
                tally.refused += 1;
                tally.breaks(round, format!("{doc} cannot be read: {error}"));
                continue;
            }
        };
        let state = ydock::sync::state_vector_of([&bytes[..]]).unwrap();
        for author in authors.iter().filter(|author| author.doc() == doc) {
            let stored = u64::from(state.clock(ClientId::new(author.client).unwrap())) / author.len as u64;
            let missing = author.acknowledged().saturating_sub(stored);
            tally.lost += missing;
            if missing > 0 {
                tally.breaks(round, format!("SILENT: {doc}: {missing} updates of client {} are gone", author.client));
            }
        }
    }
    tally.silent += u64::from(tally.lost > lost_before);
}
