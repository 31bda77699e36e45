//! The laws that the fuzz targets hold the Yjs side to, in `presence` what members show of themselves, and in `websocket` the decoder
//! of frames. The laws of the fronts stand beside their readers.

pub mod presence;
pub mod websocket;

use ydock::sync::{
    DocumentBytes, DocumentIndex, Integration, StateVector, UpdateRef, collect, diff, is_collection_of, merge, split,
    state_vector_of,
};

/// Offers an update to the gate and keeps what may be relayed.
pub fn put(index: &mut DocumentIndex, update: &[u8], accepted: &mut Vec<Vec<u8>>) {
    match index.integrate(update) {
        Ok(Integration::Complete) => accepted.push(update.to_owned()),
        Ok(Integration::Partial { accepted: part, rest }) => {
            UpdateRef::parse(&rest).expect("own output is well-formed");
            accepted.extend(part);
        }
        Ok(Integration::Contained) | Err(_) => {}
    }
}

/// What was accepted loads again, as it came and merged, to the same state.
pub fn check(index: &DocumentIndex, accepted: &[Vec<u8>]) {
    let merged = merge(accepted.iter().map(Vec::as_slice)).expect("accepted updates are well-formed");
    let collected = collect(accepted.iter().map(Vec::as_slice)).expect("accepted updates are well-formed");
    assert!(is_collection_of(&collected, &merged), "more is missing than was deleted");
    let collected = DocumentIndex::load(&DocumentBytes { snapshot: Some(collected.into()), tail: Vec::new() });
    let collected = collected.expect("what was accepted is accepted again");
    assert_eq!(collected.state_vector(), index.state_vector());
    assert!(index.deleted().is_subset(collected.deleted()));
    let snapshot = DocumentIndex::load(&DocumentBytes { snapshot: Some(merged.into()), tail: Vec::new() });
    let tail = accepted.iter().map(|update| update.clone().into()).collect();
    let parts = DocumentIndex::load(&DocumentBytes { snapshot: None, tail });
    for loaded in [snapshot, parts] {
        let loaded = loaded.expect("what was accepted is accepted again");
        assert_eq!(loaded.state_vector(), index.state_vector());
        assert_eq!(loaded.root_kinds(), index.root_kinds());
        assert!(index.deleted().is_subset(loaded.deleted()) && loaded.deleted().is_subset(index.deleted()));
    }
}

/// Merging, collecting, cutting and merging again keeps every id.
pub fn merge_both(one: &[u8], two: &[u8]) {
    let Ok(merged) = merge([one, two]) else { return };
    let state = state_vector_of([one, two]).expect("merged before");
    assert_eq!(state_vector_of([merged.as_slice()]), Ok(state.clone()));
    assert_eq!(merge([merged.as_slice()]).as_ref(), Ok(&merged));
    let collected = collect([one, two]).expect("merged before");
    assert!(is_collection_of(&collected, &merged), "more is missing than was deleted");
    let half: StateVector = state.iter().map(|(client, clock)| (client, clock / 2)).collect();
    let above = diff([one, two], &half).expect("merged before");
    let (below, rest) = split(&merged, &half).expect("own output is well-formed");
    for parts in [[below.as_slice(), above.as_slice()], [below.as_slice(), rest.as_slice()]] {
        assert_eq!(state_vector_of(parts), Ok(state.clone()));
    }
}
