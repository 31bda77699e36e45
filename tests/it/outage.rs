//! A store that fails: nothing is acknowledged, nothing is lost, nobody is thrown out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ydock::DocName;
use ydock::delivery::{self, Outbox};
use ydock::doc_rooms::{Broadcast, Config, Rooms, RoomsParts, Seat};
use ydock::fronts::y_websocket::{Acks, YWebSocketDialect};
use ydock::hooks::HookChain;
use ydock::shutdown::Tasks;
use ydock::storage::{FaultyStore, MemoryStore, Mishap, Store};
use ydock::telemetry::Metrics;

use crate::yjs::{letter, payload, typed};

/// Rooms over a store that fails on demand.
pub(crate) struct Bench {
    pub(crate) rooms: Rooms,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) tasks: Tasks,
}

impl Bench {
    pub(crate) fn new(config: Config) -> Self {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
        let tasks = Tasks::new();
        let parts = RoomsParts {
            store: store.clone(),
            config,
            max_update: 1 << 20,
            hooks: HookChain::default(),
            tasks: tasks.clone(),
            metrics: Arc::new(Metrics::new()),
        };
        Self { rooms: Rooms::new(parts), store, tasks }
    }

    /// How many updates of a document the store has.
    async fn stored(&self, doc: &DocName) -> u64 {
        self.store.load(doc).await.unwrap().head
    }
}

pub(crate) fn doc(name: &str) -> DocName {
    DocName::parse(name).unwrap()
}

pub(crate) fn seat(outbox: &Arc<Outbox>) -> Seat {
    let dialect = Arc::new(YWebSocketDialect::new(Acks::Echo));
    Seat { outbox: Arc::clone(outbox), dialect, wants_acks: true, wants_typing: false, parted: None }
}

/// Frames that have come so far, without waiting for more than a moment.
pub(crate) async fn frames(outbox: &Outbox) -> Vec<Bytes> {
    let mut all = Vec::new();
    while tokio::time::timeout(Duration::from_millis(50), outbox.next(&mut all, usize::MAX)).await.is_ok() {
        outbox.flushed();
    }
    all.iter().map(|frame: &Bytes| frame.slice_ref(payload(frame))).collect()
}

fn echoes(frames: &[Bytes], update: &[u8]) -> bool {
    frames.iter().any(|frame| frame.ends_with(update) && frame.starts_with(&[0, 2]))
}

#[tokio::test(start_paused = true)]
async fn while_saving_fails_members_go_on_and_nothing_is_acknowledged_until_it_is_saved() {
    let bench = Bench::new(Config::default());
    let name = doc("outage");
    let (ada, bob) = (Outbox::new(&delivery::Config::default()), Outbox::new(&delivery::Config::default()));
    let writer = bench.rooms.join(&name, || seat(&ada)).await.unwrap();
    let _reader = bench.rooms.join(&name, || seat(&bob)).await.unwrap();
    bench.store.fail_appends(true);
    let update = letter(1, 0);
    writer.update(&update).await.unwrap();
    assert!(echoes(&frames(&bob).await, &update), "the other member sees it at once");
    assert!(!echoes(&frames(&ada).await, &update), "its author hears nothing yet");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(!echoes(&frames(&ada).await, &update));
    assert_eq!(bench.rooms.unsaved(), std::slice::from_ref(&name));
    assert_eq!(bench.rooms.failures().len(), 1);
    bench.store.fail_appends(false);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(echoes(&frames(&ada).await, &update), "once it is durable, its author hears it");
    assert_eq!(bench.stored(&name).await, 1);
    assert!(bench.rooms.unsaved().is_empty() && bench.rooms.failures().is_empty());
}

