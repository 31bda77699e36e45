//! Members who come, show themselves and leave, with and without a goodbye, beside others who stay. Either those who come type a
//! little, each as a new author, or those who stay do, so that the documents hardly grow.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{interval, sleep};

use super::{MEGABYTE, WARM_UP};
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::histogram::Histogram;
use crate::ledger::{Room, now};
use crate::member::{Door, Goodbye, Member, Seat};
use crate::server::Server;
use crate::stored;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    let Shape { members, rooms, rate, seconds, .. } = shape;
    let staying = if shape.writers > 0 { "who stay" } else { "who stay and type" };
    format!("churn: {rate} joins and leaves a second in {rooms} documents with {members} {staying}, {seconds} s")
}

/// What is done in a visit, and what all of them together came to.
#[derive(Default)]
struct Visits {
    type_something: bool,
    joining: RefCell<Histogram>,
    failed: RefCell<Vec<String>>,
    present: Cell<u64>,
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let visitors_type = shape.writers > 0;
    let authors = if visitors_type { 0 } else { shape.members };
    let rooms: Vec<_> =
        (0..shape.rooms).map(|number| crowd.room(&format!("churn-{number}"), authors, shape.len)).collect();
    crowd.join(server, rooms.iter().flat_map(|room| Crowd::seats(room, shape.members)), shape.at_once).await?;
    crowd.write_every(PAUSE);
    let visits = Rc::new(Visits { type_something: visitors_type, ..Visits::default() });
    tokio::task::spawn_local(come_and_go(server, &rooms, shape, &crowd, &visits));
    sleep(WARM_UP + STAY).await;
    visits.joining.replace(Histogram::default());
    let bytes_written = || rooms.iter().map(|room| room.bytes_written()).sum::<usize>();
    let (memory, bytes) = (server.memory().now, bytes_written());
    let phase = crowd.phase(server, shape.length()).await;
    let (grown, written) = (server.memory().now.saturating_sub(memory), bytes_written() - bytes);
    crowd.over().set(true);
    while visits.present.get() > 0 {
        sleep(STAY / 10).await;
    }
    let mut outcome = Outcome::new(crowd.settle().await, crowd.departed());
    sleep(STAY).await;
    let ghosts = crowd.members.iter().map(|member| ghosts(member)).sum::<u64>();
    outcome.figure("CPU ms a join", phase.cpu.as_secs_f64() * 1e3 / (shape.rate * phase.length.as_secs_f64()));
    outcome.figure("join p50 ms", visits.joining.borrow().quantile(0.5));
    outcome.figure("join p99 ms", visits.joining.borrow().quantile(0.99));
    outcome.figure("memory grown MB", grown as f64 / MEGABYTE);
    outcome.figure("updates written MB", written as f64 / MEGABYTE);
    outcome.figure("ghosts", server.kind.is_durable().then_some(ghosts as f64));
    let mut failed = visits.failed.take();
    // A ghost is a departure that was not delivered; nobody expects it of a relay.
    outcome.lost += failed.len() as u64 + if server.kind.is_durable() { ghosts } else { 0 };
    failed.dedup();
    outcome.notes.extend(failed);
    outcome.lost += stored::missing(server, &crowd.rooms).await?;
    Ok(outcome)
}

fn come_and_go(
    server: &Server,
    rooms: &[Rc<Room>],
    shape: &Shape,
    crowd: &Crowd,
    visits: &Rc<Visits>,
) -> impl Future<Output = ()> + use<> {
    let places: Vec<_> = rooms.iter().map(|room| (Rc::clone(room), server.door(&room.doc))).collect();
    let (period, is_over, visits) = (shape.period(), crowd.over(), Rc::clone(visits));
    async move {
        let mut ticks = interval(period);
        for number in 0.. {
            ticks.tick().await;
            if is_over.get() {
                return;
            }
            let (room, door) = &places[number % places.len()];
            let goodbye = if number / places.len() % 2 == 0 { Goodbye::Said } else { Goodbye::Unsaid };
            visits.present.set(visits.present.get() + 1);
            tokio::task::spawn_local(visit(Rc::clone(room), door.clone(), goodbye, Rc::clone(&visits)));
        }
    }
}

async fn visit(room: Rc<Room>, door: Door, goodbye: Goodbye, visits: Rc<Visits>) {
    let outcome = stay(room, &door, goodbye, &visits).await;
    if let Err(why) = outcome {
        visits.failed.borrow_mut().push(why);
    }
    visits.present.set(visits.present.get() - 1);
}

async fn stay(room: Rc<Room>, door: &Door, goodbye: Goodbye, visits: &Visits) -> Result<(), String> {
    let author = Some(room.add_author());
    let came = now();
    let seat = Seat { room, author, progress: Vec::new(), receive_buffer: None };
    let member = Member::join(door, seat).await.map_err(|error| error.to_string())?;
    member.synced().await?;
    visits.joining.borrow_mut().count(now() - came);
    member.show(r#"{"user":{"name":"A Visitor"}}"#);
    for _ in 0..2 {
        if visits.type_something {
            member.write(1);
        }
        sleep(STAY / 2).await;
    }
    let departed = member.departed();
    member.leave(goodbye);
    departed.map_or(Ok(()), Err)
}

/// How many who have left are still shown to a member.
fn ghosts(member: &Member) -> u64 {
    member.presence.borrow().iter().filter(|seen| seen.clock > 0 && !seen.is_gone).count() as u64
}

/// How long a visitor stays.
const STAY: Duration = Duration::from_secs(1);
/// How often those who stay type a letter, if they do.
const PAUSE: Duration = Duration::from_secs(1);
