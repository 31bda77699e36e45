//! The rounds of a server: one task looks at all connections in turn, so that a quiet connection has no timer of its own.
//!
//! A timer a connection wakes its task for nearly nothing, one by one; here many are looked at in one go, and their tasks
//! sleep on. The connections are spread over slices, of which each has its turn once a round.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{MissedTickBehavior, interval};

use super::Config;
use super::connections::Shared;
use crate::delivery::{Ending, Outbox};
use crate::telemetry::Metrics;
use crate::websocket::{self, Opcode, Stream};

/// The connections that are looked at.
#[derive(Debug)]
pub(super) struct Rounds {
    slices: Vec<Mutex<Vec<Watch>>>,
    have_begun: AtomicBool,
    rhythm: Rhythm,
}

/// What there is of a connection to look at, as long as it is driven.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) outbox: Arc<Outbox>,
    pub(super) stream: Arc<Stream>,
    pub(super) keep_alive: Bytes,
    /// The room keeps the reader waiting: what the client says meanwhile is not read, so its silence means nothing.
    pub(super) is_busy: AtomicBool,
}

#[derive(Debug)]
struct Watch {
    watched: Weak<Watched>,
    /// The rounds so far.
    rounds: u32,
    /// The last ones of them without a sign of life.
    silent: u32,
}

/// What is done how often, counted in rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rhythm {
    /// From one slice to the next.
    beat: Duration,
    /// Two looks that find nothing sent are at most one keep-alive apart.
    look: u32,
    ping: u32,
    /// So many silent ones end a connection.
    silent: u32,
}

impl Rounds {
    pub(super) fn new(config: &Config) -> Self {
        let slices = (0..SLICES).map(|_| Mutex::default()).collect();
        Self { slices, have_begun: AtomicBool::new(false), rhythm: Rhythm::of(config) }
    }

    /// Looks at a connection from now on, until it is dropped. The first one begins the rounds.
    pub(super) fn watch(shared: &Arc<Shared>, number: u64, watched: &Arc<Watched>) {
        let rounds = &shared.rounds;
        let slice = usize::try_from(number % u64::from(SLICES)).ok().and_then(|at| rounds.slices.get(at));
        if let Some(slice) = slice {
            lock(slice).push(Watch { watched: Arc::downgrade(watched), rounds: 0, silent: 0 });
        }
        if !rounds.have_begun.swap(true, Ordering::Relaxed) {
            shared.tasks.spawn(run(Arc::clone(shared)));
        }
    }
}

impl Rhythm {
    fn of(config: &Config) -> Self {
        let round = (config.keep_alive / 2).min(config.ping).max(LEAST_BEAT * SLICES);
        let rounds = |time: Duration| time.as_nanos() / round.as_nanos();
        let count = |rounds: u128| u32::try_from(rounds).unwrap_or(u32::MAX).max(1);
        Self {
            beat: round / SLICES,
            look: count(rounds(config.keep_alive / 2)),
            ping: count(rounds(config.ping)),
            silent: count(config.silent_after.as_nanos().div_ceil(round.as_nanos())),
        }
    }
}

impl Watch {
    /// Looks at the connection; whether it is to be looked at again.
    fn look(&mut self, rhythm: &Rhythm, metrics: &Metrics) -> bool {
        let Some(watched) = self.watched.upgrade() else { return false };
        self.rounds = self.rounds.wrapping_add(1);
        let is_alive = watched.stream.take_sign_of_life() || watched.is_busy.load(Ordering::Relaxed);
        self.silent = if is_alive { 0 } else { self.silent + 1 };
        if self.silent >= rhythm.silent {
            watched.outbox.end(Ending::Silent);
            return false;
        }
        if self.rounds.is_multiple_of(rhythm.look) && watched.count(metrics) == 0 {
            watched.outbox.control(watched.keep_alive.clone());
        }
        if self.rounds.is_multiple_of(rhythm.ping) {
            watched.outbox.control(websocket::frame(Opcode::Ping, &[]));
        }
        true
    }
}

impl Watched {
    /// Counts what came and what has left since the last time; says how many frames have left.
    pub(super) fn count(&self, metrics: &Metrics) -> u64 {
        let received = self.stream.take_received();
        if received.frames > 0 {
            metrics.frames_received.increment(received.frames);
            metrics.bytes_received.increment(received.bytes);
        }
        count_sent(&self.outbox, metrics)
    }
}

/// Counts what has left since the last time; says how many frames that were.
pub(super) fn count_sent(outbox: &Outbox, metrics: &Metrics) -> u64 {
    let sent = outbox.take_sent();
    if sent.frames > 0 {
        metrics.frames_sent.increment(sent.frames);
        metrics.bytes_sent.increment(sent.bytes);
    }
    sent.frames
}

async fn run(shared: Arc<Shared>) {
    let Rounds { slices, rhythm, .. } = &shared.rounds;
    let mut beats = interval(rhythm.beat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for slice in slices.iter().cycle() {
        tokio::select! {
            _ = beats.tick() => {}
            () = shared.tasks.stopped() => return,
        }
        let mut watches = std::mem::take(&mut *lock(slice));
        for (number, mut watch) in std::mem::take(&mut watches).into_iter().enumerate() {
            // What fails with one connection must not leave the others alone.
            let look = catch_unwind(AssertUnwindSafe(|| watch.look(rhythm, &shared.metrics)));
            if look.unwrap_or(false) {
                watches.push(watch);
            }
            if number % LOOKS_AT_ONCE == LOOKS_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
        }
        lock(slice).append(&mut watches);
    }
}

fn lock(slice: &Mutex<Vec<Watch>>) -> MutexGuard<'_, Vec<Watch>> {
    slice.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Into how many slices the connections are divided.
const SLICES: u32 = 16;
/// The runtime's timers are no finer.
const LEAST_BEAT: Duration = Duration::from_millis(1);
/// After so many looks others on this thread get a turn: each may send something.
const LOOKS_AT_ONCE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn config(keep_alive: u64, ping: u64, silent_after: u64) -> Config {
        let [keep_alive, ping, silent_after] = [keep_alive, ping, silent_after].map(Duration::from_millis);
        Config { keep_alive, ping, silent_after, ..Config::default() }
    }

    #[test]
    fn the_rhythm_keeps_to_the_settings() {
        let rhythm = Rhythm::of(&Config::default());
        assert_eq!(rhythm, Rhythm { beat: Duration::from_micros(468_750), look: 1, ping: 4, silent: 8 });
        let rhythm = Rhythm::of(&config(60_000, 10_000, 25_000));
        assert_eq!(rhythm, Rhythm { beat: Duration::from_millis(625), look: 3, ping: 1, silent: 3 });
        assert_eq!(Rhythm::of(&config(0, 0, 1)), Rhythm { beat: LEAST_BEAT, look: 1, ping: 1, silent: 1 });
    }
}
