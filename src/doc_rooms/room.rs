//! A room in its life: it takes what comes, lets the state decide, and carries out.
//!
//! Architecture invariant: nothing here waits. What takes time is put down in [`Todo`], for the room's task.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::answers::{Answer, Answers, Question};
use super::catch_up::{CatchUp, Frames, INLINE_BYTES};
use super::command::{Edit, Queued, Reading, Request, Submitted};
use super::compaction;
use super::desk::Desk;
use super::effect::{Effect, Ticket};
use super::errors::{DeleteError, JoinError, SubmitError};
use super::membership::{Seat, Taken};
use super::open::Opened;
use super::registry::{Context, RoomGauges};
use super::saver::{Due, Progress, Saver};
use super::seats::Seats;
use super::state::{Hears, Member, Origin, RoomState, Tally};
use super::told::Told;
use crate::delivery::{Ending, Message};
use crate::ids::{DocName, Generation, MemberId};
use crate::storage::StoreError;
use crate::sync::ScanError;
use crate::telemetry::{ErrorChain, Limit};

/// A room in its life.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) context: Arc<Context>,
    pub(super) name: DocName,
    pub(super) generation: Generation,
    pub(super) state: RoomState,
    pub(super) seats: Seats,
    pub(super) saver: Saver,
    pub(super) saved_stored: u64,
    pub(super) snapshot_stored: u64,
    pub(super) is_compacting: bool,
    /// Not compacted earlier, however long the tail is.
    pub(super) compact_from: Instant,
    /// Whether it was logged that deleted content could not be collected.
    pub(super) told_uncollected: bool,
    pub(super) todo: Todo,
    pub(super) life: Life,
    /// The hooks, if there are any.
    told: Option<Told>,
    /// The last attempt to save failed.
    fails: bool,
    answers: HashMap<Ticket, oneshot::Sender<Result<Submitted, SubmitError>>>,
    next_ticket: u64,
    sync_answers: Answers,
    attention: Arc<Notify>,
    gauges: Arc<RoomGauges>,
    counted: Tally,
    counted_bytes: usize,
    /// The tick that the task waits for.
    awaited_tick: Option<Instant>,
    /// Of the present turn. Not kept for the next one: by then it has left the cache, and what the allocator gives has not.
    effects: Vec<Effect>,
}

/// Whether a room goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Open,
    /// The document is being deleted.
    Frozen,
    Over,
}

/// What a room leaves to its task.
#[derive(Debug, Default)]
pub(super) struct Todo {
    /// The room wants to be enlisted for the window that is open.
    pub(super) window: bool,
    pub(super) append: Option<Vec<Bytes>>,
    pub(super) pause: Option<Duration>,
    // Boxed, because each turn looks through all of this and hardly one brings a compaction.
    pub(super) compaction: Option<Box<compaction::Job>>,
    pub(super) differences: Vec<Difference>,
}

/// What brings a member up to date is to be computed.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) member: MemberId,
    pub(super) from: u64,
    pub(super) question: Option<Question>,
    pub(super) catch_up: CatchUp,
}

/// What brings a member up to date, or why there is nothing (`None`: the work panicked).
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) member: MemberId,
    pub(super) from: u64,
    /// Under which others may wait for the same.
    pub(super) question: Option<Question>,
    pub(super) frames: Option<Result<Frames, ScanError>>,
}

impl Todo {
    fn is_empty(&self) -> bool {
        self.append.is_none() && self.pause.is_none() && self.compaction.is_none() && self.differences.is_empty()
    }
}

