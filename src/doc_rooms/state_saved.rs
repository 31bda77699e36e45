//! When a room's members hear that everything is durable: after something was not, and at most once a second.

use std::time::Duration;

use tokio::time::Instant;

/// The notice that everything which was accepted is durable.
#[derive(Debug, Default)]
pub(super) struct SavedNotice {
    given_at: Option<Instant>,
    /// When a notice that came too early is given after all.
    due: Option<Instant>,
}

impl SavedNotice {
    /// Everything has become durable; says whether the members hear it now. Else it is due later.
    pub(super) fn all_saved(&mut self, now: Instant) -> bool {
        match self.given_at.map(|at| at + INTERVAL) {
            Some(next) if now < next => {
                self.due = Some(next);
                false
            }
            _ => {
                *self = Self { given_at: Some(now), due: None };
                true
            }
        }
    }

    /// Something was accepted: what is due would be wrong. The next save brings it up again.
    pub(super) fn accepted(&mut self) {
        self.due = None;
    }

    /// Whether a late notice is to be given now.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now) && self.all_saved(now)
    }

    pub(super) const fn next_due(&self) -> Option<Instant> {
        self.due
    }
}

const INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_given_at_once_and_the_next_one_a_second_later() {
        let (mut notice, start) = (SavedNotice::default(), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        assert!(notice.all_saved(start));
        assert!(!notice.all_saved(after(10)));
        assert!(!notice.all_saved(after(20)));
        assert!(!notice.take_due(after(999)));
        assert_eq!(notice.next_due(), Some(after(1000)));
        assert!(notice.take_due(after(1000)));
        assert_eq!(notice.next_due(), None);
        assert!(!notice.all_saved(after(1001)));
    }

    #[test]
    fn a_late_notice_is_not_given_while_something_new_is_not_durable() {
        let (mut notice, start) = (SavedNotice::default(), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        assert!(notice.all_saved(start));
        assert!(!notice.all_saved(after(10)));
        notice.accepted();
        assert!(!notice.take_due(after(1500)));
        assert!(notice.all_saved(after(1600)));
    }
}
