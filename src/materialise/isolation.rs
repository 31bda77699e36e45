//! Isolation: documents that ended or stalled a worker, tried again in fresh processes until the culprit is found.
//!
//! Every attempt has a new process, which applies each update on its own, tells of each, and fills freed memory with
//! rubbish. So the update on which it ends is the culprit, not one that stumbles over another's damage. It is quarantined
//! when two processes have ended on it, and the next attempt is without it. Only when processes end in the export itself,
//! after the last update, the culprit is searched by halves, and then tried once more.
//!
//! It promises never to blame an update for an accident: a process that was killed from outside, or that hardly got to run
//! on a busy machine, counts against nothing.

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::desk::{Desk, Job, Parts};
use super::export::{MaterialiseError, Refusal};
use super::frames::Pace;
use super::quarantine::Verdict;
use super::trip::{Answer, Cause, Trip, Trouble};

/// The isolation's state, owned by its task.
#[derive(Debug)]
pub(super) struct Isolation {
    pub desk: Arc<Desk>,
    /// Ends when the last lane has.
    pub jobs: mpsc::Receiver<Job>,
}

/// How an examination ends.
enum Outcome {
    Answered(Answer),
    Failed(Verdict),
    OutOfTime,
    Unavailable(std::io::Error),
}

impl Isolation {
    /// Works until no lane can send a job any more.
    pub(super) async fn run(mut self) {
        while let Some(job) = self.jobs.recv().await {
            let since = Instant::now();
            if job.reply.is_closed() {
                self.desk.settle(job, Err(MaterialiseError::Timeout));
                continue;
            }
            match self.examine(&job).await {
                Outcome::Answered(answer) => self.desk.answer(job, answer),
                Outcome::Failed(verdict) => self.desk.fail(job, verdict),
                Outcome::OutOfTime => self.desk.time_out(job, since),
                Outcome::Unavailable(error) => self.desk.settle(job, Err(MaterialiseError::Unavailable(error))),
            }
        }
    }

    async fn examine(&self, job: &Job) -> Outcome {
        let mut suspect = None;
        let mut kills = 0;
        loop {
            let parts = self.desk.parts(&job.source, 0);
            let trouble = match self.attempt(job, &parts, parts.bytes.len()).await {
                Ok(Ok(answer)) => return Outcome::Answered(answer),
                Ok(Err(trouble)) => trouble,
                Err(error) => return Outcome::Unavailable(error),
            };
            let reason = reason(&trouble.cause);
            let verdict = match trouble.cause {
                Cause::OutOfTime => return Outcome::OutOfTime,
                Cause::Starved => continue,
                Cause::Killed if kills < KILLS => {
                    kills += 1;
                    continue;
                }
                Cause::Killed => return Outcome::Failed(Verdict::Crashed),
                Cause::Gave(refusal @ Refusal::Unsupported { .. }) => {
                    return Outcome::Failed(Verdict::Refused(refusal));
                }
                Cause::Gave(refusal) => Verdict::Refused(refusal),
                Cause::Died(_) | Cause::Stalled => Verdict::Crashed,
            };
            // Nothing is blamed before it happens again.
            if suspect.replace(trouble.applied) != Some(trouble.applied) {
                continue;
            }
            let culprit = if trouble.applied < parts.bytes.len() {
                trouble.applied
            } else {
                match self.search(job, &parts).await {
                    Ok(Some(culprit)) => culprit,
                    Ok(None) => continue,
                    Err(outcome) => return outcome,
                }
            };
            suspect = None;
            let Some(update) = parts.bytes.get(culprit).filter(|_| culprit > 0 || !parts.snapshot_first) else {
                return Outcome::Failed(verdict);
            };
            if !self.desk.quarantine(&job.source, update, &reason) {
                return Outcome::Failed(verdict);
            }
        }
    }

    /// The part with which the export begins to fail; `None` when that does not happen again.
    async fn search(&self, job: &Job, parts: &Parts) -> Result<Option<usize>, Outcome> {
        let (mut good, mut bad) = (0, parts.bytes.len());
        while bad - good > 1 {
            let middle = good.midpoint(bad);
            if self.fails(job, parts, middle).await? {
                bad = middle;
            } else {
                good = middle;
            }
        }
        Ok(self.fails(job, parts, bad).await?.then_some(good))
    }

    async fn fails(&self, job: &Job, parts: &Parts, count: usize) -> Result<bool, Outcome> {
        loop {
            match self.attempt(job, parts, count).await {
                Ok(Ok(_)) => return Ok(false),
                Ok(Err(Trouble { cause: Cause::OutOfTime, .. })) => return Err(Outcome::OutOfTime),
                Ok(Err(Trouble { cause: Cause::Killed | Cause::Starved, .. })) => {}
                Ok(Err(_)) => return Ok(true),
                Err(error) => return Err(Outcome::Unavailable(error)),
            }
        }
    }

    /// One trip with the first `count` parts in a process of its own.
    async fn attempt(&self, job: &Job, parts: &Parts, count: usize) -> std::io::Result<Result<Answer, Trouble>> {
        let mut process = self.desk.program.start(Pace::Careful, job.deadline).await?;
        self.desk.counters.workers_started.fetch_add(1, Ordering::Relaxed);
        let trip = Trip { slot: 0, pace: Pace::Careful, deadline: job.deadline, patience: self.desk.patience };
        let sent = parts.bytes.get(..count).unwrap_or_default();
        self.desk.counters.parts_sent.fetch_add(sent.len() as u64, Ordering::Relaxed);
        let size = sent.iter().map(Bytes::len).sum();
        let mut result = match trip.load(&mut process, sent).await {
            Ok(skipped) => match self.desk.set_aside(&job.source, parts, &skipped) {
                Ok(()) => trip.export(&mut process, &job.export, size, sent.len()).await,
                Err(refusal) => Ok(Answer::Refused(refusal)),
            },
            Err(trouble) => Err(trouble),
        };
        if let Err(trouble @ Trouble { cause: Cause::Stalled, .. }) = &mut result
            && process.cpu_time().is_some_and(|worked| worked < self.desk.patience / 2)
        {
            // A busy machine must not cost a document an update.
            trouble.cause = Cause::Starved;
        }
        let status = process.end().await;
        if let Err(trouble) = &mut result {
            let killed = status.is_some_and(|status| status.signal() == Some(SIGKILL));
            if killed && matches!(trouble.cause, Cause::Died(_)) {
                trouble.cause = Cause::Killed;
            }
            self.desk.counters.workers_lost.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(doc = %job.source.key.name, ?status, ?trouble, "a worker ended in isolation");
        }
        Ok(result)
    }
}

fn reason(cause: &Cause) -> String {
    match cause {
        Cause::Killed => "the process was killed".to_owned(),
        Cause::Died(error) => format!("it ends the process ({error})"),
        Cause::Stalled | Cause::Starved | Cause::OutOfTime => "it does not come to an end".to_owned(),
        Cause::Gave(refusal) => refusal.to_string(),
    }
}

/// Kills from outside in one examination after which it is given up: a system out of memory must not be pressed on.
const KILLS: u32 = 2;

const SIGKILL: i32 = rustix::process::Signal::KILL.as_raw();
