//! What rooms cost: opening one, one update through it, and the frames of the wire: `cargo bench --bench rooms`.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::sync::Arc;

use bytes::Bytes;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tokio::runtime::Runtime;
use ydock::delivery::{self, Dialect, Message, Outbox};
use ydock::doc_rooms::{Config, Membership, Rooms, RoomsParts, Seat};
use ydock::fronts::y_websocket::{Acks, YWebSocketDialect};
use ydock::hooks::HookChain;
use ydock::lib0::{Reader, write_text, write_var_uint};
use ydock::shutdown::Tasks;
use ydock::storage::{MemoryStore, Store};
use ydock::sync::SyncMessage;
use ydock::telemetry::Metrics;
use ydock::{DocName, Generation};

fn main() {
    divan::main();
}

/// An update of one character, as a frame.
#[divan::bench]
fn codec_encode_update(bencher: Bencher<'_, '_>) {
    let (dialect, update) = (YWebSocketDialect::new(Acks::None), letter(1, 1000));
    bencher.bench(|| dialect.encode(black_box(&Message::Update(&update))));
}

/// The same frame, read.
#[divan::bench]
fn codec_decode_update(bencher: Bencher<'_, '_>) {
    let frame = YWebSocketDialect::new(Acks::None).encode(&Message::Update(&letter(1, 1000))).unwrap();
    bencher.bench(|| {
        let mut reader = Reader::new(black_box(&frame));
        (reader.var_uint().is_ok(), SyncMessage::read(&mut reader).is_ok())
    });
}

/// From a closed document of so many kilobytes in a memory store to a seat in its room.
#[divan::bench(args = [1, 100, 1000], sample_count = 50, sample_size = 1)]
fn room_open(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let runtime = Runtime::new().unwrap();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let name = DocName::parse("document").unwrap();
    runtime.block_on(store.append(&name, Generation::FIRST, vec![text(kilobytes * 1024)])).unwrap();
    bencher.with_inputs(|| rooms(Arc::clone(&store))).bench_values(|rooms| runtime.block_on(join(&rooms, &name)));
}

/// A thousand updates of one member, each to 9 others, without sockets.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn thousand_updates_to_nine_members(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().unwrap();
    let rooms = rooms(Arc::new(MemoryStore::default()));
    let name = DocName::parse("busy").unwrap();
    let members: Vec<_> = (0..10).map(|_| runtime.block_on(join(&rooms, &name))).collect();
    let mut client = 0;
    bencher
        .counter(ItemsCount::new(1000_usize))
        .with_inputs(|| {
            client += 1;
            (0..1000).map(|clock| letter(client, clock)).collect::<Vec<_>>()
        })
        .bench_local_values(|updates| runtime.block_on(relay(&members, &updates)));
}

/// Sends updates from the first member and reads them at all others.
async fn relay(members: &[(Membership, Arc<Outbox>)], updates: &[Bytes]) {
    let ((writer, _), readers) = members.split_first().unwrap();
    let reading = readers.iter().map(|(_, outbox)| receive(outbox, updates.last().unwrap()));
    let writing = async {
        for update in updates {
            writer.update(update).await.unwrap();
        }
    };
    tokio::join!(writing, futures_util::future::join_all(reading));
}

async fn receive(outbox: &Outbox, last: &Bytes) {
    let mut frames = Vec::new();
    loop {
        outbox.next(&mut frames, 64 * 1024).await;
        outbox.flushed();
        if frames.drain(..).any(|frame: Bytes| frame.ends_with(last)) {
            return;
        }
    }
}

fn rooms(store: Arc<dyn Store>) -> Rooms {
    let (tasks, metrics) = (Tasks::new(), Arc::new(Metrics::new()));
    Rooms::new(RoomsParts {
        store,
        config: Config::default(),
        max_update: 16 << 20,
        hooks: HookChain::default(),
        tasks,
        metrics,
    })
}

async fn join(rooms: &Rooms, name: &DocName) -> (Membership, Arc<Outbox>) {
    let outbox = Outbox::new(&delivery::Config::default());
    let dialect = Arc::new(YWebSocketDialect::new(Acks::None));
    let seat = || Seat {
        outbox: outbox.clone(),
        dialect: dialect.clone(),
        wants_acks: false,
        wants_typing: false,
        parted: None,
    };
    let membership = rooms.join(name, seat).await.unwrap();
    (membership, outbox)
}

/// A text of about so many encoded bytes, every 25 characters inserted before all earlier ones, so that none join.
fn text(bytes: usize) -> Bytes {
    let count = (bytes as u64 / 32).max(1);
    let mut out = vec![1];
    write_var_uint(&mut out, count);
    out.extend([1, 0]);
    for block in 0..count {
        if block == 0 {
            out.extend([4, 1]);
            write_text(&mut out, "t");
        } else {
            out.extend([0x44, 1]);
            write_var_uint(&mut out, (block - 1) * 25);
        }
        write_text(&mut out, "twenty-five characters...");
    }
    out.push(0);
    out.into()
}

/// The `clock`-th letter that a client types.
fn letter(client: u64, clock: u64) -> Bytes {
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
    out.into()
}
