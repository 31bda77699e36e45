//! The one thread that changes the database: takes what waits, commits it at once, answers, and does a step of what
//! takes longer.
//!
//! There is no artificial delay: while one commit waits for the disk, the next batch gathers in the queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::batch::{self, Answer, Change, Recent, Write};
use super::engine::{Engine, Volume};
use super::reply::Reply;
use super::rows::Database;
use super::staging::{self, Progress, Staging};
use super::sweep::{self, Swept};
use crate::storage::StoreError;
use crate::storage::directory::DataDirectory;
use crate::storage::reserve::Reserve;

/// What the writer thread is asked for.
#[derive(Debug)]
pub(super) enum Job {
    /// Change one document.
    Write(Pending),
    /// Change several documents, in one transaction if possible.
    Writes(Vec<Pending>),
    /// Put a snapshot in the place of updates.
    Compact(Staging),
    /// Open the database again, because a reader found it broken.
    Mend { _only: OwnedSemaphorePermit },
    /// Commit what came before, release the files and end.
    Close(oneshot::Sender<()>),
}

/// A write and who waits for it.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) write: Write,
    pub(super) reply: Reply,
    /// Bounds the bytes that wait.
    pub(super) _room: OwnedSemaphorePermit,
}

/// The state of the writer thread.
pub(super) struct Writer<D> {
    engine: Arc<Engine<D>>,
    jobs: Receiver<Job>,
    stagings: VecDeque<Staging>,
    sweep: Swept,
    is_turn_of_sweep: bool,
    /// Whether something failed lately, so that nothing is tried without being asked for.
    is_resting: bool,
    closing: Option<oneshot::Sender<()>>,
    reserve: Option<Reserve>,
    recent: Recent,
    /// Whether rows were removed on a full disk, so that an append may find room in their place.
    has_gained: bool,
    /// Released last.
    directory: Option<DataDirectory>,
}

impl<D: Database> Writer<D> {
    pub(super) fn new(
        engine: Arc<Engine<D>>,
        jobs: Receiver<Job>,
        directory: Option<DataDirectory>,
        reserve: u64,
    ) -> Self {
        let reserve = directory.as_ref().map(|directory| Reserve::of(directory.path(), reserve));
        Self {
            engine,
            jobs,
            stagings: VecDeque::new(),
            sweep: Swept::Some,
            is_turn_of_sweep: false,
            is_resting: false,
            closing: None,
            reserve,
            recent: Recent::default(),
            has_gained: false,
            directory,
        }
    }

    /// Works until it is told to close or nobody is left who could ask for anything.
    pub(super) fn run(mut self) {
        while self.closing.is_none() {
            let Ok(first) = self.wait() else { break };
            self.commit_what_waits(first);
            self.step();
        }
        while !self.stagings.is_empty() {
            self.advance_compactions();
        }
        self.engine.close();
        let Self { closing, jobs, directory, .. } = self;
        drop((jobs, directory));
        if let Some(closing) = closing {
            let _ = closing.send(());
        }
    }

    /// The next job; `None` when there is work to go on with meanwhile.
    fn wait(&mut self) -> Result<Option<Job>, RecvError> {
        if !self.stagings.is_empty() || self.may_sweep() {
            return match self.jobs.try_recv() {
                Ok(job) => Ok(Some(job)),
                Err(TryRecvError::Empty) => Ok(None),
                Err(TryRecvError::Disconnected) => Err(RecvError),
            };
        }
        if self.is_resting || self.engine.refuses() {
            return match self.jobs.recv_timeout(REST) {
                Ok(job) => Ok(Some(job)),
                Err(RecvTimeoutError::Timeout) => {
                    if self.is_resting || self.refusal().is_some() {
                        self.recover();
                    }
                    Ok(None)
                }
                Err(RecvTimeoutError::Disconnected) => Err(RecvError),
            };
        }
        self.jobs.recv().map(Some)
    }

    /// Gathers the writes that wait, up to a bound, and commits them together.
    fn commit_what_waits(&mut self, first: Option<Job>) {
        let mut batch = Vec::new();
        let (mut records, mut bytes) = (0, 0);
        let mut next = first;
        while let Some(job) = next {
            match job {
                Job::Write(pending) => {
                    records += pending.write.records();
                    bytes += pending.write.bytes();
                    batch.push(pending);
                }
                Job::Writes(several) => {
                    records += several.iter().map(|pending| pending.write.records()).sum::<usize>();
                    bytes += several.iter().map(|pending| pending.write.bytes()).sum::<usize>();
                    batch.extend(several);
                }
                Job::Compact(staging) => self.stagings.push_back(staging),
                Job::Mend { .. } => self.recover(),
                Job::Close(closing) => {
                    self.closing = Some(closing);
                    break;
                }
            }
            next = if records < BATCH_RECORDS && bytes < BATCH_BYTES { self.jobs.try_recv().ok() } else { None };
        }
        if !batch.is_empty() {
            self.commit(batch);
        }
    }

    /// Commits the batch, without the documents that turn out to be damaged, and answers every write in it.
    fn commit(&mut self, batch: Vec<Pending>) {
        let batch = self.refuse_for_room(batch);
        if batch.is_empty() {
            return;
        }
        self.engine.mend();
        loop {
            let writes = || batch.iter().map(|pending| &pending.write);
            let (engine, recent) = (&self.engine, &mut self.recent);
            let outcome = engine.write(|rows| batch::apply(&engine.quarantine, recent, rows, writes()));
            if outcome.is_err() {
                self.recent.forget_all();
            }
            match outcome {
                Ok(answers) => {
                    self.is_resting = false;
                    for (pending, answer) in batch.into_iter().zip(answers) {
                        self.answer(pending, answer);
                    }
                    return;
                }
                Err(error @ StoreError::Corrupt { .. }) => self.engine.quarantine.notice(&error),
                Err(StoreError::Failed(_)) if batch.len() > 1 => {
                    for pending in batch {
                        self.commit(vec![pending]);
                    }
                    return;
                }
                Err(error) => {
                    self.note(&error);
                    for pending in batch {
                        self.answer(pending, Err(error.clone()));
                    }
                    return;
                }
            }
        }
    }

