//! Collections of documents written by hand and at random.

use proptest::prelude::*;

use super::{collect, is_collection_of};
use crate::sync::samples::{At, Sample, any_update, id};
use crate::sync::{DocumentBytes, DocumentIndex, Integration, UpdateRef, deletions_of, merge, state_vector_of};

fn collected(update: &Sample) -> Vec<u8> {
    let bytes = update.bytes();
    let out = collect([bytes.as_slice()]).unwrap();
    assert!(is_collection_of(&out, &merge([bytes.as_slice()]).unwrap()));
    assert_eq!(collect([out.as_slice()]).unwrap(), out, "once is enough");
    out
}

/// A paragraph in the root `x` with a text of client 1, and a bold mark and an attribute.
fn paragraph() -> Sample {
    Sample::default()
        .section(1, 0)
        .block(7, At::Root("x"), &[3, 1, b'p'])
        .block(7, At::In(id(1, 0)), &[6])
        .block(6, At::In(id(1, 1)), b"\x04bold\x04true")
        .text(At::After(id(1, 2)), "typed")
        .block(8, At::InKey(id(1, 0), "class"), &[1, 119, 1, b'c'])
}

#[test]
fn deleted_text_leaves_its_length_in_its_place_and_neighbours_join() {
    let typed = Sample::default().section(1, 0).text(At::Root("t"), "a passage and f");
    let expected = Sample::default()
        .section(1, 0)
        .text(At::Root("t"), "a")
        .block(1, At::After(id(1, 0)), &[13])
        .text(At::After(id(1, 13)), "f")
        .delete(1, 1, 13);
    assert_eq!(collected(&typed.delete(1, 1, 13)), expected.bytes());
    // Deleted in two goes, one of them typed later.
    let typed = Sample::default().section(1, 0).text(At::Root("t"), "abcdef");
    let later = typed.section(2, 0).text(At::After(id(1, 5)), "gh").text(At::After(id(2, 1)), "ij");
    let bytes = collected(&later.delete(2, 1, 1).delete(2, 2, 2).delete(1, 0, 6));
    let expected = Sample::default()
        .section(2, 0)
        .text(At::After(id(1, 5)), "g   ")
        .section(1, 0)
        .block(1, At::Root("t"), &[6])
        .delete(2, 1, 3)
        .delete(1, 0, 6);
    assert_eq!(bytes, expected.bytes());
}

#[test]
fn a_few_deleted_letters_amid_a_text_become_blanks_since_a_cut_is_longer() {
    let typed = |text, len| Sample::default().section(1, 0).text(At::Root("t"), text).delete(1, 2, len);
    // Each of two cuts takes its kind, an id of two bytes, and a length.
    assert_eq!(collected(&typed("a wrong key", 6)), typed("a       key", 6).bytes());
    assert_eq!(collected(&typed("a wroong, key", 8)), typed("a         key", 8).bytes());
    let cut = Sample::default().section(1, 0).text(At::Root("t"), "a ").block(1, At::After(id(1, 1)), &[9]);
    let cut = cut.text(At::After(id(1, 10)), "key").delete(1, 2, 9);
    assert_eq!(collected(&typed("a wrooong, key", 9)), cut.bytes());
    // Nothing follows, so that there is one cut.
    assert_eq!(collected(&typed("a key", 3)), typed("a    ", 3).bytes());
}

#[test]
fn lengths_count_utf16_units_and_half_a_pair_is_replaced_as_in_yjs() {
    let typed = |text, at, len| Sample::default().section(1, 0).text(At::Root("t"), text).delete(1, at, len);
    assert_eq!(collected(&typed("a😀ß€z", 2, 2)), typed("a\u{fffd}  €z", 2, 2).bytes());
    assert_eq!(collected(&typed("😀b", 0, 1)), typed(" \u{fffd}b", 0, 1).bytes());
    let expected = Sample::default()
        .section(1, 0)
        .text(At::Root("t"), "a\u{fffd}")
        .block(1, At::After(id(1, 1)), &[13])
        .text(At::After(id(1, 14)), "\u{fffd}z")
        .delete(1, 2, 13);
    assert_eq!(collected(&typed("a😀ß€ and more😀z", 2, 13)), expected.bytes());
}