/// Found by `make faults`: an author that was resynchronised took its own edits in the document for their acknowledgement.
#[tokio::test(start_paused = true)]
async fn whoever_is_brought_up_to_date_is_not_sent_its_own_edits_before_they_are_saved() {
    let bench = Bench::new(Config::default());
    let name = doc("own");
    let small = delivery::Config { max_waiting: bytesize::ByteSize::b(300) };
    let (ada, bob) = (Outbox::new(&small), Outbox::new(&delivery::Config::default()));
    let author = bench.rooms.join(&name, || seat(&ada)).await.unwrap();
    let other = bench.rooms.join(&name, || seat(&bob)).await.unwrap();
    bench.store.fail_appends(true);
    let (own, theirs) = (typed(1, 0, "own"), typed(2, 0, "theirs"));
    author.update(&own).await.unwrap();
    other.update(&theirs).await.unwrap();
    let has = |frames: &[Bytes], text: &str| {
        frames.iter().any(|frame| frame.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    // It asks for everything; it asks for what lies above a state vector; it falls behind.
    for state_vector in [&[0][..], &[1, 3, 1]] {
        author.step1(state_vector).await.unwrap();
        let heard = frames(&ada).await;
        assert!(has(&heard, "theirs") && !has(&heard, "own"), "{heard:?}");
    }
    for at in 0..20 {
        other.update(&typed(2, 6 + 100 * at, &"x".repeat(100))).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let heard = frames(&ada).await;
    assert!(has(&heard, &"x".repeat(1500)) && !has(&heard, "own"), "{heard:?}");
    bench.store.fail_appends(false);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(echoes(&frames(&ada).await, &own));
}

#[tokio::test(start_paused = true)]
async fn with_broadcasts_after_saving_a_newcomer_is_not_sent_what_is_not_saved_either() {
    let bench = Bench::new(Config { broadcast: Broadcast::AfterSave, ..Config::default() });
    let name = doc("later");
    let (ada, bob) = (Outbox::new(&delivery::Config::default()), Outbox::new(&delivery::Config::default()));
    let author = bench.rooms.join(&name, || seat(&ada)).await.unwrap();
    bench.store.fail_appends(true);
    let update = typed(1, 0, "unsaved");
    author.update(&update).await.unwrap();
    let newcomer = bench.rooms.join(&name, || seat(&bob)).await.unwrap();
    newcomer.step1(&[0]).await.unwrap();
    let step2 = |frames: &[Bytes]| frames.iter().any(|frame| frame.starts_with(&[0, 1]));
    let heard = frames(&bob).await;
    assert!(step2(&heard) && !echoes(&heard, &update), "{heard:?}");
    bench.store.fail_appends(false);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(echoes(&frames(&bob).await, &update));
}

#[tokio::test(start_paused = true)]
async fn the_last_member_leaves_during_an_outage_and_the_document_waits_in_memory() {
    let bench = Bench::new(Config::default());
    let name = doc("alone");
    let outbox = Outbox::new(&delivery::Config::default());
    let writer = bench.rooms.join(&name, || seat(&outbox)).await.unwrap();
    bench.store.fail_appends(true);
    writer.update(&letter(1, 0)).await.unwrap();
    drop(writer);
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert_eq!(bench.rooms.open_rooms(), 1);
    bench.store.fail_appends(false);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!((bench.rooms.open_rooms(), bench.stored(&name).await), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_full_saver_stops_its_writers_and_nothing_is_dropped() {
    let config = Config { max_unsaved: bytesize::ByteSize::b(200), ..Config::default() };
    let bench = Bench::new(config);
    let name = doc("full");
    let outbox = Outbox::new(&delivery::Config::default());
    let writer = bench.rooms.join(&name, || seat(&outbox)).await.unwrap();
    bench.store.fail_appends(true);
    let text = "x".repeat(100);
    let mut sent = 0;
    loop {
        let update = typed(1, sent * 100, &text);
        match tokio::time::timeout(Duration::from_secs(1), writer.update(&update)).await {
            Ok(outcome) => outcome.unwrap(),
            Err(_) => break, // the room has stopped taking: its queue is full
        }
        sent += 1;
        assert!(sent < 100_000, "nothing ever stopped the writer");
    }
    bench.store.fail_appends(false);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(bench.stored(&name).await, sent);
}

#[tokio::test(start_paused = true)]
async fn stopping_during_an_outage_ends_in_time_and_names_the_document() {
    let bench = Bench::new(Config::default());
    let name = doc("unlucky");
    let outbox = Outbox::new(&delivery::Config::default());
    let writer = bench.rooms.join(&name, || seat(&outbox)).await.unwrap();
    bench.store.fail_appends(true);
    writer.update(&letter(1, 0)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.tasks.stop();
    drop(writer);
    assert!(!bench.tasks.drain(Duration::from_secs(10)).await);
    assert_eq!(bench.rooms.unsaved(), [name]);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_cannot_be_loaded_refuses_its_joins_and_opens_once_it_can() {
    let bench = Bench::new(Config::default());
    let name = doc("unreadable");
    let outbox = Outbox::new(&delivery::Config::default());
    bench.store.fail_loads(true);
    let error = bench.rooms.join(&name, || seat(&outbox)).await.unwrap_err();
    assert!(error.to_string().contains("loaded"), "{error}");
    assert_eq!(bench.rooms.open_rooms(), 0);
    bench.store.fail_loads(false);
    bench.rooms.join(&name, || seat(&outbox)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn appends_that_are_torn_or_whose_answer_is_lost_cost_nothing() {
    let bench = Bench::new(Config::default());
    let name = doc("torn");
    let outbox = Outbox::new(&delivery::Config::default());
    let writer = bench.rooms.join(&name, || seat(&outbox)).await.unwrap();
    for call in [2, 3, 5, 8, 9, 13] {
        bench.store.plan(call, Mishap::Tear);
    }
    bench.store.plan(4, Mishap::Delay(Duration::from_secs(3)));
    bench.store.plan(7, Mishap::Fail);
    for clock in 0..200 {
        writer.update(&letter(1, clock)).await.unwrap();
        if clock % 20 == 0 {
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    }
    drop(writer);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(bench.rooms.unsaved().is_empty() && bench.store.calls() > 13);
    let stored = bench.store.load(&name).await.unwrap();
    ydock::sync::DocumentIndex::load(&stored.bytes).unwrap();
    let merged = ydock::sync::merge(stored.bytes.parts().map(|part| &part[..])).unwrap();
    assert_eq!(merged, typed(1, 0, &"a".repeat(200)));
}

#[tokio::test(start_paused = true)]
async fn a_store_slower_than_its_writers_makes_them_wait_and_has_everything_in_the_end() {
    let config = Config { max_unsaved: bytesize::ByteSize::kib(4), ..Config::default() };
    let bench = Bench::new(config);
    let name = doc("slow");
    let outbox = Outbox::new(&delivery::Config::default());
    let writer = bench.rooms.join(&name, || seat(&outbox)).await.unwrap();
    bench.store.delay(Duration::from_secs(1));
    let text = "x".repeat(1000);
    let before = tokio::time::Instant::now();
    for at in 0..200 {
        writer.update(&typed(1, at * 1000, &text)).await.unwrap();
    }
    drop(writer);
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert!(before.elapsed() > Duration::from_secs(30), "the writer had to wait");
    assert!(bench.rooms.unsaved().is_empty());
    bench.store.delay(Duration::ZERO);
    let stored = bench.store.load(&name).await.unwrap();
    let merged = ydock::sync::merge(stored.bytes.parts().map(|part| &part[..])).unwrap();
    assert_eq!(merged, typed(1, 0, &"x".repeat(200_000)));
}