    /// Refuses what would only make a full disk fuller, until there is room for the reserve again. Returns the rest.
    fn refuse_for_room(&mut self, batch: Vec<Pending>) -> Vec<Pending> {
        let Some(error) = self.refusal().filter(|_| !std::mem::take(&mut self.has_gained)) else { return batch };
        self.is_resting = true;
        let (frees, fills): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|pending| matches!(pending.write.change, Change::Delete(_)));
        for pending in fills {
            self.answer(pending, Err(error.clone()));
        }
        frees
    }

    /// Why edits are refused, if the disk is still full.
    fn refusal(&mut self) -> Option<StoreError> {
        let refusal = self.engine.refusal()?;
        if self.reserve.as_mut().is_none_or(Reserve::take) {
            self.engine.refuse_until_free(0);
            tracing::info!("the disk has room again");
            return None;
        }
        Some(refusal)
    }

    /// Rests after a failure; on a full disk the reserve is given up. The database is opened again before that: who only reads
    /// is not to find it broken for as long as the rest takes.
    fn note(&mut self, error: &StoreError) {
        self.is_resting = true;
        self.engine.mend();
        if matches!(error, StoreError::NoSpace(_))
            && let Some(reserve) = self.reserve.as_mut().filter(|reserve| reserve.is_held())
        {
            reserve.release();
            self.engine.refuse_until_free(reserve.needs());
            self.sweep = Swept::Some;
            tracing::warn!("the disk is full: edits wait, and the reserve is given up for compactions");
        }
    }

    fn answer(&mut self, pending: Pending, answer: Answer) {
        if answer.is_ok() && matches!(pending.write.change, Change::Delete(_)) {
            self.engine.quarantine.release(&pending.write.doc);
            self.sweep = Swept::Some;
        }
        pending.reply.give(answer);
    }

    /// Does a bounded part of a compaction or of the sweep, in turns when both wait.
    fn step(&mut self) {
        let sweeps = self.may_sweep() && (self.stagings.is_empty() || self.is_turn_of_sweep);
        self.is_turn_of_sweep = !sweeps;
        if sweeps {
            self.sweep();
        } else if !self.stagings.is_empty() {
            self.advance_compactions();
        }
    }

    fn may_sweep(&self) -> bool {
        self.sweep == Swept::Some && !self.is_resting
    }

    fn sweep(&mut self) {
        let staged = self.stagings.front().and_then(Staging::staged);
        let swept = match self.engine.read(|rows| sweep::is_needed(rows, staged)) {
            Ok(false) => Ok(Swept::All),
            Ok(true) => {
                self.has_gained = true;
                self.engine.write(|rows| sweep::step(rows, staged))
            }
            Err(error) => Err(error),
        };
        match swept {
            Ok(swept) => self.sweep = swept,
            Err(error) => self.note(&error),
        }
    }

    /// Opens a broken database again and finds out whether it takes writes.
    fn recover(&mut self) {
        let works = self.engine.mend() && self.engine.write(|_| Ok(((), Volume::default()))).is_ok();
        let is_full = self.refusal().is_some();
        self.is_resting = !works || is_full;
        if works && is_full && self.sweep == Swept::Some {
            self.sweep();
        }
    }

    /// Advances the first compaction by a step, or finishes as many small ones as fit into one.
    fn advance_compactions(&mut self) {
        self.engine.mend();
        let mut group: Vec<Staging> = self.stagings.pop_front().into_iter().collect();
        let mut bytes = group.iter().map(Staging::bytes).sum::<usize>();
        while group.len() < STEP_COMPACTIONS
            && let Some(next) = self.stagings.pop_front_if(|next| bytes + next.bytes() <= BATCH_BYTES)
        {
            bytes += next.bytes();
            group.push(next);
        }
        for staging in &group {
            self.recent.forget(&staging.doc);
        }
        match self.engine.write(|rows| staging::advance(&self.engine.quarantine, rows, &group)) {
            Ok(steps) => {
                for (staging, step) in group.into_iter().zip(steps) {
                    self.continue_or_answer(staging, step);
                }
            }
            Err(error) => {
                self.note(&error);
                for staging in group {
                    self.continue_or_answer(staging, Err(error.clone()));
                }
            }
        }
    }

    fn continue_or_answer(&mut self, mut staging: Staging, step: Result<Progress, StoreError>) {
        let answer = match step {
            Ok(progress @ Progress::Staged { .. }) => {
                staging.progress = progress;
                self.stagings.push_front(staging);
                return;
            }
            Ok(Progress::Waiting | Progress::Done) => Ok(()),
            Err(error) => {
                self.engine.quarantine.notice(&error);
                Err(error)
            }
        };
        self.sweep = Swept::Some;
        // Whoever no longer waits has lost interest in the answer only.
        let _ = staging.answer.send(answer);
    }
}

/// The updates from which a batch takes no more.
pub(super) const BATCH_RECORDS: usize = 1024;
/// The bytes from which a batch takes no more.
pub(super) const BATCH_BYTES: usize = 1 << 20;
/// The most compactions that one step finishes.
const STEP_COMPACTIONS: usize = 64;
/// How long the writer waits, after a failure, before it tries anything that it was not asked for.
const REST: Duration = Duration::from_millis(500);
