//! The members' seats: where a room's words turn into frames.
//!
//! Each message is encoded once for all members that share a dialect; updates that come together are handed over together.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::catch_up::Frames;
use super::membership::Taken;
use crate::awareness::{PresenceBatch, TypingNote};
use crate::delivery::{Dialect, Ending, Framed, Lane, Message, Pushed, Run, Typist};
use crate::ids::{ClientId, MemberId};

/// The members of one room.
#[derive(Debug, Default)]
pub(super) struct Seats {
    members: HashMap<MemberId, Taken>,
    /// The dialects that were spoken here, each once.
    dialects: Vec<Arc<dyn Dialect>>,
    /// Members that lack updates because they read too slowly.
    behind: Vec<MemberId>,
    /// Updates that are to be sent next.
    updates: Vec<Outgoing>,
    bytes: usize,
}

/// An update for all members but one; the numbers of several grow.
#[derive(Debug)]
struct Outgoing {
    number: u64,
    update: Bytes,
    except: Option<MemberId>,
}

impl Seats {
    pub(super) fn insert(&mut self, member: MemberId, mut seat: Taken) {
        // Members that speak alike share one dialect, so that it is told by its address and lies in the cache.
        match self.dialects.iter().find(|known| known.key() == seat.dialect.key()) {
            Some(known) => seat.dialect = Arc::clone(known),
            None => self.dialects.push(Arc::clone(&seat.dialect)),
        }
        self.members.insert(member, seat);
    }