#[test]
fn every_kind_of_content_can_go() {
    let kinds: [(u8, &[u8], u8); 8] = [
        (2, b"\x02\x011\x012", 2),
        (3, &[1, 9], 1),
        (4, b"\x02ab", 2),
        (5, b"\x02{}", 1),
        (6, b"\x01b\x04true", 1),
        (7, &[1], 1),
        (8, &[2, 126, 127], 2),
        (9, &[1, b'g', 118, 0], 1),
    ];
    for (kind, content, len) in kinds {
        let given = Sample::default().section(1, 0).block(kind, At::Root("r"), content).delete(1, 0, len.into());
        let expected = Sample::default().section(1, 0).block(1, At::Root("r"), &[len]).delete(1, 0, len.into());
        assert_eq!(collected(&given), expected.bytes(), "kind {kind}");
        let kept = Sample::default().section(1, 0).block(kind, At::Root("r"), content);
        assert_eq!(collected(&kept), kept.bytes(), "kind {kind}");
    }
}

#[test]
fn the_values_that_a_key_had_before_join_under_the_key() {
    let mut map = Sample::default().section(1, 0).block(8, At::RootKey("m", "k"), &[1, 119, 3, b'o', b'n', b'e']);
    for clock in 1..1000 {
        map = map.block(8, At::After(id(1, clock - 1)), &[1, 119, 3, b't', b'w', b'o']);
    }
    let expected = Sample::default()
        .section(1, 0)
        .block(1, At::RootKey("m", "k"), &[0xe7, 7])
        .block(8, At::After(id(1, 998)), &[1, 119, 3, b't', b'w', b'o'])
        .delete(1, 0, 999);
    assert_eq!(collected(&map.delete(1, 0, 999)), expected.bytes());
}

#[test]
fn what_is_inside_of_a_deleted_type_keeps_nothing_but_its_number() {
    // Client 2 types into the paragraph while client 1 deletes it, so that nobody has deleted that yet.
    let both = paragraph().section(2, 0).text(At::After(id(1, 7)), "late").delete(1, 0, 1);
    let expected = Sample::default()
        .section(2, 0)
        .raw(&[0, 4])
        .section(1, 0)
        .block(1, At::Root("x"), &[1])
        .raw(&[0, 8])
        .delete(2, 0, 4)
        .delete(1, 0, 9);
    assert_eq!(collected(&both), expected.bytes());
}

#[test]
fn a_deleted_text_beside_a_living_one_takes_nothing_of_it_along() {
    let both = paragraph()
        .block(7, At::After(id(1, 0)), &[3, 1, b'p'])
        .block(7, At::In(id(1, 9)), &[6])
        .text(At::In(id(1, 10)), "lives")
        .delete(1, 0, 9);
    let expected = Sample::default()
        .section(1, 0)
        .block(1, At::Root("x"), &[1])
        .raw(&[0, 8])
        .block(7, At::After(id(1, 0)), &[3, 1, b'p'])
        .block(7, At::In(id(1, 9)), &[6])
        .text(At::In(id(1, 10)), "lives")
        .delete(1, 0, 9);
    assert_eq!(collected(&both), expected.bytes());
}

#[test]
fn what_comes_late_into_a_collected_type_is_still_let_in() {
    let bytes = collected(&paragraph().delete(1, 0, 9));
    let mut index = DocumentIndex::new();
    assert_eq!(index.integrate(&bytes), Ok(Integration::Complete));
    let late = [
        Sample::default().section(2, 0).text(At::After(id(1, 5)), "after a letter"),
        Sample::default().section(3, 0).block(8, At::InKey(id(1, 0), "id"), &[1, 126]),
        Sample::default().section(4, 0).block(7, At::In(id(1, 0)), &[6]).text(At::In(id(4, 0)), "a new text"),
        Sample::default().section(5, 0).text(At::Between(id(1, 3), id(1, 4)), "between"),
        Sample::default().section(6, 0).text(At::In(id(1, 1)), "into the text"),
    ];
    for update in late {
        assert_eq!(index.integrate(&update.bytes()), Ok(Integration::Complete), "{update:?}");
    }
    for client in 2..=6 {
        assert!(index.deleted().contains(id(client, 0)), "client {client}");
    }
}

