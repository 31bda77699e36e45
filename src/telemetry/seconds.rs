//! Times, counted in buckets of fixed bounds: to record one takes no memory, whether anybody ever asks for them or not.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often something took how long.
#[derive(Debug)]
pub struct Seconds {
    name: &'static str,
    help: &'static str,
    /// How many times were at most as long as the bound in [`BOUNDS`] and longer than the one before; the last were longer than all.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Seconds {
    pub(super) fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, buckets: Default::default(), micros: AtomicU64::new(0) }
    }

    /// Counts one time, to the microsecond.
    pub fn record(&self, time: Duration) {
        let at = BOUNDS.partition_point(|bound| *bound < time);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl fmt::Display for Seconds {
    /// A histogram in the Prometheus text format, version 0.0.4.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, help, buckets, micros } = self;
        writeln!(f, "# HELP {name} {help}\n# TYPE {name} histogram")?;
        let mut count = 0;
        for (at, bucket) in buckets.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            match BOUNDS.get(at) {
                Some(bound) => writeln!(f, "{name}_bucket{{le=\"{}\"}} {count}", bound.as_secs_f64())?,
                None => writeln!(f, "{name}_bucket{{le=\"+Inf\"}} {count}")?,
            }
        }
        let sum = Duration::from_micros(micros.load(Ordering::Relaxed)).as_secs_f64();
        writeln!(f, "{name}_sum {sum}\n{name}_count {count}")?;
        f.write_char('\n')
    }
}

const BOUNDS: [Duration; 10] = [
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_each_time_in_its_bucket_and_all_above() {
        let seconds = Seconds::new("wait_seconds", "time to wait");
        for micros in [0, 500, 501, 2500, 60_000, 5_000_000, 5_000_001] {
            seconds.record(Duration::from_micros(micros));
        }
        let expected = "\
# HELP wait_seconds time to wait
# TYPE wait_seconds histogram
wait_seconds_bucket{le=\"0.0005\"} 2
wait_seconds_bucket{le=\"0.001\"} 3
wait_seconds_bucket{le=\"0.0025\"} 4
wait_seconds_bucket{le=\"0.005\"} 4
wait_seconds_bucket{le=\"0.01\"} 4
wait_seconds_bucket{le=\"0.05\"} 4
wait_seconds_bucket{le=\"0.1\"} 5
wait_seconds_bucket{le=\"0.5\"} 5
wait_seconds_bucket{le=\"1\"} 5
wait_seconds_bucket{le=\"5\"} 6
wait_seconds_bucket{le=\"+Inf\"} 7
wait_seconds_sum 10.063502
wait_seconds_count 7

";
        assert_eq!(seconds.to_string(), expected);
    }
}
