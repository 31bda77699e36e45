//! What the gate lets in, hands back and refuses, and that this never changes by merging.

use proptest::prelude::*;

use super::*;
use crate::sync::samples::{At, Sample, any_update, id};
use crate::sync::{DocumentBytes, RootKind, UpdateRef, merge};

fn update() -> Sample {
    Sample::default()
}

fn index_of(updates: &[&Sample]) -> DocumentIndex {
    let mut index = DocumentIndex::new();
    for update in updates {
        assert_eq!(index.integrate(&update.bytes()), Ok(Integration::Complete));
    }
    index
}

/// What the gate answers to an update after others, and that a refusal leaves no trace.
fn answer(before: &[&Sample], update: &Sample) -> Result<Integration, Refusal> {
    let mut index = index_of(before);
    let trace = format!("{:?}", (index.state_vector(), index.deleted(), index.root_kinds()));
    let answer = index.integrate(&update.bytes());
    if answer.is_err() {
        assert_eq!(format!("{:?}", (index.state_vector(), index.deleted(), index.root_kinds())), trace);
    }
    answer
}

/// Client 1 has a text "abc", a type at clock 3 in the list "l", and a value under a key of "m" at clock 4.
fn base() -> Sample {
    update().section(1, 0).text(At::Root("t"), "abc").block(7, At::Root("l"), &[2]).block(
        8,
        At::RootKey("m", "k"),
        &[1, 126],
    )
}

#[test]
fn new_repeated_and_early_updates_are_told_apart() {
    let next = update().section(2, 0).text(At::After(id(1, 2)), "d").delete(1, 0, 1);
    assert_eq!(answer(&[&base()], &next), Ok(Integration::Complete));
    assert_eq!(answer(&[&base(), &next], &next), Ok(Integration::Contained));
    assert_eq!(answer(&[], &next), Ok(Integration::Partial { accepted: None, rest: next.bytes() }));
}

#[test]
fn a_new_deletion_alone_is_news() {
    let deletion = update().delete(1, 0, 2);
    assert_eq!(answer(&[&base()], &deletion), Ok(Integration::Complete));
    assert_eq!(answer(&[&base(), &deletion], &update().delete(1, 1, 1)), Ok(Integration::Contained));
}

#[test]
fn the_part_before_a_hole_is_accepted_and_the_rest_handed_back() {
    let early = update()
        .section(1, 5)
        .text(At::After(id(1, 2)), "d")
        .raw(&[10, 1])
        .text(At::After(id(1, 6)), "f")
        .delete(1, 2, 6);
    let accepted = update().section(1, 5).text(At::After(id(1, 2)), "d").delete(1, 2, 4).bytes();
    let rest = update().section(1, 7).text(At::After(id(1, 6)), "f").delete(1, 6, 2).bytes();
    assert_eq!(answer(&[&base()], &early), Ok(Integration::Partial { accepted: Some(accepted), rest: rest.clone() }));
    let missing = update().section(1, 5).text(At::After(id(1, 2)), "de");
    let mut index = index_of(&[&base(), &missing]);
    assert_eq!(index.integrate(&rest), Ok(Integration::Complete));
}

#[test]
fn sections_that_need_each_other_in_turns_are_accepted() {
    let turns = update()
        .section(1, 0)
        .text(At::Root("t"), "a")
        .text(At::After(id(2, 0)), "c")
        .section(2, 0)
        .text(At::After(id(1, 0)), "b")
        .text(At::After(id(1, 1)), "d");
    assert_eq!(answer(&[], &turns), Ok(Integration::Complete));
}

#[test]
fn a_circle_of_needs_is_refused_not_parked() {
    let circle = update().section(1, 0).text(At::After(id(2, 0)), "a").section(2, 0).text(At::After(id(1, 0)), "b");
    assert_eq!(answer(&[], &circle), Err(Refusal::Cycle));
    assert_eq!(answer(&[], &update().section(1, 0).text(At::After(id(1, 0)), "a")), Err(Refusal::Cycle));
    // A circle that only goes through what is missing may still come about in time.
    let open = update().section(1, 0).text(At::After(id(2, 5)), "a").section(2, 0).text(At::After(id(1, 0)), "b");
    assert!(matches!(answer(&[], &open), Ok(Integration::Partial { accepted: None, .. })));
}

#[test]
fn a_duplicate_with_impossible_references_is_refused() {
    let again = update().section(1, 0).text(At::After(id(1, 9)), "abc");
    assert_eq!(answer(&[&base()], &again), Err(Refusal::Cycle));
}

#[test]
fn a_duplicate_with_unknown_references_is_not_relayed() {
    let again = update().section(1, 0).text(At::After(id(9, 9)), "abc");
    assert_eq!(answer(&[&base()], &again), Ok(Integration::Contained));
    let accepted = update().section(2, 0).text(At::After(id(1, 2)), "e").bytes();
    let known = update().section(1, 0).text(At::After(id(9, 9)), "abc").section(2, 0).text(At::After(id(1, 2)), "e");
    assert_eq!(answer(&[&base()], &known), Ok(Integration::Partial { accepted: Some(accepted), rest: vec![0, 0] }));
}

