//! Isolation: documents that ended or stalled a worker, tried again in fresh processes until the culprit is found.
//!
//! Every attempt has a new process, which applies each update on its own, tells of each, and fills freed memory with
//! rubbish. So the update on which it ends is the culprit, not one that stumbles over another's damage. When two
//! processes have ended on the same update, which rules out an accident, it is quarantined, and the next attempt is without
//! it. Only when a process ends in the export itself, after the last update, the culprit is searched by halves. A process
//! that hardly got to run on a busy machine says nothing about any update.

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
                Cause::Gave(refusal @ Refusal::Unsupported { .. }) => {
                    return Outcome::Failed(Verdict::Refused(refusal));
                }
                Cause::Gave(refusal) => Verdict::Refused(refusal),
                Cause::Died(_) | Cause::Stalled => Verdict::Crashed,
            };
            let culprit = if trouble.applied < parts.bytes.len() {
                if suspect.replace(trouble.applied) != Some(trouble.applied) {
                    continue;
                }
                trouble.applied
            } else {
                match self.search(job, &parts).await {
                    Ok(culprit) => culprit,
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

    /// The part with which the export begins to fail, given that it does with all of them.
    async fn search(&self, job: &Job, parts: &Parts) -> Result<usize, Outcome> {
        let (mut good, mut bad) = (0, parts.bytes.len());
        while bad - good > 1 {
            let middle = good.midpoint(bad);
            match self.attempt(job, parts, middle).await {
                Ok(Ok(_)) => good = middle,
                Ok(Err(Trouble { cause: Cause::OutOfTime, .. })) => return Err(Outcome::OutOfTime),
                Ok(Err(Trouble { cause: Cause::Starved, .. })) => {}
                Ok(Err(_)) => bad = middle,
                Err(error) => return Err(Outcome::Unavailable(error)),
            }
        }
        Ok(good)
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
        if let Err(trouble) = &result {
            self.desk.counters.workers_lost.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(doc = %job.source.key.name, ?status, ?trouble, "a worker ended in isolation");
        }
        Ok(result)
    }
}

fn reason(cause: &Cause) -> String {
    match cause {
        Cause::Died(error) => format!("it ends the process ({error})"),
        Cause::Stalled | Cause::Starved | Cause::OutOfTime => "it does not come to an end".to_owned(),
        Cause::Gave(refusal) => refusal.to_string(),
    }
}
