//! What a room knows and decides: command in, effects out.
//!
//! Architecture invariant: nothing here awaits, reads the clock or knows a socket, so every rule of a room can be tested
//! as a plain function.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::command::Edit;
use super::config::{Broadcast, Config};
use super::effect::{Effect, Ticket};
use super::errors::SubmitError;
use super::log::{Log, Sight};
use super::parked::Parked;
use super::state_presence::Presence;
use super::state_saved::SavedNotice;
use crate::delivery::Ending;
use crate::ids::{ClientId, MemberId};
use crate::sync::{Body, DocumentIndex, Integration, StateVector, UpdateRef};
use crate::telemetry::Limit;

/// The state of one room.
#[derive(Debug)]
pub(super) struct RoomState {
    pub(super) config: Arc<Config>,
    pub(super) max_update: u64,
    pub(super) index: DocumentIndex,
    /// What was deleted under this name: whoever holds some of it holds a copy of a deleted document.
    pub(super) ancestors: StateVector,
    pub(super) log: Log,
    pub(super) members: HashMap<MemberId, Member>,
    pub(super) presence: Presence,
    pub(super) tally: Tally,
    /// The limits that were reached and are not counted yet.
    pub(super) reached: Vec<Limit>,
    listeners: Listeners,
    saved: u64,
    saved_notice: SavedNotice,
    parked: Parked,
    promises: VecDeque<Promise>,
    held: VecDeque<(u64, MemberOrNone)>,
}

/// What the state needs to know of a member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// Whether it wants to hear when its updates are durable.
    pub(super) wants_acks: bool,
    pub(super) hears: Hears,
    /// The client id of its last edit.
    pub(super) edits_as: Option<ClientId>,
    asked: Option<Asked>,
}

/// What a member is told of, apart from what all are told.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hears {
    /// That everything is durable.
    pub(super) all_saved: bool,
    /// Who is typing.
    pub(super) typing: bool,
}

/// How many members are told of something: nobody's clock runs for what nobody hears.
#[derive(Debug, Default)]
struct Listeners {
    all_saved: usize,
    typing: usize,
}

/// Counts of what became of updates, for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) accepted: u64,
    pub(super) contained: u64,
    pub(super) parked: u64,
    pub(super) refused: u64,
}

/// Who brought an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Member(MemberId),
    Caller(Ticket),
}

type MemberOrNone = Option<MemberId>;

#[derive(Debug, Clone, Copy)]
struct Asked {
    head: u64,
    at: Instant,
}

/// Something to say once everything up to a number is durable.
#[derive(Debug)]
struct Promise {
    number: u64,
    to: Origin,
    update: Bytes,
    about: About,
}

/// What a promise is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// The update with its number.
    Accepted,
    /// A part of an update, with its number.
    Part,
    /// Something that was known already, and is durable at the latest with that number.
    Known,
}

impl Member {
    /// A member that has brought nothing yet.
    pub(super) const fn new(wants_acks: bool, hears: Hears) -> Self {
        Self { wants_acks, hears, edits_as: None, asked: None }
    }
}

impl Promise {
    fn keep(self) -> Effect {
        match self.to {
            Origin::Member(member) if self.about == About::Part => {
                Effect::AcknowledgePart { member, update: self.update }
            }
            Origin::Member(member) => Effect::Acknowledge { member, update: self.update },
            Origin::Caller(ticket) => Effect::Answer { ticket, answer: Ok(self.number) },
        }
    }
}

impl RoomState {
    pub(super) fn new(
        config: Arc<Config>,
        max_update: u64,
        index: DocumentIndex,
        log: Log,
        ancestors: StateVector,
    ) -> Self {
        let saved = log.head();
        Self {
            config,
            max_update,
            index,
            ancestors,
            log,
            members: HashMap::new(),
            presence: Presence::default(),
            tally: Tally::default(),
            reached: Vec::new(),
            listeners: Listeners::default(),
            saved,
            saved_notice: SavedNotice::default(),
            parked: Parked::default(),
            promises: VecDeque::new(),
            held: VecDeque::new(),
        }
    }

