//! Webhooks: what happens to documents, posted to the owner's backend.
//!
//! ```text
//!  hooks ─► Webhooks: which events, once a burst ─► Courier ─► the backend
//!                                                     └─► Queue: on disk until it is taken, or put aside
//! ```
//!
//! The promise: an event that was kept is sent until it is taken, also by the next process; the receiver may get it twice and knows it
//! by its `id`. What nobody takes for too long is put aside, listed, and may be tried again.

mod config;
mod courier;
mod event;
mod queue;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::hooks::{Hooks, Refusal, SessionContext};
use crate::ids::DocName;
use crate::outbound::Outbound;
use crate::shutdown::Tasks;
use crate::telemetry::Metrics;

pub use config::{Config, EventName};
pub use queue::QueueError;

use courier::{Courier, Order, State};
use event::Event;
use queue::{Queue, Shelf};

/// Tells a backend what happens to documents: a hook like others. Cloning gives another handle to the same.
#[derive(Debug, Clone)]
pub struct Webhooks {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    queue: Queue,
    orders: mpsc::Sender<Order>,
    documents: Mutex<Documents>,
    tasks: Tasks,
}

/// What is known of documents that are open.
#[derive(Debug, Default)]
struct Documents {
    /// Nothing was stored of them when they were opened.
    new: HashSet<DocName>,
    bursts: HashMap<DocName, Burst>,
}

/// Edits that are saved one after the other.
#[derive(Debug)]
struct Burst {
    began: Instant,
    last: Instant,
    updates: u64,
}

