//! The rules of a room, one sentence each.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::lib0::{write_text, write_var_uint};
use crate::sync::{DocumentBytes, merge};

const ADA: MemberId = MemberId(1);
const BOB: MemberId = MemberId(2);
const EVERYTHING: Hears = Hears { all_saved: true, typing: true };
const CALLER: Origin = Origin::Caller(Ticket(9));

struct Bench {
    state: RoomState,
    now: Instant,
}

impl Bench {
    fn new(config: Config, ancestors: StateVector) -> Self {
        let index = DocumentIndex::load(&DocumentBytes::default()).unwrap();
        let mut state = RoomState::new(config.into(), 1000, index, Log::default(), ancestors);
        state.join(ADA, Member::new(true, EVERYTHING), &mut Vec::new());
        state.join(BOB, Member::new(false, EVERYTHING), &mut Vec::new());
        Self { state, now: Instant::now() }
    }

    fn bring(&mut self, origin: Origin, update: &[u8]) -> Vec<String> {
        let mut effects = Vec::new();
        self.state.update(origin, Bytes::copy_from_slice(update), self.now, &mut effects);
        names(&effects)
    }

    fn saved(&mut self, upto: u64) -> Vec<String> {
        let mut effects = Vec::new();
        self.state.saved(upto, self.now, &mut effects);
        names(&effects)
    }
}

fn room() -> Bench {
    Bench::new(Config::default(), StateVector::default())
}

fn names(effects: &[Effect]) -> Vec<String> {
    let name = |effect: &Effect| match effect {
        Effect::Save { number, .. } => format!("save {number}"),
        Effect::Broadcast { number, except, .. } => format!("broadcast {number} except {except:?}"),
        Effect::Ask { member } => format!("ask {}", member.0),
        Effect::Acknowledge { member, .. } => format!("acknowledge {}", member.0),
        Effect::AcknowledgePart { member, .. } => format!("acknowledge a part {}", member.0),
        Effect::Drop { member } => format!("drop {}", member.0),
        Effect::Answer { answer, .. } => format!("answer {answer:?}"),
        Effect::End { member, ending } => format!("end {}: {ending}", member.0),
        Effect::Presence { .. } => "presence".to_owned(),
        Effect::AllSaved => "all saved".to_owned(),
        other => format!("{other:?}"),
    };
    effects.iter().map(name).collect()
}

fn letter(client: u64, clock: u64) -> Vec<u8> {
    let mut out = vec![1, 1];
    write_var_uint(&mut out, client);
    write_var_uint(&mut out, clock);
    if clock == 0 {
        out.extend([4, 1]);
        write_text(&mut out, "t");
    } else {
        out.push(0x84);
        write_var_uint(&mut out, client);
        write_var_uint(&mut out, clock - 1);
    }
    write_text(&mut out, "a");
    out.push(0);
    out
}

#[test]
fn an_update_is_saved_and_relayed_at_once_and_acknowledged_once_it_is_durable() {
    let mut room = room();
    let expected = ["save 1", "broadcast 1 except Some(MemberId(1))"];
    assert_eq!(room.bring(Origin::Member(ADA), &letter(7, 0)), expected);
    assert_eq!(room.saved(1), ["acknowledge 1", "all saved"]);
    assert_eq!(room.bring(Origin::Member(BOB), &letter(8, 0)).len(), 2);
    assert!(room.saved(2).is_empty(), "nobody asked to hear of it");
}

/// The first letter of one client and the second of another.
fn two_letters() -> Vec<u8> {
    let (first, second) = (letter(7, 0), letter(8, 1));
    let section = |update: &[u8]| update[1..update.len() - 1].to_vec();
    [&[2][..], &section(&second), &section(&first), &[0]].concat()
}

#[test]
fn an_update_of_which_a_part_waits_is_acknowledged_once_when_all_of_it_is_durable() {
    let mut room = room();
    let accepted = room.bring(Origin::Member(ADA), &two_letters());
    assert_eq!(accepted, ["ask 1", "save 1", "broadcast 1 except Some(MemberId(1))"]);
    assert_eq!(room.saved(1), ["acknowledge a part 1", "all saved"]);
    let missing = room.bring(Origin::Member(BOB), &letter(8, 0));
    assert_eq!(missing.iter().filter(|effect| effect.starts_with("save")).count(), 2);
    assert_eq!(room.saved(3).first().map(String::as_str), Some("acknowledge 1"));
}

