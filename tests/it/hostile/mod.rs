//! Clients that mean harm, against the real program: each of them is bounded or ended, and nobody else notices.
//!
//! An honest client works beside every attack. It must be answered in time, and the process must not grow beyond a bound.

mod floods;
mod heads;
mod many;
mod slow;

use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::time::{Instant, timeout};

use crate::client::Client;
use crate::server::TestServer;
use crate::yjs::letter;

/// A server with an honest client in one of its documents.
struct Attacked {
    server: TestServer,
    honest: Client,
    /// How many letters it has typed.
    typed: u64,
    slowest: Duration,
    memory_before: u64,
    _settings: NamedTempFile,
}

impl Attacked {
    async fn start(settings: &str) -> Self {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), settings).unwrap();
        let server = TestServer::start_with(&["--config", file.path().to_str().unwrap()]);
        let honest = Client::join(&format!("{}?ack=echo", server.ws("honest"))).await;
        let memory_before = memory_of(&server);
        let mut attacked = Self { server, honest, typed: 0, slowest: Duration::ZERO, memory_before, _settings: file };
        attacked.works().await;
        attacked
    }

    /// The honest client types a letter, and has it acknowledged in time.
    async fn works(&mut self) {
        let (update, begun) = (letter(1, self.typed), Instant::now());
        self.typed += 1;
        assert!(self.honest.update(&update).await);
        timeout(PATIENCE, self.honest.receives(&update)).await.unwrap_or_else(|_| panic!("an honest client waits"));
        self.slowest = self.slowest.max(begun.elapsed());
    }

    /// The honest client works until an attack is over.
    async fn works_during<T>(&mut self, attack: impl Future<Output = T>) -> T {
        let mut attack = std::pin::pin!(attack);
        loop {
            let working = std::pin::pin!(async {
                self.works().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            });
            match futures_util::future::select(attack.as_mut(), working).await {
                futures_util::future::Either::Left((outcome, working)) => {
                    // Its letter must not stay half typed.
                    working.await;
                    return outcome;
                }
                futures_util::future::Either::Right(((), _)) => {}
            }
        }
    }

    /// The process has not grown by more than so many MiB.
    fn has_grown_by_at_most(&self, mebibytes: u64) {
        let grown = memory_of(&self.server).saturating_sub(self.memory_before) >> 20;
        println!("grown by {grown} MiB, the slowest edit took {:?}", self.slowest);
        assert!(grown <= mebibytes, "the process has grown by {grown} MiB");
    }
}

/// The resident memory of a server, in bytes.
fn memory_of(server: &TestServer) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid().as_raw_nonzero())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// What an honest client may wait for its acknowledgement, with a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