/// Why there are no webhooks.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WebhooksError {
    /// There is nobody to tell.
    #[error("webhooks.url is no http:// or https:// address")]
    Url,
    /// The secret cannot be read.
    #[error("cannot read the secret {path}")]
    Secret {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file of the secret is empty.
    #[error("the secret that webhooks.key names is empty: anybody could sign with it")]
    EmptySecret,
    /// Nothing can be sent over HTTP.
    #[error("cannot read the certificates that the system trusts")]
    NoClient(#[source] io::Error),
    /// The queue cannot be opened.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// An event that was put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub event: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it came, or was last asked to be tried again.
    #[serde(with = "humantime_serde")]
    pub since: SystemTime,
    /// Why it was not taken.
    pub error: Option<String>,
    /// What would be sent.
    pub body: serde_json::Value,
}

impl Webhooks {
    /// Begins to send what is kept in the directory from before, and what comes; `None` without an address.
    ///
    /// # Errors
    /// When the settings or the files cannot be used.
    pub fn start(
        config: &Config,
        directory: Option<&Path>,
        tasks: &Tasks,
        metrics: &Arc<Metrics>,
    ) -> Result<Option<Self>, WebhooksError> {
        let Some(url) = &config.url else { return Ok(None) };
        let target = url.parse().or(Err(WebhooksError::Url))?;
        let read =
            |path: &PathBuf| fs::read(path).map_err(|source| WebhooksError::Secret { path: path.clone(), source });
        let secret = config.key.as_ref().map(read).transpose()?.map(|secret| Arc::from(secret.trim_ascii()));
        if secret.as_ref().is_some_and(|secret: &Arc<[u8]>| secret.is_empty()) {
            return Err(WebhooksError::EmptySecret);
        }
        let outbound = Outbound::new().map_err(WebhooksError::NoClient)?;
        let queue = Queue::open(directory)?;
        let (orders, heard) = mpsc::channel(MOST_ORDERS);
        let courier = Courier {
            state: State::read(&queue)?,
            queue: queue.clone(),
            outbound,
            target,
            secret,
            config: config.clone(),
            tasks: tasks.clone(),
            metrics: Arc::clone(metrics),
        };
        tasks.spawn(courier.run(heard));
        let shared =
            Shared { config: config.clone(), queue, orders, documents: Mutex::default(), tasks: tasks.clone() };
        let webhooks = Self { shared: Arc::new(shared) };
        tasks.spawn(webhooks.clone().end_bursts());
        Ok(Some(webhooks))
    }

    /// Events that were put aside, the oldest first. Blocks on the disk.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, QueueError> {
        let aside = self.shared.queue.read(Shelf::Aside)?;
        let letter = |(id, kept): (u64, queue::Kept)| DeadLetter {
            id,
            event: kept.event,
            attempts: kept.attempts,
            since: kept.since,
            error: kept.error,
            body: serde_json::from_str(&kept.body).unwrap_or_default(),
        };
        Ok(aside.into_iter().map(letter).collect())
    }

    /// How many events wait to be sent. Blocks on the disk.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn waiting(&self) -> Result<usize, QueueError> {
        Ok(self.shared.queue.read(Shelf::Waiting)?.len())
    }

    /// Tries an event that was put aside again, or all of them.
    pub async fn retry(&self, id: Option<u64>) {
        let _server_stops = self.shared.orders.send(Order::Retry(id)).await.is_err();
    }

    /// Forgets an event that was put aside, or all of them.
    pub async fn forget(&self, id: Option<u64>) {
        let _server_stops = self.shared.orders.send(Order::Forget(id)).await.is_err();
    }

    async fn tell(&self, name: EventName, document: &DocName, updates: Option<u64>, session: Option<&SessionContext>) {
        if !self.shared.config.events.contains(&name) {
            return;
        }
        let (document, time) = (document.clone(), SystemTime::now());
        let session = session.map(|session| Arc::new(session.clone()));
        let event = Event { name, time, document, updates, session };
        let _server_stops = self.shared.orders.send(Order::Send(event)).await.is_err();
    }

    /// Says of documents that are saved, when nothing more came for a while, until the server stops.
    async fn end_bursts(self) {
        loop {
            tokio::select! {
                () = self.shared.tasks.stopped() => return,
                () = tokio::time::sleep(self.look_every()) => {}
            }
            for (document, updates) in self.ended_bursts() {
                self.tell(EventName::Saved, &document, Some(updates), None).await;
            }
        }
    }

    fn look_every(&self) -> Duration {
        (self.shared.config.debounce / 4).clamp(SHORTEST_LOOK, LONGEST_LOOK)
    }

    fn ended_bursts(&self) -> Vec<(DocName, u64)> {
        let Config { debounce, max_debounce, .. } = self.shared.config;
        let now = Instant::now();
        let has_ended = |burst: &Burst| now - burst.last >= debounce || now - burst.began >= max_debounce;
        let mut documents = self.documents();
        let ended = documents.bursts.extract_if(|_, burst| has_ended(burst));
        ended.map(|(document, burst)| (document, burst.updates)).collect()
    }

    fn documents(&self) -> MutexGuard<'_, Documents> {
        self.shared.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Hooks for Webhooks {
    async fn connect(&self, session: &SessionContext) -> Result<(), Refusal> {
        // A slow disk keeps nobody out.
        let (this, session) = (self.clone(), session.clone());
        self.shared.tasks.spawn(async move {
            this.tell(EventName::Connected, &session.doc, None, Some(&session)).await;
        });
        Ok(())
    }

    async fn disconnect(&self, session: &SessionContext) {
        self.tell(EventName::Disconnected, &session.doc, None, Some(session)).await;
    }

    async fn load(&self, doc: &DocName) -> Result<Option<Bytes>, Refusal> {
        self.documents().new.insert(doc.clone());
        Ok(None)
    }

    async fn saved(&self, doc: &DocName, head: u64) {
        let now = Instant::now();
        let (is_new, is_first) = {
            let mut documents = self.documents();
            let is_new = documents.new.remove(doc);
            let is_first = !documents.bursts.contains_key(doc);
            let burst = documents.bursts.entry(doc.clone()).or_insert(Burst { began: now, last: now, updates: head });
            (burst.last, burst.updates) = (now, head);
            (is_new, is_first)
        };
        if is_new {
            self.tell(EventName::Created, doc, Some(head), None).await;
        }
        if is_first {
            self.tell(EventName::Changed, doc, Some(head), None).await;
        }
    }

    async fn unload(&self, doc: &DocName) {
        let burst = {
            let mut documents = self.documents();
            documents.new.remove(doc);
            documents.bursts.remove(doc)
        };
        if let Some(burst) = burst {
            self.tell(EventName::Saved, doc, Some(burst.updates), None).await;
        }
    }

    async fn deleted(&self, doc: &DocName) {
        self.documents().bursts.remove(doc);
        self.tell(EventName::Deleted, doc, None, None).await;
    }
}

/// Events that may wait to be written down; whoever has more waits, within the time of hooks.
const MOST_ORDERS: usize = 1024;
const SHORTEST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_millis(500);
