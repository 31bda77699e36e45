//! One writer's updates on their way to everybody else in a room: members with sockets that take everything, and no network.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use ydock::DocName;
use ydock::delivery::{self, Outbox, Wire};
use ydock::doc_rooms::{Config, Membership, Rooms, RoomsParts, Seat};
use ydock::fronts::y_websocket::{Acks, YWebSocketDialect};
use ydock::hooks::HookChain;
use ydock::shutdown::Tasks;
use ydock::storage::MemoryStore;
use ydock::telemetry::Metrics;

use crate::counted;
use crate::samples::typing;

/// Each update has reached everybody before the next one comes.
pub(crate) fn one_by_one() {
    let (runtime, room) = in_a_room();
    counted(|| {
        runtime.block_on(async {
            for update in &room.updates {
                room.audience.listens_for(update);
                room.writer.update(update).await.unwrap();
                room.audience.heard.notified().await;
            }
        });
    });
}

/// All updates come at once, as they do when one read finds them all.
pub(crate) fn burst() {
    let (runtime, room) = in_a_room();
    room.audience.listens_for(room.updates.last().unwrap());
    counted(|| {
        runtime.block_on(async {
            for (at, update) in (1..).zip(&room.updates) {
                room.writer.expect_more(at < room.updates.len());
                room.writer.update(update).await.unwrap();
            }
            room.audience.heard.notified().await;
        });
    });
}

/// A room with everybody in it.
struct Room {
    writer: Membership,
    audience: Arc<Audience>,
    updates: Vec<Vec<u8>>,
    _rooms: Rooms,
    _readers: Vec<Membership>,
}

/// The readers of a room together.
#[derive(Debug, Default)]
struct Audience {
    update: Mutex<Vec<u8>>,
    /// How many have not heard it.
    left: AtomicU64,
    heard: Notify,
}

impl Audience {
    fn listens_for(&self, update: &[u8]) {
        update.clone_into(&mut self.update.lock().unwrap());
        self.left.store(READERS, Ordering::Relaxed);
    }
}

/// A reader's socket.
#[derive(Debug)]
struct Socket(Arc<Audience>);

impl Wire for Socket {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.ends_with(&self.0.update.lock().unwrap()) && self.0.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.heard.notify_one();
        }
        Ok(bytes.len())
    }
}

/// Time stands still while there is something to do, so that nothing depends on how long it takes.
fn in_a_room() -> (Runtime, Room) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let room = runtime.block_on(async {
        let rooms = Rooms::new(RoomsParts {
            store: Arc::new(MemoryStore::default()),
            config: Config { compact_updates: usize::MAX, ..Config::default() },
            max_update: 1 << 20,
            hooks: HookChain::default(),
            tasks: Tasks::new(),
            metrics: Arc::new(Metrics::new()),
        });
        let audience = Arc::new(Audience::default());
        // Until the first update nobody listens.
        audience.listens_for(b"none");
        let mut readers = Vec::new();
        for _ in 0..READERS {
            readers.push(join(&rooms, &audience).await);
        }
        let writer = join(&rooms, &audience).await;
        Room { writer, audience, updates: typing(1000, UPDATES), _rooms: rooms, _readers: readers }
    });
    (runtime, room)
}

async fn join(rooms: &Rooms, audience: &Arc<Audience>) -> Membership {
    let outbox = Outbox::new(&delivery::Config::default());
    outbox.attach(Arc::new(Socket(Arc::clone(audience))));
    let dialect = Arc::new(YWebSocketDialect::new(Acks::None));
    let seat = || Seat {
        outbox: outbox.clone(),
        dialect: dialect.clone(),
        wants_acks: false,
        wants_typing: false,
        parted: None,
    };
    rooms.join(&DocName::parse("document").unwrap(), seat).await.unwrap()
}

const READERS: u64 = 100;
const UPDATES: u64 = 100;
/// How often somebody hears an update.
pub(crate) const DELIVERIES: u64 = READERS * UPDATES;
