//! All rooms of a server: each document open at most once.
//!
//! The promise: a handle is registered before its document is loaded and removed under the same lock when nobody holds
//! it any more, so that a join never sees half a room.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::command::{Control, Edit, Queued, Reading, Request, Submitted};
use super::config::Config;
use super::desk::Desk;
use super::errors::{CondenseError, DeleteError, JoinError, ReadError, SubmitError};
use super::membership::{Membership, RoomEnded, Seat};
use super::windows::Windows;
use super::{compaction, task};
use crate::hooks::HookChain;
use crate::ids::{DocName, MemberId};
use crate::shutdown::Tasks;
use crate::storage::Store;
use crate::sync::DocumentBytes;
use crate::telemetry::{Limit, Metrics};

/// All rooms of a server. Cloning gives another handle to the same rooms.
#[derive(Debug, Clone)]
pub struct Rooms {
    context: Arc<Context>,
}

/// What rooms are built from.
#[derive(Debug)]
pub struct RoomsParts {
    /// Where documents are kept.
    pub store: Arc<dyn Store>,
    /// The settings of rooms.
    pub config: Config,
    /// The longest single update that the store takes, in bytes.
    pub max_update: u64,
    /// Who is told of documents.
    pub hooks: HookChain,
    /// Where rooms run.
    pub tasks: Tasks,
    /// Where rooms count.
    pub metrics: Arc<Metrics>,
}

/// What every room shares.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) store: Arc<dyn Store>,
    /// Shared by all rooms, so that it stays in the cache.
    pub(super) config: Arc<Config>,
    pub(super) max_update: u64,
    pub(super) hooks: HookChain,
    pub(super) tasks: Tasks,
    pub(super) metrics: Arc<Metrics>,
    rooms: Mutex<HashMap<DocName, RoomHandle>>,
    next_room: AtomicU64,
    next_member: AtomicU64,
    pub(super) windows: Windows,
    pub(super) compactions: Arc<Semaphore>,
}

/// A way to reach an open room.
#[derive(Debug, Clone)]
pub(super) struct RoomHandle {
    shared: Arc<Shared>,
    /// Here, so that who brings an edit finds the room without looking at anything else of it.
    desk: Arc<Desk>,
}

#[derive(Debug)]
pub(super) struct Shared {
    id: u64,
    requests: mpsc::Sender<Queued>,
    control: mpsc::Sender<Control>,
    tasks: Tasks,
}

/// What a room shows of itself without being asked.
#[derive(Debug, Default)]
pub(super) struct RoomGauges {
    pub(super) members: AtomicUsize,
    pub(super) unsaved: AtomicUsize,
    /// Whether the store knows the document.
    pub(super) is_stored: AtomicBool,
    /// Why the last attempt to save failed, until one succeeds.
    failure: Mutex<Option<String>>,
}

/// What a room's task receives from.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) room: u64,
    pub(super) requests: mpsc::Receiver<Queued>,
    pub(super) control: mpsc::Receiver<Control>,
}

impl Rooms {
    /// No room is open.
    #[must_use]
    pub fn new(parts: RoomsParts) -> Self {
        let RoomsParts { store, config, max_update, hooks, tasks, metrics } = parts;
        let (rooms, next_room, next_member) = (Mutex::default(), AtomicU64::new(1), AtomicU64::new(1));
        let windows = Windows::new(config.save_window);
        let (config, compactions) = (Arc::new(config), compaction::places());
        let context = Context {
            store,
            config,
            max_update,
            hooks,
            tasks,
            metrics,
            rooms,
            next_room,
            next_member,
            windows,
            compactions,
        };
        Self { context: Arc::new(context) }
    }

    /// Who is told of documents.
    #[must_use]
    pub fn hooks(&self) -> &HookChain {
        &self.context.hooks
    }

