//! Exports without worker processes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;

use super::engine::{Engine, EngineFault};
use super::export::Refusal;
use super::frames::{FRAME_MAX, FRAME_OVERHEAD, Pace};
use super::kept::Kept;
use super::quarantine::{Fingerprint, Quarantine};
use super::{Config, Export, MaterialiseError, Materialiser, Source};

/// Exports on a thread of this process, for programs that trust every client.
///
/// Panics of the engine are contained. A hostile document can still end this process or hang the thread for good, after
/// which every export ends in [`MaterialiseError::Timeout`]. Of the configuration, the worker settings do not apply.
#[derive(Debug)]
pub struct InProcess {
    orders: mpsc::Sender<Order>,
    closed: AtomicBool,
    timeout: Duration,
    limit: u64,
}

#[derive(Debug)]
enum Order {
    Export { source: Source, export: Export, reply: oneshot::Sender<Result<Vec<u8>, MaterialiseError>> },
    End,
}

impl InProcess {
    /// Starts the thread, which the tracker counts.
    #[must_use]
    pub fn start(config: &Config, tasks: &TaskTracker) -> Self {
        let (orders, queue) = mpsc::channel(config.queue.max(1));
        let limit = config.max_frame.as_u64().min((FRAME_MAX - FRAME_OVERHEAD) as u64);
        let bench = Bench {
            engine: Engine::new(usize::try_from(limit).unwrap_or(FRAME_MAX)),
            kept: Kept::new(config.cache.as_u64()),
            quarantine: Quarantine::default(),
            limit,
        };
        let stack = usize::try_from(config.stack.as_u64()).unwrap_or(usize::MAX);
        let token = tasks.token();
        let started = thread::Builder::new().name("materialise".into()).stack_size(stack).spawn(move || {
            bench.run(queue);
            drop(token);
        });
        if let Err(error) = started {
            tracing::error!(%error, "the thread that exports documents did not start");
        }
        Self { orders, closed: AtomicBool::new(false), timeout: config.timeout, limit }
    }
}

#[async_trait]
impl Materialiser for InProcess {
    async fn export(&self, document: Source, export: Export) -> Result<Vec<u8>, MaterialiseError> {
        let limit = self.limit;
        if let Some(bytes) = document.bytes.parts().map(|part| part.len() as u64).find(|bytes| *bytes > limit) {
            return Err(MaterialiseError::TooLarge { bytes, limit });
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(MaterialiseError::Closed);
        }
        let deadline = Instant::now() + self.timeout;
        let (reply, answer) = oneshot::channel();
        self.orders.try_send(Order::Export { source: document, export, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => MaterialiseError::Busy,
            mpsc::error::TrySendError::Closed(_) if self.closed.load(Ordering::Acquire) => MaterialiseError::Closed,
            mpsc::error::TrySendError::Closed(_) => {
                MaterialiseError::Unavailable(std::io::Error::other("the thread that exports documents is not running"))
            }
        })?;
        match timeout_at(deadline, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_dropped)) => Err(MaterialiseError::Closed),
            Err(_elapsed) => Err(MaterialiseError::Timeout),
        }
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let ended = async {
            // A thread that is gone already takes no order, and its end of the queue is closed.
            let _gone = self.orders.send(Order::End).await;
            self.orders.closed().await;
        };
        if timeout(self.timeout, ended).await.is_err() {
            tracing::error!("the thread that exports documents hangs and is left behind");
        }
    }
}

/// What the thread owns.
struct Bench {
    engine: Engine,
    kept: Kept,
    quarantine: Quarantine,
    limit: u64,
}

impl Bench {
    fn run(mut self, mut queue: mpsc::Receiver<Order>) {
        while let Some(Order::Export { source, export, reply }) = queue.blocking_recv() {
            if !reply.is_closed() {
                // Nobody waits when the caller gave up meanwhile.
                let _gone = reply.send(self.export(&source, &export));
            }
        }
    }

    fn export(&mut self, source: &Source, export: &Export) -> Result<Vec<u8>, MaterialiseError> {
        let slot = self.load(source)?;
        match self.engine.export(slot, export) {
            Ok(bytes) => {
                if !self.kept.keep(source, slot) {
                    self.engine.forget(slot);
                }
                Ok(bytes)
            }
            Err(fault) => {
                self.engine.forget(slot);
                Err(match fault {
                    EngineFault::Refused(refusal) => refusal.into(),
                    EngineFault::Oversized => {
                        MaterialiseError::TooLarge { bytes: self.limit.saturating_add(1), limit: self.limit }
                    }
                })
            }
        }
    }

    /// Loads the document, anew after each update that makes the engine give up, without that one.
    fn load(&mut self, source: &Source) -> Result<u64, Refusal> {
        loop {
            let plan = self.kept.plan(source);
            for slot in plan.drop {
                self.engine.forget(slot);
            }
            let snapshot_first = plan.known == 0 && source.bytes.snapshot.is_some();
            let avoid = self.quarantine.of(&source.key);
            let rest = source.bytes.parts().skip(plan.known).enumerate();
            let parts: Vec<Bytes> = rest
                .filter(|(index, part)| (*index == 0 && snapshot_first) || !avoid.contains(&Fingerprint::of(part)))
                .map(|(_, part)| part.clone())
                .collect();
            let found: Vec<(u64, String)> = match self.engine.load(plan.slot, &parts, Pace::Careful, &mut |_| {}) {
                Ok(skipped) if skipped.is_empty() => return Ok(plan.slot),
                Ok(skipped) => skipped.into_iter().map(|skipped| (skipped.part, skipped.reason)).collect(),
                Err(fault) => match fault.refusal {
                    Refusal::Failed { message } if fault.applied > 0 || !snapshot_first => {
                        vec![(fault.applied, message)]
                    }
                    refusal => return Err(refusal),
                },
            };
            self.engine.forget(plan.slot);
            self.set_aside(source, &parts, snapshot_first, found)?;
        }
    }

    fn set_aside(
        &mut self,
        source: &Source,
        parts: &[Bytes],
        snapshot_first: bool,
        found: Vec<(u64, String)>,
    ) -> Result<(), Refusal> {
        for (index, reason) in found {
            if index == 0 && snapshot_first {
                return Err(Refusal::Undecodable { reason });
            }
            let update = usize::try_from(index).ok().and_then(|index| parts.get(index)).map(Bytes::as_ref);
            let update = update.unwrap_or_default();
            if !self.quarantine.add(&source.key, Fingerprint::of(update)) {
                return Err(Refusal::Failed { message: reason });
            }
            let (doc, bytes) = (&source.key.name, update.len());
            tracing::error!(%doc, bytes, error = reason, "an update is left out of exports: it cannot be integrated");
        }
        Ok(())
    }
}
