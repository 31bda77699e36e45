//! The task of one room: it opens the room, takes what is queued for it, and does what takes time.
//!
//! Most turns are taken by those who bring something, see [`desk`](super::desk); then the task sleeps on.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::time::{Instant, Sleep};

use super::command::{Control, Queued, Request};
use super::compaction::{Compacted, CompactionError};
use super::desk::{Clearing, Desk};
use super::errors::{DeleteError, JoinError};
use super::open;
use super::registry::{Context, Inbox};
use super::room::{Computed, Difference, Life, Room, Todo};
use super::unload::Idle;
use crate::ids::{DocName, Generation};
use crate::storage::StoreError;
use crate::telemetry::ErrorChain;

/// Runs a room from its opening to its end.
pub(super) async fn run(context: Arc<Context>, name: DocName, inbox: Inbox, desk: Arc<Desk>) {
    let _clearing = Clearing(Arc::clone(&desk));
    let room = inbox.room;
    context.metrics.rooms.increment(1);
    let life = AssertUnwindSafe(live(&context, &name, inbox, &desk)).catch_unwind().await;
    if life.is_err() {
        tracing::error!(doc = %name, "a room panicked; its members connect again to a new one");
    }
    context.forget(&name, room);
    if let Some(mut room) = desk.lock().await.take() {
        room.count_out();
    }
    context.metrics.rooms.decrement(1);
}

async fn live(context: &Arc<Context>, name: &DocName, mut inbox: Inbox, desk: &Arc<Desk>) {
    match open::open(context, name).await {
        Ok(opened) => {
            let room = Room::new(context, name, desk, opened);
            let generation = room.generation;
            *desk.lock().await = Some(room);
            let idle = Idle::new(Instant::now());
            let errands = Errands::default();
            Task { context, name, generation, desk, inbox, idle, errands, may_edit: true, tick: None }.run().await;
        }
        Err(error) => {
            match &error {
                JoinError::Refused(reason) => tracing::info!(doc = %name, %reason, "a document is refused"),
                error => tracing::error!(doc = %name, error = %ErrorChain(error), "a document could not be opened"),
            }
            context.forget(name, inbox.room);
            inbox.control.close();
            inbox.requests.close();
            while let Some(control) = inbox.control.recv().await {
                refuse(control, &error);
            }
            while let Some(Queued { request: Request::Submit { reply, .. }, .. }) = inbox.requests.recv().await {
                let _caller_has_gone = reply.send(Err(error.clone().into())).is_err();
            }
        }
    }
}

struct Task<'a> {
    context: &'a Arc<Context>,
    name: &'a DocName,
    generation: Generation,
    desk: &'a Arc<Desk>,
    inbox: Inbox,
    idle: Idle,
    errands: Errands,
    /// What the task saw of the room at its last turn.
    may_edit: bool,
    tick: Option<Instant>,
}

/// What takes time and is under way.
#[derive(Default)]
struct Errands {
    append: Option<Errand<Result<u64, StoreError>>>,
    pause: Option<Pin<Box<Sleep>>>,
    compaction: Option<Errand<Result<Compacted, CompactionError>>>,
    computing: Vec<Errand<Computed>>,
}

type Errand<T> = Pin<Box<dyn Future<Output = T> + Send>>;

enum Event {
    Control(Control),
    Request(Queued),
    Appended(Result<u64, StoreError>),
    Paused,
    Compacted(Result<Compacted, CompactionError>),
    Computed(Computed),
    Attention,
    Called,
    Tick,
    Idle,
    Stopping,
}

