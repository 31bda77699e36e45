//! The handle that callers hold: checks bounds, queues writes with back-pressure, sends reads to blocking threads.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::batch::{Change, Write};
use super::engine::{Engine, Fault, Opener};
use super::reply::{Reply, Together};
use super::rows::Database;
use super::staging::{Progress, Staging};
use super::writer::{BATCH_BYTES, BATCH_RECORDS, Job, Pending, Writer};
use super::{reader, remains};
use crate::ids::{DocName, Generation};
use crate::storage::directory::DataDirectory;
use crate::storage::{
    Append, Compaction, Config, Damage, DocumentInfo, Flaw, Health, Remains, Restoration, Store, StoreCounters,
    StoreError, StoredDocument, StoredName,
};

/// A [`Store`] in a database of one engine.
#[derive(Debug)]
pub(in crate::storage) struct DurableStore<D: Database> {
    engine: Arc<Engine<D>>,
    jobs: SyncSender<Job>,
    /// One permit for each [`UNIT`] bytes that wait.
    queue: Arc<Semaphore>,
    queue_units: u32,
    /// One permit for each [`COMPACTION_UNIT`] bytes of snapshots that wait.
    compactions: Arc<Semaphore>,
    compaction_units: u32,
    readers: Arc<Semaphore>,
    /// One permit: one request to mend the engine waits at a time.
    mending: Arc<Semaphore>,
    max_update: u64,
    max_snapshot: u64,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Disconnected once the writer thread has ended.
    ending: Mutex<Receiver<Infallible>>,
}

impl<D: Database> DurableStore<D> {
    /// A store over the database of a data directory, and what opens that anew.
    pub(in crate::storage) fn in_directory(
        config: &Config,
        directory: DataDirectory,
        database: D,
        opener: Opener<D>,
    ) -> Result<Self, StoreError> {
        directory.complete()?;
        Self::start(config, Engine::new(database, opener), Some(directory))
    }

    /// A store over a database that is opened as a test says.
    #[cfg(test)]
    pub(in crate::storage) fn without_directory(config: &Config, opener: Opener<D>) -> Result<Self, StoreError> {
        Self::start(config, Engine::new(opener()?, opener), None)
    }

    /// The same, with calls that count as hanging after this time.
    #[cfg(test)]
    pub(in crate::storage) fn with_patience(
        config: &Config,
        opener: Opener<D>,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        Self::start(config, Engine::new(opener()?, opener).with_patience(patience), None)
    }

    fn start(config: &Config, engine: Engine<D>, directory: Option<DataDirectory>) -> Result<Self, StoreError> {
        let engine = Arc::new(engine);
        let units = (config.queue.as_u64() / UNIT as u64).clamp(8, 1 << 20);
        let queue_units = u32::try_from(units).unwrap_or(u32::MAX);
        let units = 2 * config.max_snapshot.as_u64().div_ceil(COMPACTION_UNIT as u64);
        let compaction_units = u32::try_from(units.clamp(2, 1 << 16)).unwrap_or(u32::MAX);
        // Room for every write and compaction that has a permit, and for a few jobs without one.
        let (jobs, waiting) = sync_channel((queue_units + compaction_units) as usize + 64);
        let writer = Writer::new(Arc::clone(&engine), waiting, directory, config.reserve.as_u64());
        let (until_end, ending) = sync_channel(0);
        let thread = thread::Builder::new().name("ydock-store".to_owned()).spawn(move || {
            let _until_end = until_end;
            writer.run();
        });
        let thread = thread.map_err(|error| StoreError::Failed(Arc::new(error)))?;
        Ok(Self {
            engine,
            jobs,
            queue: Arc::new(Semaphore::new(queue_units as usize)),
            queue_units,
            compactions: Arc::new(Semaphore::new(compaction_units as usize)),
            compaction_units,
            readers: Arc::new(Semaphore::new(config.readers.clamp(1, 512))),
            mending: Arc::new(Semaphore::new(1)),
            max_update: config.max_update.as_u64(),
            max_snapshot: config.max_snapshot.as_u64(),
            thread: Mutex::new(Some(thread)),
            ending: Mutex::new(ending),
        })
    }

