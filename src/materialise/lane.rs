//! A lane of the pool: one worker process at a time, and the documents that it keeps loaded.
//!
//! It tries each job once, fast. What goes wrong goes on to isolation, and the lane goes on with a new process.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Job};
use super::export::{MaterialiseError, Refusal};
use super::frames::Pace;
use super::kept::Kept;
use super::process::Process;
use super::quarantine::Verdict;
use super::trip::{Answer, Cause, Trip, Trouble};

/// One lane's state, owned by its task.
#[derive(Debug)]
pub(super) struct Lane {
    pub number: usize,
    pub desk: Arc<Desk>,
    pub jobs: mpsc::Receiver<Job>,
    /// Where a job goes that ended or stalled this lane's process.
    pub isolation: mpsc::Sender<Job>,
    pub kept: Kept,
    pub process: Option<Process>,
}

impl Lane {
    /// Works until told to end; a job that has been handed over is finished first.
    pub(super) async fn run(mut self, end: CancellationToken) {
        loop {
            let job = tokio::select! {
                biased;
                job = self.jobs.recv() => job,
                () = end.cancelled() => None,
            };
            let Some(job) = job else { break };
            self.work(job).await;
            self.desk.idle(self.number);
        }
        self.replace_process().await;
    }

    async fn work(&mut self, job: Job) {
        let since = Instant::now();
        if job.reply.is_closed() || since >= job.deadline {
            self.desk.settle(job, Err(MaterialiseError::Timeout));
            return;
        }
        let mut process = match self.take_process(job.deadline).await {
            Ok(process) => process,
            Err(error) => {
                self.desk.settle(job, Err(MaterialiseError::Unavailable(error)));
                return;
            }
        };
        match self.attempt(&mut process, &job).await {
            Ok(answer) => {
                self.process = Some(process);
                self.desk.answer(job, answer);
            }
            Err(trouble) => {
                self.process = Some(process);
                tracing::warn!(doc = %job.source.key.name, bytes = job.source.bytes.len(), ?trouble, "a worker is replaced");
                self.desk.counters.workers_lost.fetch_add(1, Ordering::Relaxed);
                self.replace_process().await;
                self.give_up(job, trouble.cause, since);
            }
        }
    }

    async fn attempt(&mut self, process: &mut Process, job: &Job) -> Result<Answer, Trouble> {
        let plan = self.kept.plan(&job.source);
        let trip = Trip { slot: plan.slot, pace: Pace::Fast, deadline: job.deadline, patience: self.desk.patience };
        for slot in plan.drop {
            trip.forget(process, slot).await?;
        }
        let parts = self.desk.parts(&job.source, plan.known);
        self.desk.counters.parts_sent.fetch_add(parts.bytes.len() as u64, Ordering::Relaxed);
        let skipped = trip.load(process, &parts.bytes).await?;
        if let Err(refusal) = self.desk.set_aside(&job.source, &parts, &skipped) {
            trip.forget(process, plan.slot).await?;
            return Ok(Answer::Refused(refusal));
        }
        let answer = trip.export(process, &job.export, job.source.bytes.len(), parts.bytes.len()).await?;
        if !self.kept.keep(&job.source, plan.slot) {
            trip.forget(process, plan.slot).await?;
        }
        Ok(answer)
    }

    fn give_up(&self, job: Job, cause: Cause, since: Instant) {
        match cause {
            Cause::OutOfTime => self.desk.time_out(job, since),
            Cause::Gave(refusal @ Refusal::Unsupported { .. }) => self.desk.fail(job, Verdict::Refused(refusal)),
            Cause::Died(_) | Cause::Killed | Cause::Stalled | Cause::Starved | Cause::Gave(_) => {
                if let Err(error) = self.isolation.try_send(job) {
                    self.desk.settle(error.into_inner(), Err(MaterialiseError::Busy));
                }
            }
        }
    }

    async fn take_process(&mut self, deadline: Instant) -> std::io::Result<Process> {
        if let Some(process) = self.process.take() {
            return Ok(process);
        }
        let process = self.desk.program.start(Pace::Fast, deadline).await?;
        self.desk.counters.workers_started.fetch_add(1, Ordering::Relaxed);
        Ok(process)
    }

    /// Ends the process and forgets what it held; the next job starts another.
    async fn replace_process(&mut self) {
        self.kept.clear();
        if let Some(process) = self.process.take() {
            let status = process.end().await;
            tracing::debug!(?status, "a worker ended");
        }
    }
}
