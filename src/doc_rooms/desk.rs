//! Where a room lies while it is open: who brings it something and finds it free takes the turn at once, without the
//! room's task.
//!
//! Architecture invariant: a turn never waits. What takes time is left to the task, which is called for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard, Notify, Semaphore};
use tokio::time::Instant;

use super::command::Edit;
use super::registry::RoomGauges;
use super::room::{Life, Room};
use crate::storage::StoreError;

/// The place of one room.
// In this order and aligned, so that whoever brings an edit and finds the room free needs one line of the CPU's cache for that.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Desk {
    /// One permit for each byte that may wait for the task. All are there when nothing waits.
    places: Semaphore,
    pub(super) max_places: usize,
    pub(super) gauges: Arc<RoomGauges>,
    /// There is none before the document is loaded, and after the room has ended.
    room: Mutex<Option<Room>>,
    /// Calls the room's task for what a turn has left to it.
    pub(super) call: Notify,
    /// Calls it for members that read too slowly and have drained.
    pub(super) attention: Arc<Notify>,
}

/// Bytes that wait for a room's task; its places are free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    desk: Arc<Desk>,
    bytes: u32,
}

/// Empties a desk when it is dropped: a task that is dropped with its runtime must not leave the room behind.
pub(super) struct Clearing(pub(super) Arc<Desk>);

impl Desk {
    /// An empty desk, with so many bytes that may wait.
    pub(super) fn new(max_queued: u64) -> Arc<Self> {
        let max_places = usize::try_from(max_queued).unwrap_or(usize::MAX);
        let max_places = max_places.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Arc::new(Self {
            room: Mutex::new(None),
            call: Notify::new(),
            attention: Arc::new(Notify::new()),
            places: Semaphore::new(max_places),
            max_places,
            gauges: Arc::default(),
        })
    }

    /// The room, when nobody else has it.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Option<Room>> {
        self.room.lock().await
    }

    /// Waits until so many bytes may wait for the task; `None` when they never may.
    pub(super) async fn take_place(self: &Arc<Self>, bytes: u32) -> Option<Place> {
        self.places.acquire_many(bytes).await.ok()?.forget();
        Some(Place { desk: Arc::clone(self), bytes })
    }

    /// Whether something waits for the task.
    fn is_queued(&self) -> bool {
        self.places.available_permits() < self.max_places
    }

    /// Takes an edit's turn if the room is free and nothing came before; else gives the edit back, to be queued. When more
    /// follow at once, the turn is left open for them: whoever has the room next ends it, at the latest
    /// [`finish`](Self::finish).
    pub(super) fn edit(self: &Arc<Self>, edit: Edit, more_follow: bool) -> Option<Edit> {
        let Ok(mut room) = self.room.try_lock() else { return Some(edit) };
        let Some(room) = room.as_mut() else { return Some(edit) };
        // Whoever queues gives back its permits after its turn, in which it has the room too.
        if self.is_queued() || !room.takes_edits() {
            return Some(edit);
        }
        self.turn(room, more_follow && room.may_leave_open(), |room, now| room.edit(edit, now));
        None
    }

    /// Ends a turn that was left open.
    pub(super) fn finish(self: &Arc<Self>) {
        match self.room.try_lock().as_deref_mut() {
            Ok(Some(room)) => self.turn(room, false, |_, _| {}),
            Ok(None) => {}
            // Whoever has the room may have ended its turn already.
            Err(_) => self.call.notify_one(),
        }
    }

    /// An append that a window has taken for the room has ended.
    pub(super) async fn appended(self: &Arc<Self>, outcome: Result<u64, StoreError>) {
        if let Some(room) = self.lock().await.as_mut() {
            self.turn(room, false, |room, now| room.appended(outcome, now));
            if self.is_queued() {
                // The task may have stopped taking edits, until this.
                self.call.notify_one();
            }
        }
    }

    /// Enlists the room for a window if it wants that.
    pub(super) fn settle(self: &Arc<Self>, room: &mut Room) {
        if std::mem::take(&mut room.todo.window) {
            room.context.enlist(Arc::clone(self));
        }
    }

    /// A turn of somebody who is not the task, or the beginning of one.
    fn turn(self: &Arc<Self>, room: &mut Room, stays_open: bool, take: impl FnOnce(&mut Room, Instant)) {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let now = Instant::now();
            take(room, now);
            if !stays_open {
                room.end_turn(now);
            }
        }));
        if outcome.is_err() {
            tracing::error!(doc = %room.name, "a room panicked; its members connect again to a new one");
            room.life = Life::Over;
        } else if stays_open {
            return;
        }
        self.settle(room);
        if room.needs_its_task() {
            self.call.notify_one();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.desk.places.add_permits(self.bytes as usize);
    }
}

impl Drop for Clearing {
    fn drop(&mut self) {
        if let Ok(mut room) = self.0.room.try_lock() {
            *room = None;
        }
    }
}