impl Room {
    pub(super) fn new(context: &Arc<Context>, name: &DocName, desk: &Desk, opened: Opened) -> Self {
        let Opened { state, generation, snapshot_stored, head_stored } = opened;
        desk.gauges.is_stored.store(head_stored > 0, Ordering::Relaxed);
        Self {
            context: Arc::clone(context),
            name: name.clone(),
            generation,
            saver: Saver::new(context.windows.is_open()),
            state,
            seats: Seats::default(),
            saved_stored: head_stored,
            snapshot_stored,
            is_compacting: false,
            compact_from: Instant::now() + if head_stored > 0 { OPENING } else { Duration::ZERO },
            told_uncollected: false,
            todo: Todo::default(),
            life: Life::Open,
            told: Told::of(context, name),
            fails: false,
            answers: HashMap::new(),
            next_ticket: 1, // 0 is nobody's
            sync_answers: Answers::default(),
            attention: Arc::clone(&desk.attention),
            gauges: Arc::clone(&desk.gauges),
            counted: Tally::default(),
            counted_bytes: 0,
            awaited_tick: None,
            effects: Vec::new(),
        }
    }

    /// Whether edits are taken: not while the disk does not keep up.
    pub(super) fn takes_edits(&self) -> bool {
        let unsaved = self.saver.unsaved_bytes() as u64;
        unsaved < self.context.config.max_unsaved.as_u64() && self.life == Life::Open
    }

    /// A member sent something.
    pub(super) fn edit(&mut self, edit: Edit, now: Instant) {
        self.state.edit(edit, now, &mut self.effects);
    }

    /// A member takes a seat.
    pub(super) fn join(&mut self, seat: &Seat, reply: oneshot::Sender<Result<MemberId, JoinError>>, now: Instant) {
        if self.seats.len() >= self.context.config.max_members {
            self.context.metrics.refused.count(Limit::RoomsMaxMembers);
            let _session_has_gone = reply.send(Err(JoinError::Full)).is_err();
            return;
        }
        // What waits to be sent is for those who are here; the newcomer hears of everyone anyway.
        self.state.presence.flush(now, &mut self.effects);
        self.carry_out(now);
        let id = self.context.next_member();
        if reply.send(Ok(id)).is_ok() {
            self.seats.insert(id, Taken::new(seat, Arc::clone(&self.attention)));
            let all_saved = seat.dialect.encode(&Message::AllSaved).is_some();
            let member = Member::new(seat.wants_acks, Hears { all_saved, typing: seat.wants_typing });
            self.state.join(id, member, &mut self.effects);
        }
    }

    /// A member leaves its seat.
    pub(super) fn leave(&mut self, member: MemberId, now: Instant) {
        self.seats.leave(member);
        self.state.leave(member, now, &mut self.effects);
    }

    /// Time passed.
    pub(super) fn tick(&mut self, now: Instant) {
        self.state.tick(now, &mut self.effects);
    }

    /// Something comes from the queue; its place there is free again when its turn is over.
    pub(super) fn request(&mut self, Queued { request, place }: Queued, now: Instant) {
        match request {
            Request::Edit(edit) => self.edit(edit, now),
            Request::Submit { update, reply } => {
                let ticket = Ticket(self.next_ticket);
                self.next_ticket += 1;
                self.answers.insert(ticket, reply);
                self.state.update(Origin::Caller(ticket), update, now, &mut self.effects);
            }
        }
        drop(place);
    }

