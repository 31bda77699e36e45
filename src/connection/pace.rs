//! How fast a client may send. What comes faster is read later: nothing is lost, and the client's own queue fills.
//!
//! Nobody looks at a clock for a message. A client takes a slice of what it may send and looks again when that is used up; the
//! accounts are those of the generic cell rate algorithm, in which what was sent moves a moment ahead of the clock and may move it
//! only so far.

use std::time::Duration;

use tokio::time::Instant;

use super::Config;

/// How fast one client may send.
#[derive(Debug)]
pub(crate) struct Pace {
    messages: Allowance,
    bytes: Allowance,
}

/// What a client may still send of something.
#[derive(Debug)]
struct Allowance {
    /// So much without looking at the clock.
    at_hand: u64,
    /// Apart, because it is looked at seldom.
    account: Option<Box<Account>>,
}

#[derive(Debug)]
struct Account {
    per_second: u64,
    slice: u64,
    /// How far ahead of the clock [`paid_until`](Self::paid_until) may be: what may be sent at once, as a time.
    ahead: Duration,
    paid_until: Instant,
}

impl Pace {
    pub(super) fn new(config: &Config, now: Instant) -> Self {
        Self {
            messages: Allowance::new(config.messages_per_second.into(), config.messages_at_once.into(), now),
            bytes: Allowance::new(config.bytes_per_second.as_u64(), config.bytes_at_once.as_u64(), now),
        }
    }

    /// A message came; how long to wait before the next one is looked at.
    pub(crate) fn message(&mut self) -> Option<Duration> {
        self.messages.take(1)
    }

    /// Bytes came; how long to wait before more are read.
    pub(crate) fn bytes(&mut self, len: usize) -> Option<Duration> {
        self.bytes.take(len as u64)
    }
}

impl Allowance {
    /// So much a second for long, and so much at once after a pause; 0 a second is any.
    fn new(per_second: u64, at_once: u64, now: Instant) -> Self {
        let Some(ahead) = time_for(at_once, per_second) else { return Self { at_hand: u64::MAX, account: None } };
        let slice = (per_second / SLICES_A_SECOND).clamp(1, at_once.max(1));
        Self { at_hand: 0, account: Some(Box::new(Account { per_second, slice, ahead, paid_until: now })) }
    }

    fn take(&mut self, count: u64) -> Option<Duration> {
        if let Some(left) = self.at_hand.checked_sub(count) {
            self.at_hand = left;
            return None;
        }
        self.pay(count, Instant::now())
    }

    /// Pays for what is lacking and for a slice in advance, if it is not a slice itself.
    fn pay(&mut self, count: u64, now: Instant) -> Option<Duration> {
        let lacking = count.saturating_sub(self.at_hand);
        let Some(account) = &mut self.account else {
            self.at_hand = u64::MAX;
            return None;
        };
        let paid = lacking.max(account.slice);
        self.at_hand = paid - lacking;
        account.paid_until = account.paid_until.max(now) + time_for(paid, account.per_second)?;
        let too_far = (account.paid_until - now).saturating_sub(account.ahead);
        (!too_far.is_zero()).then_some(too_far)
    }
}

/// The time in which so much may be sent; `None` when any amount may.
fn time_for(count: u64, per_second: u64) -> Option<Duration> {
    let nanos = (u128::from(count) * NANOS_A_SECOND).checked_div(u128::from(per_second))?;
    Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

/// A client looks at the clock about so often while it sends as fast as it may.
const SLICES_A_SECOND: u64 = 20;
const NANOS_A_SECOND: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Sends without a pause but for those that are asked for; how many of a size pass within a time.
    fn passed(per_second: u64, at_once: u64, size: u64, within: Duration) -> u64 {
        let start = Instant::now();
        let (mut allowance, mut now, mut passed) = (Allowance::new(per_second, at_once, start), start, 0);
        while now < start + within {
            passed += size;
            let Some(left) = allowance.at_hand.checked_sub(size) else {
                now += allowance.pay(size, now).unwrap_or_default();
                continue;
            };
            allowance.at_hand = left;
        }
        passed
    }

    #[test]
    fn at_once_passes_what_may_and_then_what_the_rate_lets() {
        for (per_second, at_once, size) in [(1, 1, 1), (1, 5, 1), (100, 1000, 1), (20_000, 200_000, 1), (1000, 1, 64)] {
            let seconds = 30;
            let passed = passed(per_second, at_once, size, SECOND * 30);
            let (least, slice) = (at_once + per_second * seconds, (per_second / SLICES_A_SECOND).max(size));
            assert!(
                (least - slice..=least + slice).contains(&passed),
                "{passed} of {least}, {per_second} {at_once} {size}"
            );
        }
    }

    #[test]
    fn a_pause_gives_back_what_may_be_sent_at_once_and_no_more() {
        let start = Instant::now();
        let mut allowance = Allowance::new(10, 100, start);
        assert_eq!(allowance.pay(100, start), None);
        assert_eq!(allowance.pay(10, start), Some(SECOND));
        let later = start + SECOND * 3600;
        assert_eq!(allowance.pay(100, later), None);
        assert_eq!(allowance.pay(1, later), Some(SECOND / 10));
    }

    #[test]
    fn what_is_larger_than_may_be_sent_at_once_passes_and_is_waited_for() {
        let start = Instant::now();
        let mut allowance = Allowance::new(1000, 10, start);
        assert_eq!(allowance.pay(5010, start), Some(SECOND * 5));
        assert_eq!(allowance.pay(1, start + SECOND * 5), Some(SECOND / 100));
    }

    #[test]
    fn without_a_rate_nothing_is_counted() {
        let mut allowance = Allowance::new(0, 5, Instant::now());
        assert!((0..1000).all(|_| allowance.take(u64::MAX / 2).is_none()));
    }
}
