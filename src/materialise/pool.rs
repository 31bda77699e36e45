//! The pool of worker processes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::desk::{Desk, Job};
use super::isolation::Isolation;
use super::kept::Kept;
use super::lane::Lane;
use super::process::Program;
use super::worker::Limits;
use super::{Config, Export, MaterialiseError, Materialiser, Source};

/// Exports through worker processes, which hostile documents may crash, hang or fill without harm to anything else.
///
/// Answers within [`Config::timeout`]. Dropping the pool ends its processes.
#[derive(Debug)]
pub struct WorkerPool {
    desk: Result<Arc<Desk>, Arc<std::io::Error>>,
    timeout: Duration,
    tasks: TaskTracker,
    end: CancellationToken,
}

/// What a pool has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Worker processes started.
    pub workers_started: u64,
    /// Worker processes that died, stalled or gave up over a document.
    pub workers_lost: u64,
    /// Snapshots and updates sent to workers. Documents that are still loaded save most of them.
    pub parts_sent: u64,
    /// Updates found that cannot be integrated.
    pub updates_quarantined: u64,
}

impl WorkerPool {
    /// Starts the pool's tasks on the tracker; processes start when they are first needed.
    ///
    /// Called within a Tokio runtime.
    #[must_use]
    pub fn start(config: Config, tasks: &TaskTracker) -> Self {
        let end = CancellationToken::new();
        let own = TaskTracker::new();
        let limits =
            Limits { memory: config.memory.as_u64(), stack: config.stack.as_u64(), frame: config.max_frame.as_u64() };
        let desk = Program::new(config.program, limits).map_err(Arc::new).map(|program| {
            let lanes = config.workers.max(1);
            let (senders, receivers): (Vec<_>, Vec<_>) = (0..lanes).map(|_| mpsc::channel(1)).unzip();
            let (isolation, isolated) = mpsc::channel(ISOLATION_QUEUE);
            let desk = Arc::new(Desk::new(program, config.timeout / PATIENCE_SHARE, senders, config.queue));
            let budget = (config.cache.as_u64() / lanes as u64).min(config.memory.as_u64() / 2);
            for (number, jobs) in receivers.into_iter().enumerate() {
                let (desk, isolation, kept) = (Arc::clone(&desk), isolation.clone(), Kept::new(budget));
                let lane = Lane { number, desk, jobs, isolation, kept, process: None };
                tasks.spawn(own.track_future(lane.run(end.clone())));
            }
            let isolation = Isolation { desk: Arc::clone(&desk), jobs: isolated };
            tasks.spawn(own.track_future(isolation.run()));
            desk
        });
        own.close();
        Self { desk, timeout: config.timeout, tasks: own, end }
    }

    /// Counts of what happened so far.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let Ok(desk) = &self.desk else { return PoolStats::default() };
        PoolStats {
            workers_started: desk.counters.workers_started.load(Ordering::Relaxed),
            workers_lost: desk.counters.workers_lost.load(Ordering::Relaxed),
            parts_sent: desk.counters.parts_sent.load(Ordering::Relaxed),
            updates_quarantined: desk.counters.updates_quarantined.load(Ordering::Relaxed),
        }
    }
}

#[async_trait]
impl Materialiser for WorkerPool {
    async fn export(&self, document: Source, export: Export) -> Result<Vec<u8>, MaterialiseError> {
        let desk = match &self.desk {
            Ok(desk) => desk,
            Err(error) => {
                let error = std::io::Error::new(error.kind(), Arc::clone(error));
                return Err(MaterialiseError::Unavailable(error));
            }
        };
        let limit = desk.program.longest_payload();
        if let Some(bytes) = document.bytes.parts().map(|part| part.len() as u64).find(|bytes| *bytes > limit) {
            return Err(MaterialiseError::TooLarge { bytes, limit });
        }
        let started = Instant::now();
        let (reply, answer) = oneshot::channel();
        // The workers' time ends a little earlier, so that their own account of the failure arrives.
        let deadline = started + self.timeout * 19 / 20;
        desk.submit(Job { source: document, export, started, deadline, reply })?;
        match timeout_at(started + self.timeout, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_dropped)) => Err(MaterialiseError::Closed),
            Err(_elapsed) => Err(MaterialiseError::Timeout),
        }
    }

    async fn close(&self) {
        if let Ok(desk) = &self.desk {
            desk.close();
        }
        self.end.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// Documents that may wait for isolation; further ones are refused as busy.
const ISOLATION_QUEUE: usize = 16;

/// A worker that is silent over something small for this part of the time limit has hung. To blame an update takes three
/// such silences, which must leave time for the answer.
const PATIENCE_SHARE: u32 = 8;
