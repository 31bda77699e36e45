//! All members of one trial, and what is measured while they work.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};

use crate::ledger::{Measure, Room, RoomParts, now};
use crate::member::{Member, Seat};
use crate::server::Server;
use crate::usage::Cpu;

/// Everybody who is connected to the server under load.
#[derive(Default)]
pub(crate) struct Crowd {
    pub(crate) measure: Rc<Measure>,
    pub(crate) members: Vec<Rc<Member>>,
    pub(crate) rooms: Vec<Rc<Room>>,
    /// Set when nobody is to write any more.
    is_over: Rc<Cell<bool>>,
}

/// What one phase has cost.
pub(crate) struct Phase {
    /// Of the server.
    pub(crate) cpu: Duration,
    /// Of this process: near the length of the phase, the load itself is the limit.
    pub(crate) load: Duration,
    pub(crate) length: Duration,
    pub(crate) deliveries: u64,
    pub(crate) states: u64,
}

impl Phase {
    /// Microseconds of the server's CPU for each of so many things.
    pub(crate) fn micros_each(&self, count: u64) -> Option<f64> {
        (count > 0).then(|| self.cpu.as_secs_f64() * 1e6 / count as f64)
    }
}

impl Crowd {
    /// A document in which updates of `len` letters are written by so many authors.
    pub(crate) fn room(&mut self, doc: &str, authors: usize, len: usize) -> Rc<Room> {
        let parts = RoomParts { doc: doc.to_owned(), number: self.rooms.len() as u64, authors, len };
        let room = Rc::new(Room::new(&parts, &self.measure));
        self.rooms.push(Rc::clone(&room));
        room
    }

    /// Seats for so many members, of which the first are the room's authors.
    pub(crate) fn seats(room: &Rc<Room>, members: usize) -> impl Iterator<Item = Seat> {
        let (room, authors) = (Rc::clone(room), room.authors());
        (0..members).map(move |number| Seat {
            room: Rc::clone(&room),
            author: (number < authors).then_some(number),
            progress: Vec::new(),
            receive_buffer: None,
        })
    }

    /// Lets members join, so many at once, and waits until each has its document.
    pub(crate) async fn join(
        &mut self,
        server: &Server,
        seats: impl IntoIterator<Item = Seat>,
        at_once: usize,
    ) -> Result<(), String> {
        let joining = stream::iter(seats).map(|seat| async {
            let door = server.door(&seat.room.doc);
            let joined = async {
                let member = Member::join(&door, seat).await.map_err(|error| format!("cannot join: {error}"))?;
                member.synced().await?;
                Ok(member)
            };
            timeout(JOIN, joined).await.unwrap_or_else(|_| Err("a member was never synced".to_owned()))
        });
        let members: Vec<_> = joining.buffered(at_once).try_collect().await?;
        self.members.extend(members);
        Ok(())
    }

    /// Lets members join, and tells what that costs the server.
    pub(crate) async fn measured_join(
        &mut self,
        server: &Server,
        seats: impl IntoIterator<Item = Seat>,
        at_once: usize,
    ) -> Result<Phase, String> {
        let measure = Rc::clone(&self.measure);
        let mut joined = Ok(());
        let phase = measured(&measure, server, async { joined = self.join(server, seats, at_once).await }).await;
        joined.map(|()| phase)
    }

    /// Lets every author write with this period from now on, spread evenly over it.
    pub(crate) fn write_every(&self, period: Duration) {
        let authors: Vec<_> = self.members.iter().filter(|member| member.author.is_some()).collect();
        for (number, member) in authors.iter().enumerate() {
            let first = period.mul_f64(number as f64 / authors.len() as f64);
            self.repeat(first, period, member, |member| member.write(1));
        }
    }

    /// Lets a member do something every `period`, for as long as the crowd works.
    pub(crate) fn repeat(
        &self,
        first: Duration,
        period: Duration,
        member: &Rc<Member>,
        mut act: impl FnMut(&Member) + 'static,
    ) {
        let (member, is_over) = (Rc::clone(member), Rc::clone(&self.is_over));
        tokio::task::spawn_local(async move {
            let mut ticks = interval_at(tokio::time::Instant::now() + first, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            loop {
                ticks.tick().await;
                if is_over.get() {
                    return;
                }
                act(&member);
            }
        });
    }

    /// Whether nobody is to write any more.
    pub(crate) fn over(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.is_over)
    }

    /// Measures for so long.
    pub(crate) async fn phase(&self, server: &Server, length: Duration) -> Phase {
        measured(&self.measure, server, sleep(length)).await
    }

    /// Ends the writing and waits for what is under way; how many deliveries are missing for good.
    pub(crate) async fn settle(&self) -> u64 {
        self.is_over.set(true);
        let (mut missing, mut waited) = (self.missing(), Duration::ZERO);
        while missing > 0 && waited < PATIENCE {
            sleep(SAMPLE).await;
            let left = self.missing();
            waited = if left < missing { Duration::ZERO } else { waited + SAMPLE };
            missing = left;
        }
        missing + self.measure.unreadable.get()
    }

    /// Why members are not there any more that should be.
    pub(crate) fn departed(&self) -> Vec<String> {
        let mut reasons: Vec<_> = self.members.iter().filter_map(|member| member.departed()).collect();
        let count = reasons.len();
        reasons.sort();
        reasons.dedup();
        reasons.iter().map(|reason| format!("{count} members ended, {reason}")).collect()
    }

    fn missing(&self) -> u64 {
        self.members.iter().map(|member| member.missing()).sum()
    }
}

/// Measures until something is done.
async fn measured<T>(measure: &Measure, server: &Server, work: impl Future<Output = T>) -> Phase {
    measure.deliveries.set(0);
    measure.states.set(0);
    let mut cpu = server.cpu();
    let before = cpu.sample();
    let mut load = Cpu::of_the_load();
    let load_before = load.sample();
    let since = now();
    measure.until.set(None);
    measure.since.set(Some(since));
    let mut work = std::pin::pin!(work);
    // Threads that end in between are seen before.
    while timeout(SAMPLE, &mut work).await.is_err() {
        cpu.sample();
    }
    let until = now();
    measure.until.set(Some(until));
    Phase {
        cpu: cpu.sample().saturating_sub(before),
        load: load.sample().saturating_sub(load_before),
        length: Duration::from_nanos(until - since),
        deliveries: measure.deliveries.get(),
        states: measure.states.get(),
    }
}

/// What a member may take to join.
const JOIN: Duration = Duration::from_mins(2);
/// How often threads are looked at.
const SAMPLE: Duration = Duration::from_millis(200);
/// How long nothing may arrive until what is missing is lost.
const PATIENCE: Duration = Duration::from_secs(5);
