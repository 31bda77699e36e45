//! Random operations, held against a model that is too simple to be wrong.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{Fixture, doc};
use crate::ids::DocName;
use crate::ids::Generation;
use crate::storage::{Compaction, Store, StoreError, StoredDocument};

/// One step of the random run. Small numbers are folded into valid and slightly invalid arguments.
#[derive(Debug, Clone)]
enum Step {
    Append { name: u8, stale: bool, lens: Vec<usize> },
    Compact { name: u8, stale: bool, upto: u64, len: usize },
    Delete { name: u8, stale: bool, len: usize },
    Reopen,
}

pub(in crate::storage) fn random_operations_agree_with_a_model<F: Fixture>() {
    let len = prop_oneof![6 => 0..200usize, 1 => 60_000..200_000usize];
    let stale = prop::bool::weighted(0.1);
    let step = prop_oneof![
        8 => (0..3u8, stale, prop::collection::vec(len.clone(), 0..5))
            .prop_map(|(name, stale, lens)| Step::Append { name, stale, lens }),
        4 => (0..3u8, stale, 0..12u64, prop_oneof![4 => len.clone(), 1 => 2_000_000..2_000_100usize])
            .prop_map(|(name, stale, upto, len)| Step::Compact { name, stale, upto, len }),
        1 => (0..3u8, stale, len).prop_map(|(name, stale, len)| Step::Delete { name, stale, len }),
        1 => Just(Step::Reopen),
    ];
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let outcome = runner.run(&prop::collection::vec(step, 1..40), |steps| {
        let fixture = F::default();
        runtime.block_on(follow(&fixture, steps));
        Ok(())
    });
    outcome.unwrap();
}

async fn follow<F: Fixture>(fixture: &F, steps: Vec<Step>) {
    let mut store = fixture.open();
    let mut model: BTreeMap<DocName, StoredDocument> = BTreeMap::new();
    for (at, step) in steps.into_iter().enumerate() {
        let fill = |len| Bytes::from(vec![u8::try_from(at % 251).unwrap(); len]);
        match step {
            Step::Append { name, stale, lens } => {
                let name = doc(&format!("{name}"));
                let updates: Vec<Bytes> = lens.into_iter().map(fill).collect();
                let document = model.entry(name.clone()).or_default();
                let generation = Generation(document.generation.0 + u64::from(stale));
                let answer = store.append(&name, generation, updates.clone()).await;
                if stale {
                    assert!(matches!(answer, Err(StoreError::Conflict { .. })), "{answer:?}");
                    continue;
                }
                document.head += updates.len() as u64;
                document.bytes.tail.extend(updates);
                assert_eq!(answer.unwrap(), document.head);
            }
            Step::Compact { name, stale, upto, len } => {
                let name = doc(&format!("{name}"));
                let document = model.entry(name.clone()).or_default();
                let previous_upto = document.snapshot_upto + u64::from(stale);
                let upto = document.snapshot_upto + upto;
                let compaction =
                    Compaction { generation: document.generation, previous_upto, upto, snapshot: fill(len) };
                let answer = store.compact(&name, compaction).await;
                if stale || upto == 0 || upto > document.head {
                    assert!(matches!(answer, Err(StoreError::Conflict { .. })), "{answer:?}");
                    continue;
                }
                answer.unwrap();
                document.bytes.tail.drain(..usize::try_from(upto - document.snapshot_upto).unwrap());
                document.bytes.snapshot = Some(fill(len));
                document.snapshot_upto = upto;
            }
            Step::Delete { name, stale, len } => {
                let name = doc(&format!("{name}"));
                let document = model.entry(name.clone()).or_default();
                let generation = Generation(document.generation.0 + u64::from(stale));
                let answer = store.delete(&name, generation, fill(len)).await;
                if stale {
                    assert!(matches!(answer, Err(StoreError::Conflict { .. })), "{answer:?}");
                    continue;
                }
                assert_eq!(answer.unwrap(), generation.next());
                *document =
                    StoredDocument { generation: generation.next(), ancestors: fill(len), ..StoredDocument::default() };
            }
            Step::Reopen if F::IS_DURABLE => {
                drop(store);
                store = fixture.open();
            }
            Step::Reopen => {}
        }
        agree(&*store, &model).await;
    }
}

async fn agree(store: &dyn Store, model: &BTreeMap<DocName, StoredDocument>) {
    for (name, document) in model {
        assert_eq!(store.load(name).await.unwrap(), *document, "{name}");
    }
    let listed = store.list(None, 100).await.unwrap();
    let listed = listed.into_iter().map(|info| (info.name, info.generation, info.head, info.snapshot_upto, info.bytes));
    let expected = model.iter().filter(|(_, document)| document.head > 0).map(|(name, document)| {
        let StoredDocument { generation, head, snapshot_upto, bytes, .. } = document;
        (name.clone(), *generation, *head, *snapshot_upto, bytes.len() as u64)
    });
    assert_eq!(listed.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let named: Vec<_> = store.names(None, 100).await.unwrap().iter().map(|entry| entry.name().clone()).collect();
    let known = model.iter().filter(|(_, document)| **document != StoredDocument::default());
    assert_eq!(named, known.map(|(name, _)| name.clone()).collect::<Vec<_>>());
}
