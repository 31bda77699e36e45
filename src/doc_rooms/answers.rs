//! Answers to state vectors, computed once for all who ask the same while the document does not change.
//!
//! After an outage everybody comes back at once, and most know everything. They are answered without a walk through the
//! document: with the deletions, which a state vector does not tell, and with what came after the snapshot. Who knows nothing
//! gets the snapshot as it is, and what came after it in few pieces.

use bytes::Bytes;

use super::catch_up::{CatchUp, Frames, INLINE_BYTES};
use super::joined::Joined;
use super::log::Log;
use super::state::RoomState;
use crate::ids::MemberId;
use crate::sync::{DocumentBytes, DocumentIndex, StateVector};

/// What was answered, or is being computed.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// The number of the last update that `deletions` and `known` hold for.
    head: u64,
    /// An update with all deletions and nothing else.
    deletions: Option<Bytes>,
    known: Vec<(StateVector, Frames)>,
    under_way: Vec<UnderWay>,
    next_question: u64,
    joined: Joined,
}

/// Stands for an answer that is being computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question(u64);

/// What to do for a member that asks.
#[derive(Debug)]
pub(super) enum Answer {
    /// Compute this; others may wait for it as well.
    Compute(CatchUp, Option<Question>),
    /// Send this.
    Known(Frames),
    /// Nothing: it is being computed already, and goes to this member too.
    UnderWay,
}

#[derive(Debug)]
struct UnderWay {
    question: Question,
    /// The number of the last update that it takes in: what came later reaches only those who were there.
    head: u64,
    state_vector: StateVector,
    waiting: Vec<MemberId>,
}

impl Answers {
    /// How a member that knows so much is to be answered.
    pub(super) fn to(&mut self, member: MemberId, known: StateVector, state: &RoomState) -> Answer {
        let (log, head, sight) = (&state.log, state.log.head(), state.sight_of(member));
        if !sight.shows_all(head) {
            return Answer::Compute(CatchUp::for_state_vector(log, &sight, known), None);
        }
        if known.is_empty() {
            return Answer::Compute(self.everything(log), None);
        }
        self.forget_before(head);
        if let Some((_, frames)) = self.known.iter().find(|(state_vector, _)| *state_vector == known) {
            return Answer::Known(frames.clone());
        }
        let same = |under_way: &&mut UnderWay| under_way.head == head && under_way.state_vector == known;
        if let Some(under_way) = self.under_way.iter_mut().find(same) {
            under_way.waiting.push(member);
            return Answer::UnderWay;
        }
        let catch_up = match self.deletions(&state.index) {
            Some(deletions) if known.covers(state.index.state_vector()) => CatchUp::Ready(deletions),
            Some(deletions) if log.is_snapshot_known(&known) => {
                CatchUp::Above { parts: after_snapshot(log, deletions), known: known.clone() }
            }
            _ => CatchUp::for_state_vector(log, &sight, known.clone()),
        };
        let question = (catch_up.cost() > INLINE_BYTES).then(|| self.ask(head, known));
        Answer::Compute(catch_up, question)
    }

    /// An answer was computed, or not; returns who else waits for it.
    pub(super) fn found(&mut self, question: Question, frames: Option<&Frames>) -> Vec<MemberId> {
        let Some(at) = self.under_way.iter().position(|under_way| under_way.question == question) else {
            return Vec::new();
        };
        let UnderWay { head, state_vector, waiting, .. } = self.under_way.swap_remove(at);
        if let Some(frames) = frames
            && head == self.head
        {
            // Clients choose how much their state vectors name, so that counts too.
            let weight = |state_vector: &StateVector, frames: &Frames| state_vector.len() * ENTRY_BYTES + frames.len();
            self.known.push((state_vector, frames.clone()));
            while self.known.iter().map(|(known, frames)| weight(known, frames)).sum::<usize>() > KEPT_BYTES {
                self.known.remove(0);
            }
        }
        waiting
    }

    fn everything(&mut self, log: &Log) -> CatchUp {
        // What the index has taken in is an update; should one be none after all, it is sent as it is.
        CatchUp::Everything(match self.joined.tail_of(log) {
            Ok(tail) => DocumentBytes { snapshot: log.snapshot(), tail },
            Err(_) => log.document(),
        })
    }