    async fn write(&self, write: Write) -> Result<u64, StoreError> {
        let room = acquire(&self.queue, self.units(&write)).await?;
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Write(Pending { write, reply: Reply::Alone(answer), _room: room }))?;
        answered.await.unwrap_or_else(|_| Err(self.unanswered()))
    }

    /// Queues writes that become durable together as far as the bounds of a batch allow.
    async fn write_all(&self, writes: Vec<Write>, together: &Arc<Together>) {
        let mut group: Vec<Pending> = Vec::with_capacity(writes.len().min(BATCH_RECORDS));
        let (mut records, mut bytes) = (0, 0);
        for (at, write) in writes.into_iter().enumerate() {
            if let Change::Append(updates) = &write.change
                && let Err(error) = updates.iter().try_for_each(|update| within(update, self.max_update))
            {
                together.note(at, Err(error));
                continue;
            }
            let units = self.units(&write);
            let at_once = Arc::clone(&self.queue).try_acquire_many_owned(units);
            if at_once.is_err() || records >= BATCH_RECORDS || bytes >= BATCH_BYTES {
                // Whoever waits for places must not hold any that nobody will give back.
                self.submit_group(std::mem::take(&mut group), together);
                (records, bytes) = (0, 0);
            }
            let room = match at_once {
                Ok(room) => Ok(room),
                Err(_) => acquire(&self.queue, units).await,
            };
            match room {
                Ok(room) => {
                    records += write.records();
                    bytes += write.bytes();
                    group.push(Pending { write, reply: Reply::Together(Arc::clone(together), at), _room: room });
                }
                Err(error) => together.note(at, Err(error)),
            }
        }
        self.submit_group(group, together);
    }

    fn submit_group(&self, group: Vec<Pending>, together: &Together) {
        if group.is_empty() {
            return;
        }
        let places: Vec<_> = group.iter().filter_map(|pending| pending.reply.place()).collect();
        if let Err(error) = self.submit(Job::Writes(group)) {
            for at in places {
                together.note(at, Err(error.clone()));
            }
        }
    }

    fn units(&self, write: &Write) -> u32 {
        u32::try_from(write.bytes().div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.queue_units)
    }

    /// What it means that the writer thread dropped a job: it closed before, or it does not know what became of it.
    fn unanswered(&self) -> StoreError {
        if self.engine.is_closed() { StoreError::Closed } else { StoreError::Unavailable(Arc::new(Unanswered)) }
    }

    fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Unavailable(Arc::new(QueueFull)),
            TrySendError::Disconnected(_) if self.engine.is_closed() => StoreError::Closed,
            TrySendError::Disconnected(_) => StoreError::Failed(Arc::new(WriterEnded)),
        })
    }

    /// Runs a read on a blocking thread. Should the engine panic on a damaged page, that is the error.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Engine<D>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let room = acquire(&self.readers, 1).await?;
        let engine = Arc::clone(&self.engine);
        let reading = tokio::task::spawn_blocking(move || {
            let _room = room;
            read(&engine)
        });
        let outcome = match reading.await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => Err(StoreError::Failed(Arc::new(error))),
            // The runtime is shutting down.
            Err(_) => Err(StoreError::Closed),
        };
        if matches!(&outcome, Err(error) if error.is_retryable())
            && let Ok(only) = Arc::clone(&self.mending).try_acquire_owned()
        {
            self.submit(Job::Mend { _only: only })?;
        }
        outcome
    }

    /// Reads one document; what stops the reading, other than I/O, is damage of that document.
    async fn read_document<T: Send + 'static>(
        &self,
        doc: &DocName,
        read: impl Fn(&D::Read<'_>, &DocName) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let name = doc.clone();
        let outcome = self.read(move |engine| engine.read(|rows| read(rows, &name))).await;
        let outcome = outcome.map_err(|error| match error {
            StoreError::Failed(cause) => StoreError::Corrupt { doc: doc.clone(), what: Damage::Engine(cause) },
            error => error,
        });
        if let Err(error) = &outcome {
            self.engine.quarantine.notice(error);
        }
        outcome
    }
}

#[async_trait]
impl<D: Database> Store for DurableStore<D> {
    async fn append(&self, doc: &DocName, generation: Generation, updates: Vec<Bytes>) -> Result<u64, StoreError> {
        for update in &updates {
            within(update, self.max_update)?;
        }
        self.write(Write { doc: doc.clone(), generation, change: Change::Append(updates) }).await
    }