#[test]
fn impossible_places_are_refused_with_the_reason() {
    let base = base();
    let next = |at| update().section(2, 0).text(at, "x");
    let cases = [
        (next(At::In(id(1, 0))), Refusal::ParentIsNoType),
        (next(At::Between(id(1, 0), id(1, 3))), Refusal::NeighboursApart),
        (next(At::Between(id(1, 1), id(1, 1))), Refusal::SameNeighbours),
        (next(At::After(id(1, 4))), Refusal::KeyedContent),
        (update().section(2, 0).block(6, At::After(id(1, 4)), &[0, 1, b'1']), Refusal::KeyedContent),
        (update().section(2, 0).block(8, At::After(id(1, 4)), &[2, 126, 126]), Refusal::KeyedContent),
        (update().section(1, 3).text(At::Root("t"), "xyz"), Refusal::TornBlock),
        (update().delete(1, 5, 0), Refusal::EmptyDeletion),
    ];
    for (update, reason) in cases {
        assert_eq!(answer(&[&base], &update), Err(reason));
    }
}

#[test]
fn several_values_under_one_key_are_honest_when_all_are_deleted() {
    let replaced = update().section(2, 0).block(8, At::RootKey("m", "k"), &[2, 126, 126]).delete(2, 0, 2);
    assert_eq!(answer(&[], &replaced), Ok(Integration::Complete));
}

#[test]
fn what_comes_into_a_collected_type_is_collected_too() {
    let collected = update().section(1, 0).block(1, At::Root("l"), &[1]).raw(&[0, 2]);
    let late = update().section(2, 0).text(At::In(id(1, 0)), "x").text(At::After(id(1, 2)), "y");
    let index = index_of(&[&collected, &late]);
    assert!(index.deleted().contains(id(2, 0)) && index.deleted().contains(id(2, 1)));
}

#[test]
fn nesting_ends_where_other_readers_would_overflow() {
    let depth = u32::from(DocumentIndex::MAX_NESTING) - 1;
    let nested = (0..depth).fold(update().section(1, 0).block(7, At::Root("l"), &[0]), |update, clock| {
        update.block(7, At::In(id(1, clock)), &[0])
    });
    let index = index_of(&[&nested]);
    assert_eq!(index.state_vector().clock(id(1, 0).client), depth + 1);
    assert_eq!(answer(&[], &nested.block(7, At::In(id(1, depth)), &[0])), Err(Refusal::TooDeep));
}

#[test]
fn roots_show_their_kind_by_what_they_hold() {
    let sample = base()
        .block(1, At::Root("gone"), &[1])
        .text(At::After(id(1, 5)), "inherits")
        .block(7, At::Root("x"), &[3, 1, b'p'])
        .block(1, At::RootKey("left", "k"), &[1])
        .block(1, At::Root("only"), &[1]);
    let kinds = index_of(&[&sample]).root_kinds();
    let expected = [
        ("gone", RootKind::Text),
        ("l", RootKind::Array),
        ("left", RootKind::Map),
        ("m", RootKind::Map),
        ("only", RootKind::Text),
        ("t", RootKind::Text),
        ("x", RootKind::Xml),
    ];
    assert!(kinds.iter().map(|(name, kind)| (name.as_str(), *kind)).eq(expected), "{kinds:?}");
}

#[test]
fn hostile_chains_of_waits_take_linear_time() {
    // Each section waits for the next one's last block.
    let sections = 20_000_u32;
    let chain = (0..sections).fold(update(), |update, n| {
        let at = if n + 1 < sections { At::After(id(u64::from(n) + 2, 0)) } else { At::Root("t") };
        update.section(u64::from(n) + 1, 0).text(at, "x")
    });
    assert_eq!(answer(&[], &chain), Ok(Integration::Complete));
}

#[test]
fn a_document_that_lacks_something_names_the_part() {
    let next = update().section(2, 0).text(At::After(id(1, 2)), "d");
    let parts = |parts: &[&Sample]| DocumentBytes {
        snapshot: None,
        tail: parts.iter().map(|part| part.bytes().into()).collect(),
    };
    assert!(DocumentIndex::load(&parts(&[&base(), &next])).is_ok());
    assert_eq!(DocumentIndex::load(&parts(&[&next, &base()])).err(), Some(LoadError::Incomplete { part: 0 }));
    let torn = update().section(1, 3).text(At::Root("t"), "xyz");
    assert_eq!(
        DocumentIndex::load(&parts(&[&base(), &torn])).err(),
        Some(LoadError::Refused { part: 1, source: Refusal::TornBlock })
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_is_accepted_is_accepted_again_merged(updates in proptest::collection::vec(any_update(), 0..12)) {
        let (mut index, mut accepted) = (DocumentIndex::new(), Vec::new());
        for update in updates {
            match index.integrate(&update) {
                Ok(Integration::Complete) => accepted.push(update),
                Ok(Integration::Partial { accepted: part, rest }) => {
                    prop_assert!(UpdateRef::parse(&rest).is_ok());
                    accepted.extend(part);
                }
                Ok(Integration::Contained) | Err(_) => {}
            }
        }
        let merged = merge(accepted.iter().map(Vec::as_slice)).unwrap();
        let tail = accepted.iter().map(|update| update.clone().into()).collect();
        for document in [
            DocumentBytes { snapshot: Some(merged.into()), tail: Vec::new() },
            DocumentBytes { snapshot: None, tail },
        ] {
            let loaded = DocumentIndex::load(&document).unwrap();
            prop_assert_eq!(loaded.state_vector(), index.state_vector());
            prop_assert_eq!(loaded.deleted(), index.deleted());
            prop_assert_eq!(loaded.root_kinds(), index.root_kinds());
        }
    }
}