impl Task<'_> {
    async fn run(mut self) {
        loop {
            let event = self.next().await;
            let mut place = self.desk.lock().await;
            let Some(room) = place.as_mut() else { return };
            let now = Instant::now();
            room.end_open_turn(now);
            match event {
                Event::Control(Control::Delete { reply }) => match room.freeze() {
                    Ok(ancestors) => {
                        drop(place);
                        self.errands.append = None;
                        let document = (self.name, self.generation);
                        let outcome = delete(self.context, document, self.desk, ancestors).await;
                        let _caller_has_gone = reply.send(outcome).is_err();
                        return;
                    }
                    Err(error) => {
                        let _caller_has_gone = reply.send(Err(error)).is_err();
                    }
                },
                Event::Control(Control::Join { seat, reply }) => room.join(&seat, reply, now),
                Event::Control(Control::Leave { member }) => room.leave(member, now),
                Event::Control(Control::Hurry) => room.saver.hurry(),
                Event::Control(Control::Read { reply }) => {
                    let _reader_has_gone = reply.send(room.reading()).is_err();
                }
                Event::Control(Control::Knows { update, reply }) => {
                    let _session_has_gone = reply.send(room.state.index.knows(&update)).is_err();
                }
                Event::Request(queued) => requests(room, queued, &mut self.inbox, now),
                Event::Appended(outcome) => room.appended(outcome, now),
                Event::Paused => room.saver.resume(),
                Event::Compacted(outcome) => room.compacted(outcome, now),
                Event::Computed(computed) => room.computed(computed),
                Event::Attention => room.attend(),
                Event::Called => {} // what there is to do is taken up after every turn
                Event::Tick => room.tick(now),
                Event::Stopping => {
                    self.idle.stop();
                    room.saver.hurry();
                }
                Event::Idle => {
                    if room.is_quiet() && room.retire(&mut self.idle, self.inbox.room, now) {
                        return;
                    }
                }
            }
            room.end_turn(now);
            self.desk.settle(room);
            self.take_up(std::mem::take(&mut room.todo));
            self.may_edit = room.takes_edits();
            self.tick = room.await_tick();
            let is_quiet = room.is_quiet() && self.inbox.control.is_empty() && self.inbox.requests.is_empty();
            self.idle.note(is_quiet, now);
            if room.life == Life::Over {
                return;
            }
            let is_crowded = room.seats.len() > CROWD;
            drop(place);
            if is_crowded {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn next(&mut self) -> Event {
        let retire = self.idle.due(self.context.config.idle_after);
        let Errands { append, pause, compaction, computing } = &mut self.errands;
        tokio::select! {
            biased; // edits come last: they may come without a pause
            Some(control) = self.inbox.control.recv() => Event::Control(control),
            outcome = ended(append), if append.is_some() => Event::Appended(outcome),
            () = ended(pause), if pause.is_some() => Event::Paused,
            computed = first(computing), if !computing.is_empty() => Event::Computed(computed),
            () = self.desk.attention.notified() => Event::Attention,
            () = self.desk.call.notified() => Event::Called,
            () = at(self.tick), if self.tick.is_some() => Event::Tick,
            outcome = ended(compaction), if compaction.is_some() => Event::Compacted(outcome),
            () = self.context.tasks.stopped(), if !self.idle.is_stopping() => Event::Stopping,
            Some(queued) = self.inbox.requests.recv(), if self.may_edit => Event::Request(queued),
            () = at(retire), if retire.is_some() => Event::Idle,
        }
    }

    /// Starts what the room has left to its task.
    fn take_up(&mut self, todo: Todo) {
        let Todo { window: _, append, pause, compaction, differences } = todo;
        if let Some(updates) = append {
            let (store, name, generation) = (Arc::clone(&self.context.store), self.name.clone(), self.generation);
            self.errands.append = Some(Box::pin(async move { store.append(&name, generation, updates).await }));
        }
        if let Some(pause) = pause {
            self.errands.pause = Some(Box::pin(tokio::time::sleep(pause)));
        }
        if let Some(job) = compaction {
            self.errands.compaction = Some(Box::pin(job.run()));
        }
        for Difference { member, from, question, catch_up } in differences {
            let tasks = self.context.tasks.clone();
            self.errands.computing.push(Box::pin(async move {
                let frames = tasks.run_blocking(|| catch_up.compute()).await;
                Computed { member, from, question, frames }
            }));
        }
    }
}

/// Deletes the document of a room that takes nothing any more.
async fn delete(
    context: &Context,
    (name, generation): (&DocName, Generation),
    desk: &Desk,
    ancestors: Bytes,
) -> Result<(), DeleteError> {
    let outcome = context.store.delete(name, generation, ancestors).await;
    match desk.lock().await.as_mut() {
        Some(room) => room.deleted(outcome),
        None => outcome.map(drop).map_err(DeleteError::from),
    }
}

/// Takes a run of requests at once, so that what they cause is carried out together.
fn requests(room: &mut Room, first: Queued, inbox: &mut Inbox, now: Instant) {
    room.request(first, now);
    for _ in 1..REQUESTS_AT_ONCE {
        let Ok(next) = inbox.requests.try_recv() else { break };
        room.request(next, now);
    }
}

fn refuse(control: Control, error: &JoinError) {
    let _nobody_waits = match control {
        Control::Join { reply, .. } => reply.send(Err(error.clone())).is_err(),
        Control::Delete { reply } => reply.send(Err(error.clone().into())).is_err(),
        Control::Leave { .. } | Control::Read { .. } | Control::Knows { .. } | Control::Hurry => true,
    };
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Waits for an errand and puts it away.
async fn ended<F: Future + Unpin>(errand: &mut Option<F>) -> F::Output {
    match errand {
        Some(under_way) => {
            let outcome = under_way.await;
            *errand = None;
            outcome
        }
        None => std::future::pending().await,
    }
}

async fn first(computing: &mut Vec<Errand<Computed>>) -> Computed {
    if computing.is_empty() {
        return std::future::pending().await;
    }
    let (outcome, index, _) = futures_util::future::select_all(computing.iter_mut()).await;
    drop(computing.swap_remove(index));
    outcome
}

/// How many requests one turn of the task takes.
const REQUESTS_AT_ONCE: usize = 64;
/// With more members, sending to all takes so long that others on this thread get a turn after it.
const CROWD: usize = 64;