#[test]
fn what_is_only_compared_is_not_taken_and_acknowledged_when_what_it_repeats_is_durable() {
    let mut room = room();
    room.bring(Origin::Member(BOB), &letter(7, 0));
    let compare = |room: &mut Bench, update: &[u8]| {
        let mut effects = Vec::new();
        let edit = Edit::Compare { member: ADA, update: Bytes::copy_from_slice(update) };
        room.state.edit(edit, room.now, &mut effects);
        names(&effects)
    };
    assert!(compare(&mut room, &letter(7, 0)).is_empty());
    assert_eq!(room.saved(1), ["acknowledge 1", "all saved"]);
    assert_eq!(compare(&mut room, &letter(7, 0)), ["acknowledge 1"]);
    for news in [&letter(7, 1)[..], &[0, 1, 7, 1, 0, 1], b"nonsense"] {
        assert_eq!(compare(&mut room, news), ["drop 1"]);
        assert_eq!(compare(&mut room, news), ["drop 1"]);
    }
    assert_eq!(room.state.log.head(), 1);
}

#[test]
fn everybody_hears_when_all_is_durable_and_not_while_something_waits() {
    let mut room = room();
    for (clock, upto) in [(0, None), (1, Some(1)), (2, Some(3))] {
        room.bring(Origin::Member(BOB), &letter(7, clock));
        let expected: &[&str] = if upto == Some(3) { &["all saved"] } else { &[] };
        assert_eq!(upto.map(|upto| room.saved(upto)).unwrap_or_default(), expected);
    }
    room.bring(Origin::Member(BOB), &letter(7, 3));
    assert!(room.saved(4).is_empty(), "it was said within the last second");
    room.now += Duration::from_secs(1);
    let mut effects = Vec::new();
    room.state.tick(room.now, &mut effects);
    assert_eq!(names(&effects).first().map(String::as_str), Some("all saved"));
}

#[test]
fn what_is_contained_is_neither_saved_nor_relayed_and_acknowledged_when_its_first_copy_is_durable() {
    let mut room = room();
    room.bring(Origin::Member(BOB), &letter(7, 0));
    assert!(room.bring(Origin::Member(ADA), &letter(7, 0)).is_empty());
    assert_eq!(room.saved(1), ["acknowledge 1", "all saved"]);
    assert_eq!(room.bring(CALLER, &letter(7, 0)), ["answer Ok(1)"]);
}

#[test]
fn with_broadcast_after_save_nobody_sees_what_is_not_durable() {
    let config = Config { broadcast: Broadcast::AfterSave, ..Config::default() };
    let mut room = Bench::new(config, StateVector::default());
    assert_eq!(room.bring(Origin::Member(ADA), &letter(7, 0)), ["save 1"]);
    assert_eq!(room.saved(1), ["broadcast 1 except Some(MemberId(1))", "acknowledge 1", "all saved"]);
}

#[test]
fn a_gap_is_answered_with_a_question_once_and_filled_without_an_early_acknowledgement() {
    let mut room = room();
    assert_eq!(room.bring(Origin::Member(ADA), &letter(7, 1)), ["ask 1"]);
    assert!(room.bring(Origin::Member(ADA), &letter(7, 2)).is_empty(), "it was asked already");
    room.now += Duration::from_secs(11);
    assert_eq!(room.bring(Origin::Member(ADA), &letter(7, 3)), ["ask 1"]);
    let effects = room.bring(Origin::Member(ADA), &letter(7, 0));
    assert!(effects.contains(&"save 4".to_owned()), "{effects:?}");
    assert!(effects.iter().all(|effect| !effect.contains("except None") && !effect.starts_with("ack")), "{effects:?}");
    assert_eq!(room.saved(4)[..4], ["acknowledge 1"; 4]);
}

#[test]
fn of_an_update_with_a_hole_the_part_before_it_is_accepted() {
    let mut room = room();
    let (first, third) = (letter(7, 0), letter(7, 2));
    let holed = merge([&first[..], &third[..]]).unwrap();
    assert_eq!(room.bring(Origin::Member(BOB), &holed), ["ask 2", "save 1", "broadcast 1 except Some(MemberId(2))"]);
    assert_eq!(
        room.bring(Origin::Member(ADA), &letter(7, 1)).iter().filter(|name| name.starts_with("save")).count(),
        2
    );
}

#[test]
fn a_caller_whose_update_needs_others_is_told() {
    let mut room = room();
    assert_eq!(room.bring(CALLER, &letter(7, 1)), ["answer Err(Missing)"]);
}

