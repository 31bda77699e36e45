//! The task of one room: it receives, lets the state decide, and carries out.
//!
//! Architecture invariant: while the disk does not keep up, the task stops taking edits and goes on with everything else.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answers::{Answer, Answers, Question};
use super::catch_up::{CatchUp, Frames, INLINE_BYTES};
use super::command::{Control, Queued, Reading, Request, Submitted};
use super::compaction::{Compacted, CompactionError};
use super::effect::{Effect, Ticket};
use super::errors::{DeleteError, JoinError, SubmitError};
use super::membership::{Seat, Taken};
use super::open::{self, Opened};
use super::registry::{Context, Inbox, RoomGauges};
use super::saver::{Progress, Saver};
use super::seats::Seats;
use super::state::{Member, Origin, RoomState, Tally};
use super::unload::Idle;
use crate::delivery::{Ending, Message};
use crate::ids::{DocName, Generation, MemberId};
use crate::sync::ScanError;
use crate::telemetry::ErrorChain;

/// Runs a room from its opening to its end.
pub(super) async fn run(context: Arc<Context>, name: DocName, inbox: Inbox) {
    let room = inbox.room;
    context.metrics.rooms.increment(1);
    let life = AssertUnwindSafe(live(&context, &name, inbox)).catch_unwind().await;
    if life.is_err() {
        tracing::error!(doc = %name, "a room panicked; its members connect again to a new one");
    }
    context.forget(&name, room);
    context.metrics.rooms.decrement(1);
}

