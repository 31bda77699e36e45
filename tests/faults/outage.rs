//! Rooms over a real store that is slow, or away for a while: members stay and wait, and everything they wrote is kept in the end.
//!
//! `tests/it/outage.rs` has each promise alone, in no time; here many keep them at once, and what is on the disk is looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytesize::ByteSize;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use ydock::delivery::{self, Batch, Outbox};
use ydock::doc_rooms::{Config, Membership, Rooms, RoomsParts, Seat};
use ydock::fronts::y_websocket::{Acks, YWebSocketDialect};
use ydock::hooks::HookChain;
use ydock::lib0::write_buffer;
use ydock::shutdown::Tasks;
use ydock::storage::{FaultyStore, Store, open};
use ydock::telemetry::Metrics;
use ydock::{ClientId, DocName};

use crate::backend::Place;
use crate::load::with_sources;
use crate::tally::Tally;
use crate::trial::{Trial, block_on};
use crate::yjs::{payload, typed};

const DOCUMENTS: u64 = 8;
const MEMBERS: u64 = 24;
const TEXT: usize = 200;
/// How many updates a member sends before it waits for an acknowledgement: more than a room takes while it cannot save.
const WINDOW: u64 = 60;
const DELAY: Duration = Duration::from_millis(200);

/// A store that is slower than its writers.
pub(crate) fn run_slow(trial: &Trial<'_>) -> Tally {
    run(trial, async |bench, members, tally| {
        bench.store.delay(DELAY);
        sleep(Duration::from_secs(trial.plan.pick(3, 20))).await;
        let longest = Duration::from_millis(members.signals.longest_wait.load(Ordering::SeqCst));
        tally.note(format!("{} ms an answer; a member waited up to {} ms", DELAY.as_millis(), longest.as_millis()));
        tally.insist(0, longest >= DELAY / 2, || "nobody had to wait".to_owned());
        bench.store.delay(Duration::ZERO);
        Ok(())
    })
}

