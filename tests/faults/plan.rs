//! What a run does: how long it is, which faults it holds, and the seed that repeats it.

use std::env;

use tokio::time::Instant;

use crate::random::Random;

/// How thorough a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// Part of every test run.
    Short,
    /// `make faults`.
    Long,
}

/// The settings of a run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) length: Length,
    pub(crate) seed: u64,
    /// Parts of the names of the faults that are wanted; empty for all.
    pub(crate) wanted: Vec<String>,
}

impl Plan {
    /// Reads `YDOCK_FAULTS`, `YDOCK_FAULTS_ONLY` and `YDOCK_FAULTS_SEED`, and the names that stand as arguments.
    pub(crate) fn read() -> Result<Self, String> {
        let length = match env::var("YDOCK_FAULTS").as_deref() {
            Ok("long") => Length::Long,
            Ok("short") | Err(_) => Length::Short,
            Ok(other) => return Err(format!("YDOCK_FAULTS is {other:?}: expected \"short\" or \"long\"")),
        };
        let seed = match env::var("YDOCK_FAULTS_SEED") {
            Ok(text) => text.parse().map_err(|error| format!("YDOCK_FAULTS_SEED is {text:?}: {error}"))?,
            Err(_) => u64::from(std::process::id()) << 20 ^ Random::by_time().below(1 << 20),
        };
        let mut wanted: Vec<String> = env::var("YDOCK_FAULTS_ONLY")
            .map(|names| names.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default();
        // What the test runner passes on beside names is for other harnesses.
        wanted.extend(env::args().skip(1).filter(|argument| !argument.starts_with('-')));
        wanted.retain(|name| !name.is_empty());
        Ok(Self { length, seed, wanted })
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|part| name.contains(part.as_str()))
    }

    /// One value for a short run, another for a long one.
    pub(crate) fn pick<T>(&self, short: T, long: T) -> T {
        match self.length {
            Length::Short => short,
            Length::Long => long,
        }
    }

    /// Numbers of their own for one round of one fault.
    pub(crate) fn random(&self, fault: &str, round: u64) -> Random {
        Random::of(&[self.seed, Random::hash(fault.as_bytes()), round])
    }
}

/// The time since a moment, in seconds.
pub(crate) fn seconds_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64()
}