async fn live(context: &Arc<Context>, name: &DocName, mut inbox: Inbox) {
    match open::open(context, name).await {
        Ok(opened) => Room::new(context, name, &inbox, opened).run(inbox).await,
        Err(error) => {
            tracing::error!(doc = %name, error = %ErrorChain(&error), "a document could not be opened");
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

/// A room in its life.
pub(super) struct Room {
    pub(super) context: Arc<Context>,
    pub(super) name: DocName,
    pub(super) generation: Generation,
    pub(super) state: RoomState,
    pub(super) seats: Seats,
    pub(super) saver: Saver,
    pub(super) saved_stored: u64,
    pub(super) snapshot_stored: u64,
    pub(super) compaction: Option<CompactionUnderWay>,
    /// Not compacted earlier, however long the tail is.
    pub(super) compact_from: Instant,
    /// Whether it was logged that deleted content could not be collected.
    pub(super) told_uncollected: bool,
    answers: HashMap<Ticket, oneshot::Sender<Result<Submitted, SubmitError>>>,
    next_ticket: u64,
    sync_answers: Answers,
    computing: Vec<Computing>,
    attention: Arc<tokio::sync::Notify>,
    gauges: Arc<RoomGauges>,
    counted: Tally,
    counted_bytes: usize,
    ended: bool,
}

pub(super) type CompactionUnderWay = std::pin::Pin<Box<dyn Future<Output = Result<Compacted, CompactionError>> + Send>>;
type Computing = std::pin::Pin<Box<dyn Future<Output = Computed> + Send>>;

/// What brings a member up to date, or why there is nothing (`None`: the work panicked).
struct Computed {
    member: MemberId,
    from: u64,
    /// Under which others may wait for the same.
    question: Option<Question>,
    frames: Option<Result<Frames, ScanError>>,
}

enum Event {
    Control(Control),
    Request(Queued),
    Saved(Progress),
    Compacted(Result<Compacted, CompactionError>),
    Computed(Computed),
    Attention,
    Tick,
    Idle,
    Stopping,
}

impl Room {
    fn new(context: &Arc<Context>, name: &DocName, inbox: &Inbox, opened: Opened) -> Self {
        let Opened { state, generation, snapshot_stored, head_stored } = opened;
        Self {
            context: Arc::clone(context),
            name: name.clone(),
            generation,
            saver: Saver::new(Arc::clone(&context.store), name.clone(), generation, context.gathering()),
            state,
            seats: Seats::default(),
            saved_stored: head_stored,
            snapshot_stored,
            compaction: None,
            compact_from: Instant::now() + if head_stored > 0 { OPENING } else { Duration::ZERO },
            told_uncollected: false,
            answers: HashMap::new(),
            next_ticket: 1, // 0 is nobody's
            sync_answers: Answers::default(),
            computing: Vec::new(),
            attention: Arc::clone(&inbox.attention),
            gauges: Arc::clone(&inbox.gauges),
            counted: Tally::default(),
            counted_bytes: 0,
            ended: false,
        }
    }

    async fn run(mut self, mut inbox: Inbox) {
        let mut effects = Vec::new();
        let mut idle = Idle::new(Instant::now());
        while !self.ended {
            let event = self.next(&mut inbox, &idle).await;
            let now = Instant::now();
            match event {
                Event::Control(control) => self.control(control, now, &mut effects).await,
                Event::Request(queued) => self.requests(queued, &mut inbox, now, &mut effects),
                Event::Saved(progress) => self.saved(progress, now, &mut effects),
                Event::Compacted(outcome) => self.compacted(outcome, now),
                Event::Computed(computed) => self.computed(computed),
                Event::Attention => self.attend(),
                Event::Tick => self.state.tick(now, &mut effects),
                Event::Stopping => {
                    idle.stop();
                    self.saver.hurry();
                }
                Event::Idle => {
                    if self.retire(&mut idle, inbox.room, now) {
                        break;
                    }
                }
            }
            self.carry_out(&mut effects, now);
            self.compact_if_due(now);
            idle.note(self.is_quiet() && inbox.control.is_empty() && inbox.requests.is_empty(), now);
            self.show();
            if self.seats.len() > CROWD {
                tokio::task::yield_now().await;
            }
        }
        self.count_out();
    }

    async fn next(&mut self, inbox: &mut Inbox, idle: &Idle) -> Event {
        let may_edit = (self.saver.unsaved_bytes() as u64) < self.context.config.max_unsaved.as_u64();
        let tick = self.state.next_tick();
        let retire = idle.due(self.context.config.idle_after);
        let attention = Arc::clone(&self.attention);
        tokio::select! {
            biased; // edits come last: they may come without a pause
            Some(control) = inbox.control.recv() => Event::Control(control),
            progress = self.saver.progress(), if self.saver.is_busy() => Event::Saved(progress),
            computed = first(&mut self.computing), if !self.computing.is_empty() => Event::Computed(computed),
            () = attention.notified() => Event::Attention,
            () = at(tick), if tick.is_some() => Event::Tick,
            outcome = ended(&mut self.compaction), if self.compaction.is_some() => Event::Compacted(outcome),
            () = self.context.tasks.stopped(), if !idle.is_stopping() => Event::Stopping,
            Some(queued) = inbox.requests.recv(), if may_edit => Event::Request(queued),
            () = at(retire), if retire.is_some() => Event::Idle,
        }
    }

    async fn control(&mut self, control: Control, now: Instant, effects: &mut Vec<Effect>) {
        match control {
            Control::Join { seat, reply } => self.join(&seat, reply, now, effects),
            Control::Leave { member } => {
                self.seats.leave(member);
                self.state.leave(member, now, effects);
            }
            Control::Read { reply } => {
                let _reader_has_gone = reply.send(self.reading()).is_err();
            }
            Control::Delete { reply } => {
                let outcome = self.delete().await;
                let _caller_has_gone = reply.send(outcome).is_err();
            }
        }
    }

    /// Takes a run of requests at once, so that what they cause is carried out together.
    fn requests(&mut self, first: Queued, inbox: &mut Inbox, now: Instant, effects: &mut Vec<Effect>) {
        self.request(first.request, now, effects);
        for _ in 1..REQUESTS_AT_ONCE {
            let Ok(next) = inbox.requests.try_recv() else { break };
            self.request(next.request, now, effects);
        }
    }

    fn request(&mut self, request: Request, now: Instant, effects: &mut Vec<Effect>) {
        match request {
            Request::Edit(edit) => self.state.edit(edit, now, effects),
            Request::Submit { update, reply } => {
                let ticket = Ticket(self.next_ticket);
                self.next_ticket += 1;
                self.answers.insert(ticket, reply);
                self.state.update(Origin::Caller(ticket), update, now, effects);
            }
        }
    }

    fn join(
        &mut self,
        seat: &Seat,
        reply: oneshot::Sender<Result<MemberId, JoinError>>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        if self.seats.len() >= self.context.config.max_members {
            let _session_has_gone = reply.send(Err(JoinError::Full)).is_err();
            return;
        }
        // What waits to be sent is for those who are here; the newcomer hears of everyone anyway.
        self.state.presence.flush(effects);
        self.carry_out(effects, now);
        let id = self.context.next_member();
        if reply.send(Ok(id)).is_ok() {
            self.seats.insert(id, Taken::new(seat, Arc::clone(&self.attention)));
            self.state.join(id, Member::new(seat.wants_acks), effects);
        }
    }

    fn reading(&self) -> Reading {
        let unsaved = self.saver.unsaved() as u64;
        Reading {
            generation: self.generation,
            bytes: self.state.log.document(),
            snapshot_upto: self.snapshot_stored,
            head: self.saved_stored + unsaved,
            unsaved,
            members: Some(self.seats.len()),
        }
    }

    async fn delete(&mut self) -> Result<(), DeleteError> {
        if self.state.log.head() == 0 {
            return Err(DeleteError::Unknown);
        }
        self.saver.abandon().await;
        let ancestors = self.state.lineage().encode().into();
        match self.context.store.delete(&self.name, self.generation, ancestors).await {
            Ok(_) => {
                self.seats.end_all(&Ending::Deleted);
                self.ended = true;
                tracing::info!(doc = %self.name, "a document was deleted");
                Ok(())
            }
            Err(error) => {
                // What was not durable is gone from the queue, so the room cannot go on as if nothing had happened.
                self.seats.end_all(&Ending::RoomFailed);
                self.ended = true;
                Err(error.into())
            }
        }
    }

    fn saved(&mut self, progress: Progress, now: Instant, effects: &mut Vec<Effect>) {
        match progress {
            Progress::Saved { upto, stored, count, accepted_at } => {
                self.saved_stored = stored;
                self.context.metrics.updates_saved.increment(count);
                self.context.metrics.save_seconds.record(now.saturating_duration_since(accepted_at));
                self.set_failure(None);
                self.state.saved(upto, now, effects);
            }
            Progress::Failed { error } => {
                self.context.metrics.save_failures.increment(1);
                let reason = ErrorChain(&error).to_string();
                if self.gauges.failure().is_none() {
                    tracing::error!(doc = %self.name, error = %reason, "saving failed, trying again");
                }
                self.set_failure(Some(reason));
            }
            Progress::Lost { error } => {
                tracing::error!(doc = %self.name, error = %ErrorChain(&error), "the store refuses this document");
                self.seats.end_all(&Ending::Unavailable("the document cannot be saved".to_owned()));
                self.ended = true;
            }
        }
    }

    fn set_failure(&self, failure: Option<String>) {
        let fails = failure.is_some();
        let failed = std::mem::replace(&mut *self.gauges.failure(), failure).is_some();
        match (failed, fails) {
            (false, true) => self.context.metrics.rooms_unsaved.increment(1),
            (true, false) => self.context.metrics.rooms_unsaved.decrement(1),
            _ => {}
        }
    }

    fn carry_out(&mut self, effects: &mut Vec<Effect>, now: Instant) {
        for effect in effects.drain(..) {
            if !matches!(effect, Effect::Save { .. } | Effect::Broadcast { .. }) {
                self.seats.flush();
            }
            match effect {
                Effect::Save { number, update } => {
                    self.saver.save(number, update, now);
                    // Before anyone hears of the update, so that a backup that is begun then waits for it.
                    self.gauges.unsaved.store(self.saver.unsaved(), Ordering::Relaxed);
                }
                Effect::Broadcast { number, update, except } => self.seats.broadcast(number, update, except),
                Effect::Sync { member, known } => match self.sync_answers.to(member, known, &self.state) {
                    Answer::Compute(catch_up, question) => self.compute(member, 0, catch_up, question),
                    Answer::Known(frames) => self.seats.catch_up(member, 0, &frames),
                    Answer::UnderWay => {}
                },
                Effect::Ask { member } => {
                    let state_vector = self.state.index.state_vector().encode();
                    self.seats.reply(member, &Message::Step1(&state_vector));
                }
                Effect::Acknowledge { member, update } => self.seats.reply(member, &Message::Saved(&update)),
                Effect::AllSaved => self.seats.all_saved(),
                Effect::Presence { batch } => self.seats.presence(&batch),
                Effect::PresenceTo { member } => self.send_presence(member),
                Effect::Typing { notes } => self.seats.typing(&notes),
                Effect::End { member, ending } => {
                    tracing::info!(doc = %self.name, error = %ending, "a session is refused");
                    self.seats.end(member, ending);
                }
                Effect::Answer { ticket, answer } => {
                    if let Some(reply) = self.answers.remove(&ticket) {
                        let _caller_has_gone = reply.send(answer.map(|head| Submitted { head })).is_err();
                    }
                }
            }
        }
        self.seats.flush();
        // Without members, the room waits for nothing but its end.
        if self.state.is_saving_awaited() || self.seats.is_empty() {
            self.saver.hurry();
        }
    }

    /// Members that drained get what they missed.
    fn attend(&mut self) {
        for (member, from) in self.seats.take_drained() {
            self.context.metrics.resyncs.increment(1);
            let catch_up = CatchUp::from_number(&self.state.log, &self.state.sight_of(member), from);
            self.compute(member, from, catch_up, None);
        }
        for member in self.seats.take_missed_presence() {
            self.send_presence(member);
        }
    }

    fn send_presence(&self, member: MemberId) {
        if let Some(everyone) = self.state.presence.everyone() {
            self.seats.presence_to(member, &everyone);
        }
        self.seats.typing_to(member, &self.state.presence.typists(&self.state.members));
    }

    /// Computes what a member lacks: here when it is little, else off the async threads. Updates accepted meanwhile may
    /// reach the member first; Yjs keeps them until what they build on arrives.
    fn compute(&mut self, member: MemberId, from: u64, catch_up: CatchUp, question: Option<Question>) {
        if catch_up.cost() <= INLINE_BYTES {
            let frames = Some(catch_up.compute());
            return self.computed(Computed { member, from, question, frames });
        }
        let tasks = self.context.tasks.clone();
        self.computing.push(Box::pin(async move {
            let frames = tasks.run_blocking(|| catch_up.compute()).await;
            Computed { member, from, question, frames }
        }));
    }

    fn computed(&mut self, computed: Computed) {
        let Computed { member, from, question, frames } = computed;
        if let Some(Err(error)) = &frames {
            tracing::error!(doc = %self.name, error = %error, "a difference could not be computed");
        }
        let frames = frames.and_then(Result::ok);
        let others = question.map(|question| self.sync_answers.found(question, frames.as_ref()));
        for member in std::iter::once(member).chain(others.into_iter().flatten()) {
            match &frames {
                Some(frames) => self.seats.catch_up(member, from, frames),
                None => self.seats.end(member, Ending::RoomFailed),
            }
        }
    }

    /// Whether nothing would be lost or missed if the room ended now.
    pub(super) fn is_quiet(&self) -> bool {
        self.seats.is_empty() && self.answers.is_empty() && self.saver.unsaved() == 0 && self.compaction.is_none()
    }

    fn show(&mut self) {
        let metrics = &self.context.metrics;
        let members = self.seats.len();
        let before = self.gauges.members.swap(members, Ordering::Relaxed);
        if before != members {
            metrics.members.increment(gauge(members) - gauge(before));
        }
        self.gauges.unsaved.store(self.saver.unsaved(), Ordering::Relaxed);
        let (before, now) = (self.counted, self.state.tally);
        metrics.updates_accepted.increment(now.accepted - before.accepted);
        metrics.updates_contained.increment(now.contained - before.contained);
        metrics.updates_parked.increment(now.parked - before.parked);
        metrics.updates_refused.increment(now.refused - before.refused);
        self.counted = now;
        if self.counted_bytes != self.state.log.len() {
            metrics.room_bytes.increment(gauge(self.state.log.len()) - gauge(self.counted_bytes));
            self.counted_bytes = self.state.log.len();
        }
    }

    fn count_out(&mut self) {
        self.set_failure(None);
        self.context.metrics.room_bytes.decrement(gauge(self.counted_bytes));
        self.context.metrics.members.decrement(gauge(self.gauges.members.swap(0, Ordering::Relaxed)));
        self.gauges.unsaved.store(0, Ordering::Relaxed);
    }
}

fn refuse(control: Control, error: &JoinError) {
    let _nobody_waits = match control {
        Control::Join { reply, .. } => reply.send(Err(error.clone())).is_err(),
        Control::Delete { reply } => reply.send(Err(error.clone().into())).is_err(),
        Control::Leave { .. } | Control::Read { .. } => true,
    };
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

async fn ended(compaction: &mut Option<CompactionUnderWay>) -> Result<Compacted, CompactionError> {
    match compaction {
        Some(under_way) => {
            let outcome = under_way.await;
            *compaction = None;
            outcome
        }
        None => std::future::pending().await,
    }
}

async fn first(computing: &mut Vec<Computing>) -> Computed {
    if computing.is_empty() {
        return std::future::pending().await;
    }
    let (outcome, index, _) = futures_util::future::select_all(computing.iter_mut()).await;
    drop(computing.swap_remove(index));
    outcome
}

#[expect(clippy::cast_precision_loss, reason = "a gauge of bytes needs no more than 52 bits")]
fn gauge(bytes: usize) -> f64 {
    bytes as f64
}

/// How many requests one turn of the task takes.
const REQUESTS_AT_ONCE: usize = 64;
/// With more members, sending to all takes so long that others on this thread get a turn after it.
const CROWD: usize = 64;
/// A document that is opened is joined by all who were away: so long it is not compacted.
const OPENING: Duration = Duration::from_secs(5);