    /// Where rooms run.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.context.tasks
    }

    /// The longest presence state, in bytes of JSON.
    pub(super) fn max_presence(&self) -> u64 {
        self.context.config.awareness.max_state.as_u64()
    }

    /// How long a presence state lives without being renewed.
    pub(super) fn presence_expiry(&self) -> Duration {
        self.context.config.awareness.expiry
    }

    /// Takes a seat in a document's room, which is opened if need be.
    ///
    /// # Errors
    /// When the document cannot be loaded, or a bound is reached.
    pub async fn join(&self, name: &DocName, seat: impl Fn() -> Seat) -> Result<Membership, JoinError> {
        for _ in 0..ATTEMPTS {
            let handle = self.context.open(name)?;
            let (reply, answer) = oneshot::channel();
            let asked = handle.shared.control.send(Control::Join { seat: seat(), reply }).await;
            if let (Ok(()), Ok(joined)) = (asked, answer.await) {
                return joined.map(|member| Membership::new(handle, member));
            }
            self.context.forget(name, handle.shared.id);
        }
        Err(JoinError::Failed)
    }

    /// Brings an update from outside any session; returns once it is durable.
    ///
    /// # Errors
    /// When the update is refused or the document cannot be loaded.
    pub async fn submit(&self, name: &DocName, update: Bytes) -> Result<Submitted, SubmitError> {
        for _ in 0..ATTEMPTS {
            let handle = self.context.open(name)?;
            let (reply, answer) = oneshot::channel();
            let asked = handle.queue(Request::Submit { update: update.clone(), reply }, update.len()).await;
            match (asked, answer.await) {
                (Ok(()), Ok(outcome)) => return outcome,
                // Yjs updates may be applied twice, so an update of unknown fate is simply brought again.
                _ => self.context.forget(name, handle.shared.id),
            }
        }
        Err(SubmitError::Interrupted)
    }

    /// Reads a document: after everything that its room has accepted when it is open, else from the store, without
    /// opening a room.
    ///
    /// # Errors
    /// When there is no such document, or the store cannot read it.
    pub async fn read(&self, name: &DocName) -> Result<Reading, ReadError> {
        if let Some(reading) = self.look(name).await {
            return if reading.head == 0 { Err(ReadError::Unknown) } else { Ok(reading) };
        }
        let stored = self.context.store.load(name).await?;
        if stored.head == 0 {
            return Err(ReadError::Unknown);
        }
        Ok(Reading {
            generation: stored.generation,
            bytes: stored.bytes,
            snapshot_upto: stored.snapshot_upto,
            head: stored.head,
            unsaved: 0,
            members: None,
        })
    }

    /// Waits until everything that the open rooms have accepted by now is durable, and names the documents of which it is
    /// not in time.
    pub async fn settle(&self, within: Duration) -> BTreeSet<DocName> {
        let rooms = self.unsaved().into_iter().map(|name| async move {
            let in_time = tokio::time::timeout(within, self.settled(&name)).await.is_ok();
            (!in_time).then_some(name)
        });
        futures_util::future::join_all(rooms).await.into_iter().flatten().collect()
    }

    /// Waits until the store knows every document that has something, or the time is over: a list of the store is complete
    /// then.
    pub async fn settle_new(&self, within: Duration) {
        let is_new = |gauges: &RoomGauges| !gauges.is_stored.load(Ordering::Relaxed);
        let new = self.those(|gauges| is_new(gauges) && gauges.unsaved.load(Ordering::Relaxed) > 0);
        let rooms = new.iter().map(|name| self.settled(name));
        let _in_time = tokio::time::timeout(within, futures_util::future::join_all(rooms)).await.is_ok();
    }

    /// The same for one document, with everything that its room has accepted by now.
    pub async fn settle_one(&self, name: &DocName, within: Duration) {
        let _in_time = tokio::time::timeout(within, self.settled(name)).await.is_ok();
    }

    /// Waits until everything that a document's room has accepted by now is durable, or the room has ended.
    async fn settled(&self, name: &DocName) {
        if let Some(handle) = self.context.peek(name) {
            handle.control_soon(Control::Hurry);
        }
        let Some(first) = self.look(name).await else { return };
        let mut reading = first.clone();
        while reading.generation == first.generation && reading.head.saturating_sub(reading.unsaved) < first.head {
            tokio::time::sleep(SETTLING).await;
            let Some(later) = self.look(name).await else { return };
            reading = later;
        }
    }

    /// Deletes a document: its members are told, and copies of it that come back later are recognised.
    ///
    /// # Errors
    /// When there is no such document, or the store fails.
    pub async fn delete(&self, name: &DocName) -> Result<(), DeleteError> {
        // A hook would begin the document, only for it to be deleted.
        let may_begin = !self.context.hooks.is_empty() && self.context.peek(name).is_none();
        if may_begin && self.context.store.stat(name).await?.is_none() {
            return Err(DeleteError::Unknown);
        }
        for _ in 0..ATTEMPTS {
            let handle = self.context.open(name)?;
            let (reply, answer) = oneshot::channel();
            let asked = handle.shared.control.send(Control::Delete { reply }).await;
            match (asked, answer.await) {
                (Ok(()), Ok(outcome)) => return outcome,
                _ => self.context.forget(name, handle.shared.id),
            }
        }
        Err(DeleteError::Join(JoinError::Failed))
    }

    /// Makes one snapshot of a document's parts, as a compaction would: without deleted content, unless the settings keep
    /// history. Takes its time, and needs no room.
    ///
    /// # Errors
    /// When the parts are no document.
    pub fn condense(&self, parts: &DocumentBytes) -> Result<Bytes, CondenseError> {
        compaction::snapshot_of(parts, self.context.config.history)
    }

    /// Sends a text of the application to every client of a document whose wire knows such texts, which is Hocuspocus's. Nothing
    /// happens when no room is open.
    pub async fn broadcast_stateless(&self, name: &DocName, text: &str) {
        if let Some(handle) = self.context.peek(name) {
            let _nobody_is_there = handle.edit(Edit::Stateless { text: text.into() }, text.len(), false).await.is_err();
        }
    }

    /// How many members a document's room has; `None` when no room is open.
    #[must_use]
    pub fn members(&self, name: &DocName) -> Option<usize> {
        Some(self.context.peek(name)?.desk.gauges.members.load(Ordering::Relaxed))
    }

    /// The document of an open room.
    async fn look(&self, name: &DocName) -> Option<Reading> {
        let handle = self.context.peek(name)?;
        let (reply, answer) = oneshot::channel();
        handle.shared.control.send(Control::Read { reply }).await.ok()?;
        answer.await.ok()
    }

    /// How many rooms are open.
    #[must_use]
    pub fn open_rooms(&self) -> usize {
        self.context.lock().len()
    }

    /// The documents that hold updates which are not durable yet.
    #[must_use]
    pub fn unsaved(&self) -> Vec<DocName> {
        self.those(|gauges| gauges.unsaved.load(Ordering::Relaxed) > 0)
    }

    fn those(&self, which: impl Fn(&RoomGauges) -> bool) -> Vec<DocName> {
        let rooms = self.context.lock();
        rooms.iter().filter(|(_, handle)| which(&handle.desk.gauges)).map(|(name, _)| name.clone()).collect()
    }

    /// Why rooms cannot save, a reason for each that tried and failed and has not succeeded since.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        self.context.lock().values().filter_map(|handle| handle.desk.gauges.failure().clone()).collect()
    }
}