    fn ask(&mut self, head: u64, state_vector: StateVector) -> Question {
        let question = Question(self.next_question);
        self.next_question += 1;
        self.under_way.push(UnderWay { question, head, state_vector, waiting: Vec::new() });
        question
    }

    fn forget_before(&mut self, head: u64) {
        if self.head != head {
            self.head = head;
            self.deletions = None;
            self.known.clear();
        }
    }

    /// An update with all deletions; `None` when they are so many that it is made elsewhere.
    fn deletions(&mut self, index: &DocumentIndex) -> Option<Bytes> {
        if self.deletions.is_none() && index.deleted().len() <= INLINE_RANGES {
            let mut update = vec![0]; // no sections
            index.deleted().encode(&mut update);
            self.deletions = Some(update.into());
        }
        self.deletions.clone()
    }
}

fn after_snapshot(log: &Log, deletions: Bytes) -> DocumentBytes {
    DocumentBytes { snapshot: None, tail: log.tail().cloned().chain([deletions]).collect() }
}

/// So many bytes of answers are kept at most, with what they answer.
const KEPT_BYTES: usize = 1 << 20;
/// About what an entry of a state vector takes in memory.
const ENTRY_BYTES: usize = 24;
/// So many ranges of deletions are encoded on the async thread: it takes less than 500 µs.
const INLINE_RANGES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::Instant;

    use super::*;
    use crate::doc_rooms::effect::Ticket;
    use crate::doc_rooms::state::{Hears, Member, Origin};
    use crate::ids::ClientId;
    use crate::lib0::{write_text, write_var_uint};
    use crate::sync::diff;

    const ADA: MemberId = MemberId(1);
    const BOB: MemberId = MemberId(2);
    const LEN: u32 = 100_000;

    /// A client types a text into the top-level text `t`.
    fn typed(client: u8, text: &str) -> Bytes {
        let mut update = vec![1, 1, client, 0, 4, 1, 1, b't'];
        write_text(&mut update, text);
        update.push(0);
        update.into()
    }

    /// The first letters that client 7 typed are deleted.
    fn deleted(count: u32) -> Bytes {
        let mut update = vec![0, 1, 7, 1, 0];
        write_var_uint(&mut update, count.into());
        update.into()
    }

    /// A long text as the snapshot, a deletion and one letter after it.
    fn room() -> RoomState {
        let snapshot = typed(7, &"x".repeat(LEN as usize));
        let bytes = DocumentBytes { snapshot: Some(snapshot), tail: vec![deleted(9), typed(8, "y")] };
        let (index, state_vector) = DocumentIndex::load_with_snapshot(&bytes).unwrap();
        let log = Log::new(bytes, 5, &state_vector);
        let mut state = RoomState::new(Arc::default(), 1 << 20, index, log, StateVector::default());
        state.join(ADA, Member::new(true, Hears::default()), &mut Vec::new());
        state
    }

    fn known(clocks: &[(u64, u32)]) -> StateVector {
        clocks.iter().map(|(client, clock)| (ClientId::new(*client).unwrap(), *clock)).collect()
    }

    fn client(number: u64) -> (ClientId, u32) {
        (ClientId::new(number).unwrap(), 1)
    }

    fn walked(state: &RoomState, known: &StateVector) -> Bytes {
        diff(state.log.document().parts().map(AsRef::as_ref), known).unwrap().into()
    }

    fn change(state: &mut RoomState, client: u8, origin: Origin) {
        state.update(origin, typed(client, "z"), Instant::now(), &mut Vec::new());
    }

    #[test]
    fn who_knows_everything_or_the_snapshot_is_answered_without_a_walk_and_with_the_same_bytes() {
        let state = room();
        for clocks in [&[(7, LEN), (8, 1)][..], &[(7, LEN), (8, 1), (9, 5)], &[(7, LEN)], &[(7, LEN), (8, 0)]] {
            let known = known(clocks);
            let Answer::Compute(catch_up, None) = Answers::default().to(ADA, known.clone(), &state) else {
                panic!("{clocks:?}")
            };
            assert!(catch_up.cost() < 100, "{clocks:?}");
            assert_eq!(catch_up.compute().unwrap().step2, walked(&state, &known), "{clocks:?}");
        }
    }

    #[test]
    fn a_walk_is_done_once_for_all_who_ask_the_same_until_something_changes() {
        let mut state = room();
        let half = known(&[(7, LEN / 2)]);
        let mut answers = Answers::default();
        let Answer::Compute(catch_up, Some(question)) = answers.to(ADA, half.clone(), &state) else { panic!("first") };
        assert!(matches!(answers.to(BOB, half.clone(), &state), Answer::UnderWay));
        assert!(matches!(answers.to(BOB, known(&[(7, 1)]), &state), Answer::Compute(_, Some(_))));
        let frames = catch_up.compute().unwrap();
        assert_eq!(answers.found(question, Some(&frames)), [BOB]);
        let Answer::Known(again) = answers.to(BOB, half.clone(), &state) else { panic!("kept") };
        assert_eq!(again.step2, walked(&state, &half));
        change(&mut state, 10, Origin::Caller(Ticket(9)));
        let Answer::Compute(catch_up, Some(question)) = answers.to(ADA, half.clone(), &state) else { panic!("new") };
        assert_eq!(catch_up.compute().unwrap().step2, walked(&state, &half));
        // Who comes now needs what an answer under way does not have yet.
        change(&mut state, 11, Origin::Caller(Ticket(9)));
        assert!(matches!(answers.to(BOB, half.clone(), &state), Answer::Compute(_, Some(_))));
        assert!(answers.found(question, Some(&frames)).is_empty());
        assert!(answers.known.is_empty(), "an answer is kept that lacks the last update");
    }

    #[test]
    fn an_answer_hides_the_members_own_edit_until_it_is_durable() {
        let mut state = room();
        change(&mut state, 10, Origin::Member(ADA));
        let known = known(&[(7, LEN), (8, 1)]);
        let letters = |catch_up: CatchUp| catch_up.compute().unwrap().step2;
        let Answer::Compute(own, None) = Answers::default().to(ADA, known.clone(), &state) else { panic!("own") };
        let Answer::Compute(others, None) = Answers::default().to(BOB, known.clone(), &state) else { panic!("others") };
        assert_eq!(letters(others), walked(&state, &known));
        assert_eq!(letters(own), deleted(9));
    }

    #[test]
    fn who_knows_nothing_gets_the_snapshot_itself_and_the_rest_joined() {
        let mut state = room();
        for client in 10..60 {
            change(&mut state, client, Origin::Caller(Ticket(9)));
        }
        let Answer::Compute(catch_up, None) = Answers::default().to(BOB, StateVector::new(), &state) else { panic!() };
        let Frames { updates, step2 } = catch_up.compute().unwrap();
        let document = state.log.document();
        assert_eq!(
            updates.iter().map(|update| update.as_ptr()).collect::<Vec<_>>(),
            [document.snapshot.unwrap().as_ptr()]
        );
        assert_eq!(step2, crate::sync::merge(document.tail.iter().map(AsRef::as_ref)).unwrap());
    }

    #[test]
    fn answers_are_kept_within_a_bound() {
        let state = room();
        let mut answers = Answers::default();
        for clock in 0..40 {
            let Answer::Compute(_, Some(question)) = answers.to(ADA, known(&[(7, 1 + clock)]), &state) else {
                panic!("{clock}")
            };
            let frames = Frames { updates: Vec::new(), step2: Bytes::from(vec![0; LEN as usize]) };
            assert!(answers.found(question, Some(&frames)).is_empty());
        }
        assert_eq!(answers.known.len(), KEPT_BYTES / LEN as usize);
        assert!(answers.under_way.is_empty());
        for clock in 0..10 {
            let many = known(&[(7, 1 + clock)]).iter().chain((100..20_100).map(client)).collect();
            let Answer::Compute(_, Some(question)) = answers.to(ADA, many, &state) else { panic!("{clock}") };
            let frames = Frames { updates: Vec::new(), step2: Bytes::from_static(&[0, 0]) };
            assert!(answers.found(question, Some(&frames)).is_empty());
        }
        assert_eq!(answers.known.len(), 2, "small answers to state vectors of half a megabyte");
    }
}