    /// A member came: it hears the room's state vector, and who is there.
    pub(super) fn join(&mut self, id: MemberId, member: Member, effects: &mut Vec<Effect>) {
        self.listeners.all_saved += usize::from(member.hears.all_saved);
        self.listeners.typing += usize::from(member.hears.typing);
        self.members.insert(id, member);
        effects.push(Effect::Ask { member: id });
        effects.push(Effect::PresenceTo { member: id });
    }

    /// A member went: the others hear it at once.
    pub(super) fn leave(&mut self, id: MemberId, now: Instant, effects: &mut Vec<Effect>) {
        let client = self.client_of(id);
        if let Some(member) = self.members.remove(&id) {
            self.listeners.all_saved -= usize::from(member.hears.all_saved);
            self.listeners.typing -= usize::from(member.hears.typing);
        }
        self.presence.leave(id, client, now, effects);
    }

    /// A member sent something.
    pub(super) fn edit(&mut self, edit: Edit, now: Instant, effects: &mut Vec<Effect>) {
        match edit {
            Edit::Step1 { member, state_vector } => self.step1(member, &state_vector, effects),
            Edit::Update { member, update } => self.update(Origin::Member(member), update, now, effects),
            Edit::Compare { member, update } if self.index.knows(&update) => {
                self.promise(Origin::Member(member), update, About::Known, effects);
            }
            Edit::Compare { member, .. } => effects.push(Effect::Drop { member }),
            Edit::Awareness { member, update } if self.members.contains_key(&member) => {
                let limit = self.presence.apply((member, &update), &self.config.awareness, now, effects);
                self.reached.extend(limit);
            }
            Edit::QueryAwareness { member } => effects.push(Effect::PresenceTo { member }),
            Edit::Typing { member, typing, place } if self.members.contains_key(&member) => {
                self.presence.typing.set(member, typing, &place, now);
            }
            Edit::Awareness { .. } | Edit::Typing { .. } => {} // of a member that has left
            Edit::Stateless { text } => effects.push(Effect::Stateless { text }),
        }
    }

    /// An update came, from a member or from a caller who waits for an answer.
    pub(super) fn update(&mut self, origin: Origin, update: Bytes, now: Instant, effects: &mut Vec<Effect>) {
        if let Err(refusal) = self.check_bounds(&update).and_then(|()| self.check_ancestors(&update)) {
            return self.refuse(origin, refusal, effects);
        }
        match self.index.integrate(&update) {
            Err(refusal) => self.refuse(origin, SubmitError::Refused(refusal.to_string()), effects),
            Ok(Integration::Contained) => {
                self.tally.contained += 1;
                self.promise(origin, update, About::Known, effects);
            }
            Ok(Integration::Complete) => {
                self.accept(origin, update, About::Accepted, (now, effects));
                self.retry_parked(now, effects);
            }
            Ok(Integration::Partial { accepted, rest }) => {
                self.park(origin, rest.into(), now, effects);
                if let Some(accepted) = accepted {
                    self.accept_part(origin, accepted.into(), now, effects);
                    self.retry_parked(now, effects);
                }
            }
        }
    }

    /// Everything up to a number is durable.
    pub(super) fn saved(&mut self, upto: u64, now: Instant, effects: &mut Vec<Effect>) {
        while let Some((number, except)) = self.held.pop_front_if(|(number, _)| *number <= upto) {
            if let Some(update) = self.log.since(number).and_then(|mut updates| updates.next()) {
                effects.push(Effect::Broadcast { number, update: update.clone(), except });
            }
        }
        self.saved = upto;
        while let Some(promise) = self.promises.pop_front_if(|promise| promise.number <= upto) {
            effects.push(promise.keep());
        }
        let is_heard = upto == self.log.head() && self.listeners.all_saved > 0;
        if is_heard && self.saved_notice.all_saved(now) {
            effects.push(Effect::AllSaved);
        }
    }

    /// Whether somebody waits for what is not durable yet.
    pub(super) fn is_saving_awaited(&self) -> bool {
        !self.promises.is_empty() || !self.held.is_empty()
    }

    /// Time passed.
    pub(super) fn tick(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.saved_notice.take_due(now) {
            effects.push(Effect::AllSaved);
        }
        self.presence.tick(&self.config.awareness, &self.members, now, effects);
    }