#[test]
fn a_copy_of_a_deleted_document_is_recognised_by_its_state_and_by_its_updates() {
    let mut before = room();
    before.bring(Origin::Member(ADA), &letter(7, 0));
    let mut room = Bench::new(Config::default(), before.state.lineage());
    assert_eq!(room.bring(Origin::Member(ADA), &letter(7, 0)), ["end 1: the document was deleted"]);
    assert_eq!(room.bring(CALLER, &letter(7, 0)), ["answer Err(Deleted)"]);
    let mut effects = Vec::new();
    let state_vector = Bytes::from(before.state.index.state_vector().encode());
    room.state.edit(Edit::Step1 { member: BOB, state_vector }, room.now, &mut effects);
    assert_eq!(names(&effects), ["end 2: the document was deleted"]);
    assert_eq!(room.bring(Origin::Member(ADA), &letter(8, 0)).len(), 2, "new work is welcome");
}

#[test]
fn malformed_and_oversized_updates_end_their_sender_only() {
    let mut room = room();
    let ended = room.bring(Origin::Member(ADA), &[1, 1, 7]);
    assert!(ended.len() == 1 && ended[0].starts_with("end 1: the update is refused"), "{ended:?}");
    let ended = room.bring(Origin::Member(BOB), &[0; 2000]);
    assert!(ended.len() == 1 && ended[0].starts_with("end 2: an update may have at most"), "{ended:?}");
    assert_eq!(room.state.tally.refused, 2);
    assert_eq!(room.state.log.head(), 0);
}

#[test]
fn a_departure_removes_presence_at_once_and_nothing_brings_it_back_from_the_queue() {
    let mut room = room();
    let presence = Bytes::from_static(b"\x01\x07\x01\x02{}");
    let mut effects = Vec::new();
    room.state.edit(Edit::Awareness { member: ADA, update: presence }, room.now, &mut effects);
    assert!(effects.is_empty(), "changes are gathered first");
    room.state.leave(ADA, room.now, &mut effects);
    assert_eq!(names(&effects), ["presence"]);
    let late = Bytes::from_static(b"\x01\x07\x02\x02{}");
    effects.clear();
    room.state.edit(Edit::Awareness { member: ADA, update: late }, room.now, &mut effects);
    room.state.tick(room.now + Duration::from_secs(1), &mut effects);
    assert!(effects.is_empty());
}

#[test]
fn presence_goes_along_with_an_update_but_not_with_each_of_many() {
    let mut room = room();
    let gather = Config::default().awareness.gather;
    let mut turn = |after: Duration, clock: u8, update: Option<Vec<u8>>| {
        room.now += after;
        let mut effects = Vec::new();
        if let Some(update) = update {
            room.state.edit(Edit::Update { member: ADA, update: update.into() }, room.now, &mut effects);
        }
        let presence = Bytes::copy_from_slice(&[1, 7, clock, 2, b'{', b'}']);
        room.state.edit(Edit::Awareness { member: ADA, update: presence }, room.now, &mut effects);
        room.state.tick(room.now, &mut effects);
        room.state.end_turn(room.now, &mut effects);
        names(&effects).into_iter().filter(|name| name == "presence").count()
    };
    assert_eq!(turn(Duration::ZERO, 1, None), 0, "nothing is sent that it could go along with");
    assert_eq!(turn(Duration::ZERO, 2, Some(letter(7, 0))), 1);
    assert_eq!(turn(gather * 6 / 25, 3, Some(letter(7, 1))), 0, "it was just sent");
    assert_eq!(turn(gather / 100, 4, Some(letter(7, 2))), 1);
    assert_eq!(turn(gather, 5, None), 0);
    assert_eq!(turn(gather, 6, None), 1, "alone, when it was gathered long enough");
}

#[test]
fn nobodys_clock_runs_for_what_nobody_hears() {
    let index = DocumentIndex::load(&DocumentBytes::default()).unwrap();
    let state = RoomState::new(Arc::default(), 1000, index, Log::default(), StateVector::default());
    let mut room = Bench { state, now: Instant::now() };
    let mut effects = Vec::new();
    room.state.join(ADA, Member::new(false, Hears::default()), &mut effects);
    room.bring(Origin::Member(ADA), &letter(7, 0));
    assert_eq!(room.saved(1), Vec::<String>::new());
    assert_eq!(room.state.next_tick(), None);

    room.state.join(BOB, Member::new(false, EVERYTHING), &mut effects);
    room.bring(Origin::Member(ADA), &letter(7, 1));
    assert_eq!(room.saved(2), ["all saved"]);
    assert!(room.state.next_tick().is_some(), "Bob is to hear that Ada types");

    room.state.leave(BOB, room.now, &mut effects);
    room.bring(Origin::Member(ADA), &letter(7, 2));
    assert_eq!(room.saved(3), Vec::<String>::new());
}