#[test]
fn what_waits_for_something_missing_stays() {
    let early = paragraph().section(3, 0).text(At::After(id(9, 4)), "early").delete(1, 0, 1).delete(9, 4, 1);
    let bytes = collected(&early);
    let blocks: Vec<_> = UpdateRef::parse(&bytes).unwrap().blocks().map(|block| (block.id, block.len)).collect();
    assert_eq!(blocks, [(id(3, 0), 5), (id(1, 0), 1), (id(1, 1), 8)]);
    assert!(deletions_of([bytes.as_slice()]).unwrap().contains(id(9, 4)));
}

#[test]
fn a_collection_that_lost_or_changed_anything_is_not_taken_for_one() {
    let before = paragraph().section(2, 0).text(At::Root("t"), "a😀b").delete(2, 0, 1);
    let before = merge([before.bytes().as_slice()]).unwrap();
    let good = collect([before.as_slice()]).unwrap();
    assert!(is_collection_of(&good, &before) && is_collection_of(&before, &before));
    for at in 0..good.len() {
        // Of a byte 0x84, a text behind an origin, the mark of keyed items is ignored by every reader.
        for change in if good[at] == 0x84 { [1, 0x40] } else { [1, 0x20] } {
            let mut other = good.clone();
            other[at] ^= change;
            assert!(!is_collection_of(&other, &before), "byte {at} of {good:?}");
        }
    }
    let rest = || Sample::default().section(2, 0).block(1, At::Root("t"), &[1]).text(At::After(id(2, 0)), "😀b");
    let wrong: [(&str, Sample); 4] = [
        ("a living block is missing", rest().delete(2, 0, 1)),
        ("a deletion is missing", paragraph().section(2, 0).text(At::Root("t"), "a😀b")),
        ("a deletion is invented", paragraph().section(2, 0).text(At::Root("t"), "a😀b").delete(2, 0, 4)),
        ("a living paragraph is collected", rest().section(1, 0).raw(&[0, 9]).delete(2, 0, 1).delete(1, 0, 9)),
    ];
    for (name, sample) in wrong {
        let merged = merge([sample.bytes().as_slice()]).unwrap();
        assert!(!is_collection_of(&merged, &before), "{name}");
    }
}

/// What passes the gate, as it may be stored and relayed.
fn accepted(updates: &[Vec<u8>], index: &mut DocumentIndex) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for update in updates {
        match index.integrate(update) {
            Ok(Integration::Complete) => out.push(update.clone()),
            Ok(Integration::Partial { accepted, .. }) => out.extend(accepted),
            Ok(Integration::Contained) | Err(_) => {}
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_updates_are_collected_to_the_same_ids(updates in proptest::collection::vec(any_update(), 0..6)) {
        let updates: Vec<_> = updates.iter().map(Vec::as_slice).collect();
        let merged = merge(updates.iter().copied()).unwrap();
        let once = collect(updates.iter().copied()).unwrap();
        prop_assert!(is_collection_of(&once, &merged));
        prop_assert!(once.len() <= merged.len() + 64);
        prop_assert_eq!(state_vector_of([once.as_slice()]).unwrap(), state_vector_of([merged.as_slice()]).unwrap());
        prop_assert_eq!(&merge([once.as_slice()]).unwrap(), &once);
    }

    #[test]
    fn a_collected_document_opens_and_takes_what_the_whole_one_takes(
        before in proptest::collection::vec(any_update(), 0..12),
        later in proptest::collection::vec(any_update(), 0..12),
    ) {
        let mut whole = DocumentIndex::new();
        let parts = accepted(&before, &mut whole);
        let snapshot = collect(parts.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(&collect([snapshot.as_slice()]).unwrap(), &snapshot);
        let mut index = DocumentIndex::new();
        let opened = index.integrate(&snapshot);
        prop_assert!(matches!(opened, Ok(Integration::Complete | Integration::Contained)), "{opened:?}");
        prop_assert_eq!(index.state_vector(), whole.state_vector());
        prop_assert!(whole.deleted().is_subset(index.deleted()));
        // The room goes on with its index of the whole document, and what it lets in is loaded beside the snapshot.
        let tail = accepted(&later, &mut whole);
        let document = DocumentBytes {
            snapshot: Some(snapshot.into()),
            tail: tail.into_iter().map(Into::into).collect(),
        };
        let loaded = DocumentIndex::load(&document);
        prop_assert_eq!(loaded.as_ref().map(DocumentIndex::state_vector), Ok(whole.state_vector()));
    }
}