impl RoomGauges {
    pub(super) fn failure(&self) -> MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context {
    /// The room of a document, opened if need be.
    fn open(self: &Arc<Self>, name: &DocName) -> Result<RoomHandle, JoinError> {
        let mut rooms = self.lock();
        let open = rooms.len();
        match rooms.entry(name.clone()) {
            Entry::Occupied(entry) => Ok(entry.get().clone()),
            Entry::Vacant(_) if self.tasks.is_stopping() => Err(JoinError::Stopping),
            Entry::Vacant(_) if open >= self.config.max_open => {
                self.metrics.refused.count(Limit::RoomsMaxOpen);
                Err(JoinError::Full)
            }
            Entry::Vacant(entry) => {
                let (handle, inbox) = self.make_room();
                entry.insert(handle.clone());
                self.tasks.spawn(task::run(Arc::clone(self), name.clone(), inbox, Arc::clone(&handle.desk)));
                Ok(handle)
            }
        }
    }

    fn peek(&self, name: &DocName) -> Option<RoomHandle> {
        self.lock().get(name).cloned()
    }

    /// Removes a room from the registry if nobody holds a handle to it; says whether it did.
    pub(super) fn retire(&self, name: &DocName, room: u64) -> bool {
        let mut rooms = self.lock();
        match rooms.get(name) {
            // One handle is the registry's own; new ones are made under this lock only.
            Some(handle) if handle.shared.id == room && Arc::strong_count(&handle.shared) > 1 => false,
            Some(handle) if handle.shared.id == room => {
                rooms.remove(name);
                true
            }
            _ => true,
        }
    }

    /// Removes a room that has ended, however it ended.
    pub(super) fn forget(&self, name: &DocName, room: u64) {
        let mut rooms = self.lock();
        if rooms.get(name).is_some_and(|handle| handle.shared.id == room) {
            rooms.remove(name);
        }
    }

    pub(super) fn next_member(&self) -> MemberId {
        MemberId(self.next_member.fetch_add(1, Ordering::Relaxed))
    }

    fn make_room(&self) -> (RoomHandle, Inbox) {
        let room = self.next_room.fetch_add(1, Ordering::Relaxed);
        let (requests, requests_inbox) = mpsc::channel(REQUESTS);
        let (control, control_inbox) = mpsc::channel(CONTROLS);
        let desk = Desk::new(self.config.max_queued.as_u64());
        let shared = Arc::new(Shared { id: room, requests, control, tasks: self.tasks.clone() });
        let inbox = Inbox { room, requests: requests_inbox, control: control_inbox };
        (RoomHandle { shared, desk }, inbox)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DocName, RoomHandle>> {
        // Nothing panics while it is held: a map of handles cannot be left half changed.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RoomHandle {
    /// Takes an edit's turn at once, if the room is free and nothing came before; else queues it, and waits while the
    /// queue is full, by count or by bytes. When others follow at once they are taken together, and
    /// [`finish`](Self::finish) is to be called once none does.
    pub(super) async fn edit(&self, edit: Edit, bytes: usize, more_follow: bool) -> Result<(), RoomEnded> {
        match self.desk.edit(edit, more_follow) {
            Some(edit) => Box::pin(self.queue(Request::Edit(edit), bytes)).await,
            None => Ok(()),
        }
    }

    /// No more edits follow those that were said to be followed by more.
    pub(super) fn finish(&self) {
        self.desk.finish();
    }

    async fn queue(&self, request: Request, bytes: usize) -> Result<(), RoomEnded> {
        let desk = &self.desk;
        // No edit takes more places than there are, so that it can always be queued alone.
        let places = u32::try_from(bytes.clamp(1, desk.max_places)).unwrap_or(u32::MAX);
        let place = desk.take_place(places).await.ok_or(RoomEnded)?;
        self.shared.requests.send(Queued { request, place }).await.or(Err(RoomEnded))
    }

    /// Whether an update brings nothing new.
    pub(super) async fn knows(&self, update: Bytes) -> Result<bool, RoomEnded> {
        let (reply, answer) = oneshot::channel();
        self.shared.control.send(Control::Knows { update, reply }).await.or(Err(RoomEnded))?;
        answer.await.or(Err(RoomEnded))
    }

    /// Queues a control without waiting: when the queue is full, a task waits instead.
    pub(super) fn control_soon(&self, control: Control) {
        if let Err(mpsc::error::TrySendError::Full(control)) = self.shared.control.try_send(control) {
            let sender = self.shared.control.clone();
            self.shared.tasks.spawn(async move {
                let _room_has_ended = sender.send(control).await.is_err();
            });
        }
    }
}

/// Requests of one room that wait for their turn.
const REQUESTS: usize = 256;
/// Joins, leaves and questions of one room that wait for their turn.
const CONTROLS: usize = 256;
/// How often a request that met a dying room is made again.
const ATTEMPTS: usize = 5;
/// How often a room is asked that saves.
const SETTLING: Duration = Duration::from_millis(10);
