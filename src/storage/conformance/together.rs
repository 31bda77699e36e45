//! Promises about appends to several documents at once.

use std::sync::Arc;

use bytes::Bytes;

use super::{FIRST, config, doc, update};
use crate::ids::Generation;
use crate::storage::{Append, Store, StoreError};

fn append(name: &str, generation: Generation, updates: Vec<Bytes>) -> Append {
    Append { doc: doc(name), generation, updates }
}

pub(in crate::storage) async fn appends_together_are_answered_each_on_its_own(store: Arc<dyn Store>) {
    assert!(store.append_all(Vec::new()).await.is_empty());
    let too_long = Bytes::from(vec![0; usize::try_from(config().max_update.as_u64()).unwrap() + 1]);
    let appends = vec![
        append("a", FIRST, vec![update("a1"), update("a2")]),
        append("b", Generation(2), vec![update("of another life")]),
        append("c", FIRST, vec![too_long]),
        append("d", FIRST, vec![]),
        append("e", FIRST, vec![update("e1")]),
        append("a", FIRST, vec![update("a3")]),
    ];
    let answers = store.append_all(appends).await;
    assert!(
        matches!(
            &answers[..],
            [Ok(2), Err(StoreError::Conflict { .. }), Err(StoreError::TooLarge { .. }), Ok(0), Ok(1), Ok(3)]
        ),
        "{answers:?}"
    );
    assert_eq!(store.load(&doc("a")).await.unwrap().bytes.tail, ["a1", "a2", "a3"]);
    assert_eq!(store.load(&doc("e")).await.unwrap().bytes.tail, ["e1"]);
    let listed: Vec<_> = store.list(None, 10).await.unwrap().into_iter().map(|info| info.name).collect();
    assert_eq!(listed, [doc("a"), doc("e")]);
}

pub(in crate::storage) async fn appends_together_may_be_more_than_every_bound(store: Arc<dyn Store>) {
    const DOCS: usize = 50;
    let content = |number: usize| Bytes::from(format!("{number:>8}").repeat(500));
    let appends = |from: usize| {
        let one = move |number: usize| append(&format!("doc-{}", number % DOCS), FIRST, vec![content(number)]);
        (from..from + 2 * 1500).step_by(2).map(one).collect::<Vec<_>>()
    };
    // Two callers at once: neither may hold what the other waits for.
    let (even, odd) = tokio::join!(store.append_all(appends(0)), store.append_all(appends(1)));
    assert!(even.iter().chain(&odd).all(Result::is_ok));
    for number in 0..DOCS {
        let tail = store.load(&doc(&format!("doc-{number}"))).await.unwrap().bytes.tail;
        let expected: Vec<_> = (number..3000).step_by(DOCS).map(content).collect();
        assert_eq!(tail, expected, "doc-{number}");
    }
}

pub(in crate::storage) async fn a_closed_store_takes_no_appends_together(store: Arc<dyn Store>) {
    store.close().await.unwrap();
    let answers = store.append_all(vec![append("a", FIRST, vec![update("u")]), append("b", FIRST, vec![])]).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Closed))), "{answers:?}");
    assert_eq!(answers.len(), 2);
}