/// A store that takes nothing for a while.
pub(crate) fn run_away(trial: &Trial<'_>) -> Tally {
    run(trial, async |bench, members, tally| {
        bench.fail(true);
        sleep(Duration::from_secs(1)).await;
        let before = members.acknowledged();
        sleep(Duration::from_secs(trial.plan.pick(2, 29))).await;
        tally.insist(0, members.acknowledged() == before, || "acknowledged without a store".to_owned());
        tally.insist(0, !bench.rooms.failures().is_empty(), || "no failure is told".to_owned());
        let ended = members.ended().join(", ");
        tally.insist(0, ended.is_empty(), || format!("members are gone: {ended}"));
        bench.fail(false);
        let waiting = async {
            while members.acknowledged() < before + MEMBERS {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(RECOVERY, waiting).await.or(Err("nothing is acknowledged although the store is back".to_owned()))
    })
}

/// Everybody leaves while the store takes nothing.
pub(crate) fn run_left(trial: &Trial<'_>) -> Tally {
    run(trial, async |bench, members, tally| {
        bench.fail(true);
        sleep(Duration::from_secs(1)).await;
        members.leave().await?;
        sleep(Duration::from_secs(trial.plan.pick(2, 29))).await;
        let open = bench.rooms.open_rooms();
        tally.insist(0, open as u64 == DOCUMENTS, || format!("{open} of {DOCUMENTS} unsaved rooms are open"));
        bench.fail(false);
        Ok(())
    })
}

/// Lets members write before, during and after what happens to the store; then looks at the disk.
fn run(trial: &Trial<'_>, strike: impl AsyncFnOnce(&Bench, &mut Members, &mut Tally) -> Result<(), String>) -> Tally {
    block_on(Duration::from_mins(3), async {
        let mut tally = Tally { rounds: 1, ..Tally::default() };
        let scratch = TempDir::new().unwrap();
        let place = Place::new(trial.backend.kind, &scratch.path().join("data"));
        if let Err(story) = outage(&place, strike, &mut tally).await {
            tally.breaks(0, story);
        }
        tally
    })
}

async fn outage(
    place: &Place,
    strike: impl AsyncFnOnce(&Bench, &mut Members, &mut Tally) -> Result<(), String>,
    tally: &mut Tally,
) -> Result<(), String> {
    let bench = Bench::open(place)?;
    let mut members = Members::join(&bench.rooms).await?;
    sleep(Duration::from_millis(500)).await;
    strike(&bench, &mut members, tally).await?;
    members.finish().await?;
    let promised = members.promised();
    tally.acknowledged = promised.iter().map(|(_, _, updates)| updates).sum();
    tally.insist(0, tally.acknowledged > 2 * MEMBERS, || "too little was acknowledged to mean anything".to_owned());
    bench.close().await?;
    check(place, &promised, tally).await
}

/// Rooms over a store that fails on demand.
struct Bench {
    rooms: Rooms,
    store: Arc<FaultyStore>,
    tasks: Tasks,
}

impl Bench {
    fn open(place: &Place) -> Result<Self, String> {
        let store = open(&place.config()).map_err(|error| with_sources(&error))?;
        let store = Arc::new(FaultyStore::new(store));
        let tasks = Tasks::new();
        let config = Config {
            idle_after: Duration::from_millis(100),
            max_unsaved: ByteSize::kib(4),
            max_queued: ByteSize::kib(4),
            ..Config::default()
        };
        let parts = RoomsParts {
            store: store.clone(),
            config,
            max_update: 1 << 20,
            hooks: HookChain::default(),
            tasks: tasks.clone(),
            metrics: Arc::new(Metrics::new()),
        };
        Ok(Self { rooms: Rooms::new(parts), store, tasks })
    }

    fn fail(&self, fail: bool) {
        self.store.fail_appends(fail);
        self.store.fail_compactions(fail);
        self.store.fail_loads(fail);
    }

    /// Waits until every room has saved and is closed, and ends.
    async fn close(self) -> Result<(), String> {
        let waiting = async {
            while self.rooms.open_rooms() > 0 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(RECOVERY, waiting).await.is_err() {
            return Err(format!("not saved although the store is back: {:?}", self.rooms.unsaved()));
        }
        self.tasks.stop();
        if !self.tasks.drain(Duration::from_secs(10)).await {
            return Err("the rooms did not end in time".to_owned());
        }
        self.store.close().await.map_err(|error| with_sources(&error))
    }
}

/// One member, which writes as fast as it may.
struct Member {
    number: u64,
    membership: Membership,
    outbox: Arc<Outbox>,
    diary: Arc<Diary>,
    signals: Arc<Signals>,
}

/// What one member did.
#[derive(Debug, Default)]
struct Diary {
    sent: AtomicU64,
    acknowledged: AtomicU64,
}

/// What members are told, and what they tell of themselves.
#[derive(Debug, Default)]
struct Signals {
    /// Go once everything is acknowledged.
    stop: AtomicBool,
    /// Go.
    leave: AtomicBool,
    /// The longest time, in milliseconds, that a room took to take an update.
    longest_wait: AtomicU64,
}

impl Member {
    async fn write(self) -> Result<(), String> {
        let mut frames = Vec::new();
        let (mut sent, mut acknowledged) = (0, 0);
        let mut asking_since = Instant::now();
        loop {
            let is_stopping = self.signals.stop.load(Ordering::SeqCst);
            if self.signals.leave.load(Ordering::SeqCst) || is_stopping && sent == acknowledged {
                return Ok(());
            }
            let may_send = !is_stopping && sent < acknowledged + WINDOW;
            if !may_send {
                asking_since = Instant::now();
            }
            let update = update(self.number, sent);
            tokio::select! {
                biased;
                batch = self.outbox.next(&mut frames, usize::MAX) => {
                    if let Batch::End(ending) = batch {
                        return Err(format!("a session ended: {ending:?}"));
                    }
                    self.outbox.flushed();
                    for frame in frames.drain(..) {
                        acknowledged += u64::from(payload(&frame) == echo(self.number, acknowledged));
                    }
                    self.diary.acknowledged.store(acknowledged, Ordering::SeqCst);
                }
                // Dropped for a frame that came, the same update is brought again.
                taken = self.membership.update(&update), if may_send => {
                    taken.map_err(|error| error.to_string())?;
                    sent += 1;
                    self.diary.sent.store(sent, Ordering::SeqCst);
                    let waited = u64::try_from(asking_since.elapsed().as_millis()).unwrap();
                    self.signals.longest_wait.fetch_max(waited, Ordering::SeqCst);
                    asking_since = Instant::now();
                }
                () = sleep(Duration::from_millis(50)) => {}
            }
        }
    }
}

/// Members that write at the same time.
struct Members {
    diaries: Vec<Arc<Diary>>,
    running: JoinSet<Result<(), String>>,
    stories: Vec<String>,
    signals: Arc<Signals>,
}

impl Members {
    async fn join(rooms: &Rooms) -> Result<Self, String> {
        let signals = Arc::<Signals>::default();
        let mut members = Self { diaries: Vec::new(), running: JoinSet::new(), stories: Vec::new(), signals };
        for number in 0..MEMBERS {
            let outbox = Outbox::new(&delivery::Config::default());
            let seat = || Seat {
                outbox: Arc::clone(&outbox),
                dialect: Arc::new(YWebSocketDialect::new(Acks::Echo)),
                wants_acks: true,
                wants_typing: false,
                parted: None,
            };
            let membership = rooms.join(&doc(number), seat).await.map_err(|error| with_sources(&error))?;
            let (diary, signals) = (Arc::<Diary>::default(), Arc::clone(&members.signals));
            members.diaries.push(Arc::clone(&diary));
            members.running.spawn(Member { number, membership, outbox, diary, signals }.write());
        }
        Ok(members)
    }

    fn acknowledged(&self) -> u64 {
        self.diaries.iter().map(|diary| diary.acknowledged.load(Ordering::SeqCst)).sum()
    }

    /// Why members have ended.
    fn ended(&mut self) -> &[String] {
        while let Some(ended) = self.running.try_join_next() {
            self.stories.push(format!("{ended:?}"));
        }
        &self.stories
    }

    /// Lets everybody go without waiting for anything.
    async fn leave(&mut self) -> Result<(), String> {
        self.signals.leave.store(true, Ordering::SeqCst);
        self.all_ended().await
    }

    /// Lets everybody go once everything is acknowledged.
    async fn finish(&mut self) -> Result<(), String> {
        self.signals.stop.store(true, Ordering::SeqCst);
        self.all_ended().await
    }

    async fn all_ended(&mut self) -> Result<(), String> {
        let ending = async {
            while let Some(ended) = self.running.join_next().await {
                ended.map_err(|error| error.to_string())??;
            }
            Ok(())
        };
        timeout(RECOVERY, ending).await.unwrap_or_else(|_| Err("updates were never acknowledged".to_owned()))
    }

    /// Document, client and updates: what was acknowledged, or what the rooms had taken of those that left.
    fn promised(&self) -> Vec<(DocName, u64, u64)> {
        let has_left = self.signals.leave.load(Ordering::SeqCst);
        let promised = (0..).zip(&self.diaries).map(|(number, diary)| {
            let counter = if has_left { &diary.sent } else { &diary.acknowledged };
            (doc(number), client(number), counter.load(Ordering::SeqCst))
        });
        promised.collect()
    }
}

/// Compares what is on the disk with what was promised.
async fn check(place: &Place, promised: &[(DocName, u64, u64)], tally: &mut Tally) -> Result<(), String> {
    let store = open(&place.config()).map_err(|error| with_sources(&error))?;
    for (doc, client, updates) in promised {
        let stored = store.load(doc).await.map_err(|error| with_sources(&error))?;
        let state = ydock::sync::state_vector_of(stored.bytes.parts().map(AsRef::as_ref)).unwrap();
        let kept = u64::from(state.clock(ClientId::new(*client).unwrap())) / TEXT as u64;
        let missing = updates.saturating_sub(kept);
        if missing > 0 {
            tally.lost += missing;
            tally.breaks(0, format!("SILENT: {doc}: {missing} of {updates} updates of client {client} are gone"));
        }
    }
    tally.silent += u64::from(tally.lost > 0);
    store.close().await.map_err(|error| with_sources(&error))
}

fn doc(number: u64) -> DocName {
    DocName::parse(&format!("outage-{}", number % DOCUMENTS)).unwrap()
}

fn client(number: u64) -> u64 {
    number + 1
}

fn update(number: u64, at: u64) -> Vec<u8> {
    typed(client(number), at * TEXT as u64, &"x".repeat(TEXT))
}

/// The frame with which the update of a member comes back to it.
fn echo(number: u64, at: u64) -> Vec<u8> {
    let mut frame = vec![0, 2];
    write_buffer(&mut frame, &update(number, at));
    frame
}

/// More than the longest pause of a room before it tries again.
const RECOVERY: Duration = Duration::from_secs(30);
