//! Times in buckets of 3 %: counting one costs nanoseconds, and millions of them no memory.

/// How often which time was seen.
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(crate) fn count(&mut self, nanos: u64) {
        self.counts[bucket(nanos / UNIT)] += 1;
        self.total += 1;
    }

    /// The time in milliseconds below which this share of them lies; none when nothing was counted.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let mut left = (self.total as f64 * share).ceil();
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            left -= *count as f64;
            if left <= 0.0 {
                return Some(middle(bucket) * UNIT as f64 / 1e6);
            }
        }
        None
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; bucket(u64::MAX / UNIT) + 1], total: 0 }
    }
}

fn bucket(value: u64) -> usize {
    let exponent = value.max(1).ilog2();
    let index =
        if exponent < BITS { value } else { (u64::from(exponent - BITS) << BITS) + (value >> (exponent - BITS)) };
    usize::try_from(index).unwrap()
}

/// The middle of a bucket.
fn middle(bucket: usize) -> f64 {
    let (row, column) = (bucket >> BITS, bucket & ((1 << BITS) - 1));
    if row == 0 {
        return column as f64;
    }
    let width = (1_u64 << (row - 1)) as f64;
    (column as f64 + 0.5 + f64::from(1 << BITS)) * width
}

/// The finest time told apart, in nanoseconds.
const UNIT: u64 = 1000;
/// Each power of two has two to the power of this many buckets.
const BITS: u32 = 5;