    pub(super) fn leave(&mut self, member: MemberId) {
        self.behind.retain(|other| *other != member);
        if let Some(seat) = self.members.remove(&member) {
            seat.leave();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Takes an update for all but one; [`flush`](Self::flush) or [`presence`](Self::presence) sends it, at the latest before
    /// anything else is sent.
    pub(super) fn broadcast(&mut self, number: u64, update: Bytes, except: Option<MemberId>) {
        self.bytes += update.len();
        self.updates.push(Outgoing { number, update, except });
        if self.bytes >= RUN_BYTES {
            self.flush();
        }
    }

    /// Sends the updates that were taken: to each member as many as the socket takes in one write.
    pub(super) fn flush(&mut self) {
        if !self.updates.is_empty() {
            self.send(None);
        }
    }

    /// Sends changed presence to everyone but those it comes from, in one write with the updates that were taken before it.
    pub(super) fn presence(&mut self, batch: &PresenceBatch) {
        if self.bytes >= LARGE {
            self.flush();
        }
        self.send(Some(&(batch, batch.encode())));
    }

    fn send(&mut self, presence: Option<&(&PresenceBatch, Bytes)>) {
        self.bytes = 0;
        // Not kept for the next ones: by then it has left the cache, and what the allocator gives has not.
        let updates = std::mem::take(&mut self.updates);
        let mut runs: SmallVec<[(&Arc<dyn Dialect>, Run); 2]> = SmallVec::new();
        for (id, seat) in warmed(&self.members) {
            let at = runs.iter().position(|(known, _)| Arc::ptr_eq(known, &seat.dialect)).unwrap_or_else(|| {
                let everyone = presence.map(|(_, everyone)| everyone);
                runs.push((&seat.dialect, run(&updates, everyone, seat)));
                runs.len() - 1
            });
            let Some((_, everything)) = runs.get(at) else { continue };
            let its_own = presence.map(|(batch, _)| *batch).filter(|batch| batch.concerns(*id));
            let pushed = if its_own.is_some() || updates.iter().any(|outgoing| outgoing.except == Some(*id)) {
                let part = match its_own {
                    Some(batch) => batch.encode_without(*id).and_then(|part| presence_frame(seat, &part)),
                    None => everything.presence().cloned(),
                };
                seat.lane.documents(&without(everything, &updates, *id, part))
            } else {
                seat.lane.documents(everything)
            };
            note_behind(&mut self.behind, *id, pushed);
        }
    }

    /// Brings one member up to date from a number on: by updates, if it takes several frames, and a Step2 at the end.
    pub(super) fn catch_up(&mut self, member: MemberId, from: u64, frames: &Frames) {
        let Some(seat) = self.members.get(&member) else { return };
        let updates = frames.updates.iter().map(|update| framed(seat, &Message::Update(update), update));
        let last = std::iter::once_with(|| framed(seat, &Message::Step2(&frames.step2), &frames.step2));
        let pushed = seat.lane.catch_up(from, updates.chain(last).flatten());
        note_behind(&mut self.behind, member, pushed);
    }

    /// Tells everyone that everything which was accepted is durable.
    pub(super) fn all_saved(&self) {
        let mut frames = Encoded::default();
        for seat in self.members.values() {
            if let Some(frame) = frames.of(seat, &Message::AllSaved) {
                seat.lane.presence(frame);
            }
        }
    }

    /// Answers one member.
    pub(super) fn reply(&self, member: MemberId, message: &Message<'_>) {
        if let Some(seat) = self.members.get(&member)
            && let Some(frame) = seat.dialect.encode(message)
        {
            seat.lane.reply(frame);
        }
    }

    /// Sends presence to one member.
    pub(super) fn presence_to(&self, member: MemberId, batch: &PresenceBatch) {
        let Some(seat) = self.members.get(&member) else { return };
        let Some(others) = batch.encode_without(member) else { return };
        if let Some(frame) = presence_frame(seat, &others) {
            seat.lane.presence(frame);
        }
    }

    /// Sends typing notes to everyone who asked for them but those they speak of.
    pub(super) fn typing(&self, notes: &[(ClientId, TypingNote)]) {
        let mut frames = Encoded::default();
        for (id, seat) in self.members.iter().filter(|(_, seat)| seat.wants_typing) {
            let frame = if notes.iter().any(|(_, note)| note.member == *id) {
                let others = typists(notes.iter().filter(|(_, note)| note.member != *id));
                if others.is_empty() { None } else { seat.dialect.encode(&Message::Typing(&others)) }
            } else {
                frames.of(seat, &Message::Typing(&typists(notes.iter())))
            };
            if let Some(frame) = frame {
                seat.lane.presence(frame);
            }
        }
    }

    /// Tells one member who is typing.
    pub(super) fn typing_to(&self, member: MemberId, notes: &[(ClientId, TypingNote)]) {
        if let Some(seat) = self.members.get(&member)
            && seat.wants_typing
            && !notes.is_empty()
            && let Some(frame) = seat.dialect.encode(&Message::Typing(&typists(notes.iter())))
        {
            seat.lane.presence(frame);
        }
    }

    /// Sends a text of the application to everyone. None is skipped, so who does not read them is ended in the end.
    pub(super) fn stateless(&self, text: &str) {
        let mut frames = Encoded::default();
        for seat in self.members.values() {
            if let Some(frame) = frames.of(seat, &Message::Stateless(text)) {
                seat.lane.reply(frame);
            }
        }
    }

    /// Ends one member's session; says whether its connection stays, so that it is to leave.
    pub(super) fn end(&self, member: MemberId, ending: Ending) -> bool {
        self.members.get(&member).is_some_and(|seat| seat.end(ending))
    }

    /// Ends every session.
    pub(super) fn end_all(&self, ending: &Ending) {
        for seat in self.members.values() {
            seat.end(ending.clone());
        }
    }

    /// The members that are behind and can be served again, with the number from which they lack updates. They count as
    /// served: the caller sends what they lack before anything else.
    pub(super) fn take_drained(&mut self) -> Vec<(MemberId, u64)> {
        let mut drained = Vec::new();
        self.behind.retain(|id| {
            let Some(seat) = self.members.get(id) else { return false };
            let Some(from) = seat.lane.wants_resync() else { return true };
            seat.lane.resume();
            drained.push((*id, from));
            false
        });
        drained
    }

    /// The members that missed presence and can be served again.
    pub(super) fn take_missed_presence(&self) -> Vec<MemberId> {
        let missed = self.members.iter().filter(|(_, seat)| Lane::take_missed_presence(&seat.lane));
        missed.map(|(id, _)| *id).collect()
    }
}

/// The members, with the outboxes of a few at a time brought into the CPU's cache.
fn warmed(members: &HashMap<MemberId, Taken>) -> impl Iterator<Item = (&MemberId, &Taken)> {
    let mut ahead = members.values();
    members.iter().enumerate().map(move |(at, member)| {
        if at % WARM == 0 {
            Lane::touch(ahead.clone().take(WARM).map(|seat| &seat.lane));
            ahead.by_ref().take(WARM).for_each(drop);
        }
        member
    })
}

/// The frames of one message, by dialect.
#[derive(Debug, Default)]
struct Encoded<'a>(Vec<(&'a Arc<dyn Dialect>, Option<Bytes>)>);