    /// A turn ends: presence goes along with what is sent to everyone anyway.
    pub(super) fn end_turn(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.presence.may_go_along(&self.config.awareness, now)
            && effects.iter().any(|effect| matches!(effect, Effect::Broadcast { .. }))
        {
            self.presence.flush(now, effects);
        }
    }

    /// When [`tick`](Self::tick) next has something to do.
    pub(super) fn next_tick(&self) -> Option<Instant> {
        [self.presence.next_tick(), self.saved_notice.next_due()].into_iter().flatten().min()
    }

    /// The number up to which everything is durable.
    pub(super) fn saved_upto(&self) -> u64 {
        self.saved
    }

    /// What a member may be sent of the document now. Its own edits come back to it as the sign that they are durable, and not
    /// before.
    pub(super) fn sight_of(&self, member: MemberId) -> Sight {
        let own = |promise: &&Promise| promise.about != About::Known && promise.to == Origin::Member(member);
        let upto = match self.config.broadcast {
            Broadcast::BeforeSave => u64::MAX,
            Broadcast::AfterSave => self.saved,
        };
        Sight { upto, hidden: self.promises.iter().filter(own).map(|promise| promise.number).collect() }
    }

    /// What a copy of this document knows, to recognise it after a deletion.
    pub(super) fn lineage(&self) -> StateVector {
        let mut lineage = self.ancestors.clone();
        lineage.merge(self.index.state_vector());
        lineage
    }

    fn step1(&mut self, member: MemberId, state_vector: &[u8], effects: &mut Vec<Effect>) {
        match StateVector::decode(state_vector, MAX_CLIENTS) {
            Err(error) => effects.push(Effect::End { member, ending: Ending::Malformed(error.to_string()) }),
            Ok(known) if known.shares_client_with(&self.ancestors) => {
                effects.push(Effect::End { member, ending: Ending::Deleted });
            }
            Ok(known) => effects.push(Effect::Sync { member, known }),
        }
    }

    fn check_bounds(&mut self, update: &[u8]) -> Result<(), SubmitError> {
        if update.len() as u64 > self.max_update {
            self.reached.push(Limit::StoreMaxUpdate);
            return Err(SubmitError::TooLarge(format!("an update may have at most {} bytes", self.max_update)));
        }
        if (self.log.len() + update.len()) as u64 > self.config.max_document.as_u64() {
            self.reached.push(Limit::RoomsMaxDocument);
            return Err(SubmitError::TooLarge(format!("the document may have at most {}", self.config.max_document)));
        }
        Ok(())
    }

    fn check_ancestors(&self, update: &[u8]) -> Result<(), SubmitError> {
        if self.ancestors.is_empty() {
            return Ok(());
        }
        let parsed = UpdateRef::parse(update).map_err(|error| SubmitError::Refused(error.to_string()))?;
        let of_deleted =
            parsed.blocks().any(|block| !matches!(block.body, Body::Skip) && self.ancestors.contains(block.id));
        if of_deleted { Err(SubmitError::Deleted) } else { Ok(()) }
    }

    /// Accepts the part of an update that fits, while the rest waits. A caller has its answer already.
    fn accept_part(&mut self, origin: Origin, part: Bytes, now: Instant, effects: &mut Vec<Effect>) {
        match origin {
            Origin::Member(_) => self.accept(origin, part, About::Part, (now, effects)),
            Origin::Caller(_) => self.accept(NOBODY, part, About::Part, (now, effects)),
        }
    }

    fn accept(&mut self, origin: Origin, update: Bytes, about: About, (now, effects): (Instant, &mut Vec<Effect>)) {
        self.tally.accepted += 1;
        self.saved_notice.accepted();
        let number = self.log.push(update.clone());
        let author = match origin {
            Origin::Member(member) => {
                self.edited(member, &update, now);
                Some(member)
            }
            Origin::Caller(_) => None,
        };
        effects.push(Effect::Save { number, update: update.clone() });
        match self.config.broadcast {
            Broadcast::BeforeSave => {
                effects.push(Effect::Broadcast { number, update: update.clone(), except: author });
            }
            Broadcast::AfterSave => self.held.push_back((number, author)),
        }
        self.promise(origin, update, about, effects);
    }