    async fn append_all(&self, appends: Vec<Append>) -> Vec<Result<u64, StoreError>> {
        let count = appends.len();
        let (together, answered) = Together::new(count);
        let write = |Append { doc, generation, updates }| Write { doc, generation, change: Change::Append(updates) };
        self.write_all(appends.into_iter().map(write).collect(), &together).await;
        drop(together);
        match answered.await {
            Ok(answers) => answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(self.unanswered()))).collect(),
            Err(_) => vec![Err(self.unanswered()); count],
        }
    }

    async fn load(&self, doc: &DocName) -> Result<StoredDocument, StoreError> {
        self.read_document(doc, |rows, doc| reader::load(rows, doc)).await
    }

    async fn compact(&self, doc: &DocName, compaction: Compaction) -> Result<(), StoreError> {
        within(&compaction.snapshot, self.max_snapshot)?;
        let units = compaction.snapshot.len().div_ceil(COMPACTION_UNIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX).clamp(1, self.compaction_units);
        let room = acquire(&self.compactions, units).await?;
        let wanted = compaction.clone();
        let covered = self.read_document(doc, move |rows, doc| reader::measure(rows, doc, &wanted)).await?;
        let (answer, answered) = oneshot::channel();
        let progress = Progress::Waiting;
        let staging = Staging { doc: doc.clone(), compaction, covered, progress, answer, _room: room };
        self.submit(Job::Compact(staging))?;
        answered.await.unwrap_or_else(|_| Err(self.unanswered()))
    }

    async fn delete(&self, doc: &DocName, generation: Generation, ancestors: Bytes) -> Result<Generation, StoreError> {
        within(&ancestors, self.max_update)?;
        self.write(Write { doc: doc.clone(), generation, change: Change::Delete(ancestors) }).await.map(Generation)
    }

    async fn list(&self, after: Option<&DocName>, limit: usize) -> Result<Vec<DocumentInfo>, StoreError> {
        let after = after.cloned();
        self.read(move |engine| {
            engine.read(|rows| reader::list(rows, after.as_ref(), limit, |error| engine.quarantine.notice(error)))
        })
        .await
    }

    async fn stat(&self, doc: &DocName) -> Result<Option<DocumentInfo>, StoreError> {
        self.read_document(doc, |rows, doc| reader::stat(rows, doc)).await
    }

    fn health(&self) -> Health {
        self.engine.health()
    }

    fn counters(&self) -> &StoreCounters {
        &self.engine.counters
    }

    async fn names(&self, after: Option<&DocName>, limit: usize) -> Result<Vec<StoredName>, StoreError> {
        let after = after.cloned();
        self.read(move |engine| engine.read(|rows| reader::names(rows, after.as_ref(), limit))).await
    }

    async fn restore(&self, doc: &DocName, restoration: Restoration) -> Result<(), StoreError> {
        restoration.check(doc)?;
        let generation = restoration.document.generation;
        let change = Change::Restore(Box::new(restoration));
        self.write(Write { doc: doc.clone(), generation, change }).await.map(drop)
    }

    async fn remains(&self, doc: &DocName) -> Result<Remains, StoreError> {
        let doc = doc.clone();
        self.read(move |engine| engine.read(|rows| remains::remains(rows, &doc))).await
    }

    async fn flaws(&self) -> Result<Vec<Flaw>, StoreError> {
        self.read(|engine| engine.read(|rows| remains::flaws(rows))).await
    }

    async fn shrink(&self) -> Result<(), StoreError> {
        self.read(Engine::shrink).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        match self.submit(Job::Close(answer)) {
            Ok(()) => {}
            Err(StoreError::Closed) => return Ok(()),
            Err(error) => return Err(error),
        }
        tokio::pin!(answered);
        loop {
            // The sender is dropped unanswered when another close came first, which is as good.
            if tokio::time::timeout(LOOK, &mut answered).await.is_ok() {
                return Ok(());
            }
            if let Some(hanging) = self.engine.hanging() {
                return Err(StoreError::Unavailable(Arc::new(hanging)));
            }
        }
    }
}

impl<D: Database> Drop for DurableStore<D> {
    fn drop(&mut self) {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let mut is_told = false;
        loop {
            if !is_told {
                // Refused when the store was closed before.
                let told = self.jobs.try_send(Job::Close(oneshot::channel().0));
                is_told = !matches!(told, Err(TrySendError::Full(_)));
            }
            let ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(LOOK);
            if ending == Err(RecvTimeoutError::Disconnected) {
                break;
            }
            if let Some(hanging) = self.engine.hanging() {
                tracing::error!(error = %hanging, "the store is left as it is");
                return;
            }
        }
        if thread.join().is_err() {
            tracing::error!("the writer thread of the store panicked");
        }
    }
}

#[derive(Debug, Error)]
#[error("the writer thread of the store did not answer")]
struct Unanswered;

#[derive(Debug, Error)]
#[error("the queue of the store is full")]
struct QueueFull;

#[derive(Debug, Error)]
#[error("the writer thread of the store has ended")]
struct WriterEnded;

async fn acquire(semaphore: &Arc<Semaphore>, permits: u32) -> Result<OwnedSemaphorePermit, StoreError> {
    let permit = Arc::clone(semaphore).acquire_many_owned(permits).await;
    permit.map_err(|error| StoreError::Failed(Arc::new(error)))
}

fn within(bytes: &Bytes, max: u64) -> Result<(), StoreError> {
    let len = bytes.len() as u64;
    if len > max { Err(StoreError::TooLarge { len, max }) } else { Ok(()) }
}

/// How often who waits for the end of the store looks whether the engine hangs.
const LOOK: Duration = Duration::from_millis(100);
/// The bytes that one permit of the queue stands for; the least that a write counts.
const UNIT: usize = 8 * 1024;
/// The bytes of snapshots that one permit stands for; two of the largest may wait at once.
const COMPACTION_UNIT: usize = 64 * 1024;