impl<'a> Encoded<'a> {
    fn of(&mut self, seat: &'a Taken, message: &Message<'_>) -> Option<Bytes> {
        if let Some((_, frame)) = self.0.iter().find(|(known, _)| Arc::ptr_eq(known, &seat.dialect)) {
            return frame.clone();
        }
        let frame = seat.dialect.encode(message);
        self.0.push((&seat.dialect, frame.clone()));
        frame
    }
}

/// A frame in a seat's dialect for a message that brings an update; a large one is not copied into it.
fn framed(seat: &Taken, message: &Message<'_>, update: &Bytes) -> Option<Framed> {
    if update.len() >= LARGE
        && let Some(head) = seat.dialect.head(message)
    {
        return Some(Framed::new(head, update.clone()));
    }
    seat.dialect.encode(message).map(Framed::from)
}

fn presence_frame(seat: &Taken, presence: &[u8]) -> Option<Bytes> {
    seat.dialect.encode(&Message::Awareness(presence))
}

/// The updates and the presence as frames of a seat's dialect.
fn run(updates: &[Outgoing], presence: Option<&Bytes>, seat: &Taken) -> Run {
    let frame = |outgoing: &Outgoing| {
        let frame = seat.dialect.encode(&Message::Update(&outgoing.update))?;
        Some((outgoing.number, frame))
    };
    Run::along(updates.iter().filter_map(frame), presence.and_then(|presence| presence_frame(seat, presence)))
}

/// A run without the updates that are not for this member, and with the presence that is.
fn without(run: &Run, updates: &[Outgoing], member: MemberId, presence: Option<Bytes>) -> Run {
    let is_for = |number: &u64| {
        let at = updates.binary_search_by_key(number, |outgoing| outgoing.number);
        at.ok().and_then(|at| updates.get(at)).is_none_or(|outgoing| outgoing.except != Some(member))
    };
    Run::along(run.frames().iter().filter(|(number, _)| is_for(number)).cloned(), presence)
}

fn note_behind(behind: &mut Vec<MemberId>, member: MemberId, pushed: Pushed) {
    if matches!(pushed, Pushed::Behind { .. }) && !behind.contains(&member) {
        behind.push(member);
    }
}

fn typists<'a>(notes: impl Iterator<Item = &'a (ClientId, TypingNote)>) -> Vec<Typist<'a>> {
    notes.map(|(client, note)| Typist { client: *client, typing: note.typing, place: &note.place }).collect()
}

/// Updates of so many bytes are sent without waiting for others.
const RUN_BYTES: usize = 64 * 1024;
/// How many outboxes are brought into the cache at once: as many as a CPU waits for at the same time.
const WARM: usize = 8;
/// To copy fewer bytes costs less than to write in two parts.
const LARGE: usize = 32 * 1024;
