//! What the pool's lanes share: the line of jobs, what is known of harmful documents, and the counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::export::{Export, MaterialiseError, Refusal, Source};
use super::process::Program;
use super::quarantine::{Fingerprint, Quarantine, RETRY_AFTER, Verdict};
use super::queue::{Queue, Submitted};
use super::trip::Answer;

/// An export on its way.
#[derive(Debug)]
pub(super) struct Job {
    pub source: Source,
    pub export: Export,
    pub started: Instant,
    pub deadline: Instant,
    pub reply: oneshot::Sender<Result<Vec<u8>, MaterialiseError>>,
}

/// The shared part of a pool.
#[derive(Debug)]
pub(super) struct Desk {
    pub program: Program,
    /// How long a worker may be silent over something small.
    pub patience: Duration,
    pub counters: Counters,
    queue: Mutex<Queue<Job>>,
    lanes: Vec<mpsc::Sender<Job>>,
    quarantine: Mutex<Quarantine>,
}

/// Counts since the pool started.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub workers_started: AtomicU64,
    pub workers_lost: AtomicU64,
    pub parts_sent: AtomicU64,
    pub updates_quarantined: AtomicU64,
}

/// The parts of a document that are to be sent.
#[derive(Debug)]
pub(super) struct Parts {
    pub bytes: Vec<Bytes>,
    /// Whether the first one is the snapshot.
    pub snapshot_first: bool,
}

impl Desk {
    /// A desk before lanes that receive jobs one at a time.
    pub(super) fn new(program: Program, patience: Duration, lanes: Vec<mpsc::Sender<Job>>, bound: usize) -> Self {
        Self {
            program,
            patience,
            counters: Counters::default(),
            queue: Mutex::new(Queue::new(lanes.len(), bound)),
            lanes,
            quarantine: Mutex::default(),
        }
    }

    /// Takes a job in, unless its failure is known or there is no room.
    pub(super) fn submit(&self, job: Job) -> Result<(), MaterialiseError> {
        if let Some(verdict) = lock(&self.quarantine).verdict(&job.source, job.started) {
            return Err(verdict.into());
        }
        let mut queue = lock(&self.queue);
        match queue.submit(job.source.key.clone(), job, |job| job.reply.is_closed()) {
            Submitted::Queued => {
                self.place(&mut queue);
                Ok(())
            }
            Submitted::Full => Err(MaterialiseError::Busy),
            Submitted::Closed => Err(MaterialiseError::Closed),
        }
    }

    /// Hands the lane its next job, if there is one.
    pub(super) fn idle(&self, lane: usize) {
        let mut queue = lock(&self.queue);
        queue.idle(lane);
        self.place(&mut queue);
    }

    /// Answers a job and lets the next one for its document run.
    pub(super) fn settle(&self, job: Job, result: Result<Vec<u8>, MaterialiseError>) {
        let mut queue = lock(&self.queue);
        queue.settled(&job.source.key);
        self.place(&mut queue);
        drop(queue);
        // Nobody waits when the caller gave up.
        let _gone = job.reply.send(result);
    }

    /// Answers a job with what a worker said.
    pub(super) fn answer(&self, job: Job, answer: Answer) {
        let limit = self.program.longest_payload();
        let result = match answer {
            Answer::Exported(bytes) => Ok(Vec::from(bytes)),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::Oversized => Err(MaterialiseError::TooLarge { bytes: limit.saturating_add(1), limit }),
        };
        self.settle(job, result);
    }

    /// Answers a job with a failure that repeated requests are to meet without work.
    pub(super) fn fail(&self, job: Job, verdict: Verdict) {
        tracing::warn!(doc = %job.source.key.name, bytes = job.source.bytes.len(), ?verdict, "a document was not exported");
        lock(&self.quarantine).fail(&job.source, verdict.clone(), Instant::now() + RETRY_AFTER);
        self.settle(job, Err(verdict.into()));
    }

    /// Answers a job whose time is up. Only one that had most of its time in a worker counts against the document.
    pub(super) fn time_out(&self, job: Job, working_since: Instant) {
        let worked = Instant::now() - working_since;
        if worked * 2 > job.deadline - job.started {
            self.fail(job, Verdict::Timeout);
        } else {
            self.settle(job, Err(MaterialiseError::Timeout));
        }
    }

    /// What to send to a worker that has the first `known` parts: the rest without what is in quarantine.
    pub(super) fn parts(&self, source: &Source, known: usize) -> Parts {
        let avoid = lock(&self.quarantine).of(&source.key);
        let snapshot_first = known == 0 && source.bytes.snapshot.is_some();
        let wanted = |(index, part): &(usize, &Bytes)| {
            (*index == 0 && snapshot_first) || avoid.is_empty() || !avoid.contains(&Fingerprint::of(part))
        };
        let rest = source.bytes.parts().skip(known).enumerate();
        Parts { bytes: rest.filter(wanted).map(|(_, part)| part.clone()).collect(), snapshot_first }
    }

    /// Puts parts that are no updates in quarantine.
    pub(super) fn set_aside(&self, source: &Source, parts: &Parts, skipped: &[(usize, String)]) -> Result<(), Refusal> {
        for (index, reason) in skipped {
            if *index == 0 && parts.snapshot_first {
                return Err(Refusal::Undecodable { reason: reason.clone() });
            }
            self.quarantine(source, parts.bytes.get(*index).map(Bytes::as_ref).unwrap_or_default(), reason);
        }
        Ok(())
    }

    /// Remembers an update that is to be left out from now on, and reports it; `false` when it was known.
    pub(super) fn quarantine(&self, source: &Source, update: &[u8], reason: &str) -> bool {
        let new = lock(&self.quarantine).add(&source.key, Fingerprint::of(update));
        if new {
            self.counters.updates_quarantined.fetch_add(1, Ordering::Relaxed);
            let (doc, bytes) = (&source.key.name, update.len());
            tracing::error!(%doc, bytes, error = reason, "an update is left out of exports: it cannot be integrated");
        }
        new
    }

    /// Refuses new jobs and those that wait.
    pub(super) fn close(&self) {
        for job in lock(&self.queue).close() {
            let _gone = job.reply.send(Err(MaterialiseError::Closed));
        }
    }

    fn place(&self, queue: &mut Queue<Job>) {
        while let Some((lane, job)) = queue.place() {
            // An idle lane has room; one that has ended drops the job, which tells its caller.
            if let Some(lane) = self.lanes.get(lane) {
                let _ended = lane.try_send(job);
            }
        }
    }
}

/// Nothing in the guarded states can be left half-done by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