    fn edited(&mut self, id: MemberId, update: &[u8], now: Instant) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if member.edits_as.is_none() {
            // Who edits under several ids is known by the first; presence comes before this anyway.
            let first = UpdateRef::parse(update).ok().and_then(|parsed| parsed.blocks().next());
            member.edits_as = first.map(|block| block.id.client);
        }
        if self.config.awareness.typing_from_edits && self.listeners.typing > 0 {
            self.presence.typing.edited(id, now);
        }
    }

    fn promise(&mut self, to: Origin, update: Bytes, about: About, effects: &mut Vec<Effect>) {
        let wanted = match to {
            Origin::Member(member) => self.members.get(&member).is_some_and(|member| member.wants_acks),
            Origin::Caller(_) => true,
        };
        if !wanted {
            return;
        }
        let promise = Promise { number: self.log.head(), to, update, about };
        if promise.number <= self.saved {
            effects.push(promise.keep());
        } else {
            self.promises.push_back(promise);
        }
    }

    fn refuse(&mut self, origin: Origin, error: SubmitError, effects: &mut Vec<Effect>) {
        self.tally.refused += 1;
        effects.push(match (origin, error) {
            (Origin::Caller(ticket), error) => Effect::Answer { ticket, answer: Err(error) },
            (Origin::Member(member), SubmitError::TooLarge(what)) => {
                Effect::End { member, ending: Ending::TooLarge(what) }
            }
            (Origin::Member(member), SubmitError::Deleted) => Effect::End { member, ending: Ending::Deleted },
            (Origin::Member(member), error) => Effect::End { member, ending: Ending::Malformed(error.to_string()) },
        });
    }

    fn park(&mut self, origin: Origin, rest: Bytes, now: Instant, effects: &mut Vec<Effect>) {
        self.tally.parked += 1;
        match origin {
            Origin::Caller(ticket) => effects.push(Effect::Answer { ticket, answer: Err(SubmitError::Missing) }),
            Origin::Member(member) => {
                let max = usize::try_from(self.config.max_parked.as_u64()).unwrap_or(usize::MAX);
                self.parked.keep(member, rest, max);
                self.ask(member, now, effects);
            }
        }
    }

    /// Asks a member for what is missing, but not again and again for what it does not have either.
    fn ask(&mut self, id: MemberId, now: Instant, effects: &mut Vec<Effect>) {
        let head = self.log.head();
        let Some(member) = self.members.get_mut(&id) else { return };
        let asked_before = member.asked.is_some_and(|asked| asked.head == head && now < asked.at + ASK_AGAIN);
        if !asked_before {
            member.asked = Some(Asked { head, at: now });
            effects.push(Effect::Ask { member: id });
        }
    }

    /// Something was accepted: what waited may fit now.
    fn retry_parked(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let mut progress = !self.parked.is_empty();
        while progress {
            progress = false;
            for (member, update) in self.parked.take() {
                progress |= self.retry(member, update, now, effects);
            }
        }
    }

    /// Tries one waiting update again; says whether any of it was accepted.
    fn retry(&mut self, member: MemberId, update: Bytes, now: Instant, effects: &mut Vec<Effect>) -> bool {
        let origin = Origin::Member(member);
        match self.index.integrate(&update) {
            Ok(Integration::Complete) => {
                self.accept(origin, update, About::Accepted, (now, effects));
                true
            }
            Ok(Integration::Partial { accepted, rest }) => {
                let progress = accepted.is_some();
                if let Some(accepted) = accepted {
                    self.accept(origin, accepted.into(), About::Part, (now, effects));
                }
                self.parked.keep(member, rest.into(), usize::MAX);
                progress
            }
            Ok(Integration::Contained) => {
                self.promise(origin, update, About::Known, effects);
                false
            }
            Err(_) => false,
        }
    }

    pub(super) fn client_of(&self, id: MemberId) -> Option<ClientId> {
        self.presence.client_of(id, &self.members)
    }
}

/// Nobody waits for an answer under this ticket.
const NOBODY: Origin = Origin::Caller(Ticket(0));
/// A state vector names at most this many clients; more than any document that fits the bounds has.
const MAX_CLIENTS: usize = 1 << 20;
/// A member that could not fill a gap is asked again after this time, or once the document has grown.
const ASK_AGAIN: std::time::Duration = std::time::Duration::from_secs(10);

#[cfg(test)]
#[path = "rules.rs"]
mod tests;