    /// The document as it is now.
    pub(super) fn reading(&self) -> Reading {
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

    /// The document is going to be deleted: nothing is taken any more. Gives what tells copies of it, should they come back.
    pub(super) fn freeze(&mut self) -> Result<Bytes, DeleteError> {
        if self.state.log.head() == 0 {
            return Err(DeleteError::Unknown);
        }
        self.life = Life::Frozen;
        // An append that is under way is refused after the deletion, or deleted with the rest.
        self.saver.abandon();
        Ok(self.state.lineage().encode().into())
    }

    /// The store has deleted the document or not: the room is over.
    pub(super) fn deleted(&mut self, outcome: Result<Generation, StoreError>) -> Result<(), DeleteError> {
        self.life = Life::Over;
        match outcome {
            Ok(_) => {
                self.seats.end_all(&Ending::Deleted);
                tracing::info!(doc = %self.name, "a document was deleted");
                if let Some(told) = &self.told {
                    told.deleted();
                }
                Ok(())
            }
            Err(error) => {
                // What was not durable is gone from the queue, so the room cannot go on as if nothing had happened.
                self.seats.end_all(&Ending::RoomFailed);
                Err(error.into())
            }
        }
    }

    /// An append has ended.
    pub(super) fn appended(&mut self, outcome: Result<u64, StoreError>, now: Instant) {
        let Some(progress) = self.saver.finish(outcome) else { return };
        match progress {
            Progress::Saved { upto, stored, count, accepted_at } => {
                self.saved_stored = stored;
                self.gauges.is_stored.store(true, Ordering::Relaxed);
                self.count();
                self.context.metrics.updates_saved.increment(count);
                self.context.metrics.save_seconds.record(now.saturating_duration_since(accepted_at));
                self.set_failure(None);
                if let Some(told) = &self.told {
                    told.saved(stored);
                }
                self.state.saved(upto, now, &mut self.effects);
            }
            Progress::Failed { error, pause } => {
                self.todo.pause = Some(pause);
                self.context.metrics.save_failures.increment(1);
                let reason = ErrorChain(&error).to_string();
                if !self.fails {
                    tracing::error!(doc = %self.name, error = %reason, "saving failed, trying again");
                }
                self.set_failure(Some(reason));
            }
            Progress::Lost { error } => {
                tracing::error!(doc = %self.name, error = %ErrorChain(&error), "the store refuses this document");
                self.seats.end_all(&Ending::Unavailable("the document cannot be saved".to_owned()));
                self.life = Life::Over;
            }
        }
    }

    fn set_failure(&mut self, failure: Option<String>) {
        let fails = failure.is_some();
        match (self.fails, fails) {
            (false, false) => return,
            (false, true) => self.context.metrics.rooms_unsaved.increment(1),
            (true, false) => self.context.metrics.rooms_unsaved.decrement(1),
            (true, true) => {}
        }
        self.fails = fails;
        *self.gauges.failure() = failure;
    }

    /// Whether a turn may be left open for edits that follow at once.
    pub(super) fn may_leave_open(&self) -> bool {
        self.effects.len() < OPEN_EFFECTS
    }

    /// Ends the turn that somebody left open, if there is one.
    pub(super) fn end_open_turn(&mut self, now: Instant) {
        if !self.effects.is_empty() {
            self.end_turn(now);
        }
    }

    /// Ends a turn, whoever took it: carries out what the state wants and finds out what is due.
    pub(super) fn end_turn(&mut self, now: Instant) {
        self.state.end_turn(now, &mut self.effects);
        self.carry_out(now);
        match self.saver.due() {
            Due::Nothing => {}
            Due::Window => self.todo.window = true,
            Due::Append(updates) => self.todo.append = Some(updates),
        }
        self.compact_if_due(now);
        self.show();
    }

    /// Whether the task has something to do that it does not know of.
    pub(super) fn needs_its_task(&self) -> bool {
        let is_sooner = |tick: Instant| self.awaited_tick.is_none_or(|awaited| tick < awaited);
        self.life == Life::Over || !self.todo.is_empty() || self.state.next_tick().is_some_and(is_sooner)
    }

    /// When [`tick`](Self::tick) is to be called; the caller waits for that from now on.
    pub(super) fn await_tick(&mut self) -> Option<Instant> {
        self.awaited_tick = self.state.next_tick();
        self.awaited_tick
    }

    fn carry_out(&mut self, now: Instant) {
        let mut parted = Vec::new();
        for effect in std::mem::take(&mut self.effects) {
            if !matches!(effect, Effect::Save { .. } | Effect::Broadcast { .. } | Effect::Presence { .. }) {
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
                Effect::AcknowledgePart { member, update } => self.seats.reply(member, &Message::SavedPart(&update)),
                Effect::Drop { member } => self.seats.reply(member, &Message::Dropped),
                Effect::AllSaved => self.seats.all_saved(),
                Effect::Presence { batch } => self.seats.presence(&batch),
                Effect::PresenceTo { member } => self.send_presence(member),
                Effect::Typing { notes } => self.seats.typing(&notes),
                Effect::Stateless { text } => self.seats.stateless(&text),
                Effect::End { member, ending } => {
                    tracing::info!(doc = %self.name, error = %ending, "a session is refused");
                    if self.seats.end(member, ending) {
                        parted.push(member);
                    }
                }
                Effect::Answer { ticket, answer } => {
                    if let Some(reply) = self.answers.remove(&ticket) {
                        let _caller_has_gone = reply.send(answer.map(|head| Submitted { head })).is_err();
                    }
                }
            }
        }
        self.seats.flush();
        if !parted.is_empty() {
            for member in parted {
                self.leave(member, now);
            }
            return self.carry_out(now);
        }
        // Without members, the room waits for nothing but its end.
        if self.state.is_saving_awaited() || self.seats.is_empty() {
            self.saver.hurry();
        }
    }

    /// Members that drained get what they missed.
    pub(super) fn attend(&mut self) {
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
        self.todo.differences.push(Difference { member, from, question, catch_up });
    }

    /// What a member lacks is known.
    pub(super) fn computed(&mut self, computed: Computed) {
        let Computed { member, from, question, frames } = computed;
        if let Some(Err(error)) = &frames {
            tracing::error!(doc = %self.name, error = %error, "a difference could not be computed");
        }
        let frames = frames.and_then(Result::ok);
        let others = question.map(|question| self.sync_answers.found(question, frames.as_ref()));
        for member in std::iter::once(member).chain(others.into_iter().flatten()) {
            match &frames {
                Some(frames) => self.seats.catch_up(member, from, frames),
                None => {
                    // The connection ends with it on every wire: a new room may do better.
                    let _stays = self.seats.end(member, Ending::RoomFailed);
                }
            }
        }
    }

    /// Whether nothing would be lost or missed if the room ended now.
    pub(super) fn is_quiet(&self) -> bool {
        self.seats.is_empty() && self.answers.is_empty() && self.saver.unsaved() == 0 && !self.is_compacting
    }

    fn show(&mut self) {
        let metrics = &self.context.metrics;
        let members = self.seats.len();
        let before = self.gauges.members.load(Ordering::Relaxed);
        if before != members {
            self.gauges.members.store(members, Ordering::Relaxed);
            metrics.members.increment(gauge(members) - gauge(before));
        }
        self.gauges.unsaved.store(self.saver.unsaved(), Ordering::Relaxed);
        for limit in self.state.reached.drain(..) {
            metrics.refused.count(limit);
        }
        // What is on its way to the disk is counted when it has arrived: then many rooms count one after the other, and the
        // counters, which belong to all of them, are in the cache.
        if self.saver.unsaved() == 0 || self.fails || self.life == Life::Over {
            self.count();
        }
    }

    fn count(&mut self) {
        let metrics = &self.context.metrics;
        let (before, now) = (self.counted, self.state.tally);
        let outcomes = [
            (&metrics.updates_accepted, now.accepted - before.accepted),
            (&metrics.updates_contained, now.contained - before.contained),
            (&metrics.updates_parked, now.parked - before.parked),
            (&metrics.updates_refused, now.refused - before.refused),
        ];
        for (counter, count) in outcomes.into_iter().filter(|(_, count)| *count > 0) {
            counter.increment(count);
        }
        self.counted = now;
        if self.counted_bytes != self.state.log.len() {
            metrics.room_bytes.increment(gauge(self.state.log.len()) - gauge(self.counted_bytes));
            self.counted_bytes = self.state.log.len();
        }
    }

    /// Takes the room out of what is counted.
    pub(super) fn count_out(&mut self) {
        self.set_failure(None);
        self.context.metrics.room_bytes.decrement(gauge(self.counted_bytes));
        self.context.metrics.members.decrement(gauge(self.gauges.members.swap(0, Ordering::Relaxed)));
        self.gauges.unsaved.store(0, Ordering::Relaxed);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge of bytes needs no more than 52 bits")]
fn gauge(bytes: usize) -> f64 {
    bytes as f64
}

/// So much may be left for the end of a turn.
const OPEN_EFFECTS: usize = 256;
/// A document that is opened is joined by all who were away: so long it is not compacted.
const OPENING: Duration = Duration::from_secs(5);
