//! What a session may do, and how its client hears of it.
//!
//! The promise: a client is told once at the beginning, and again, but not for every message, when something of it is
//! dropped. It is never ended for trying.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::access::Grant;
use crate::delivery::{Dialect, Lane, Message, Outbox};

/// What a session may do, with the way to tell its client.
#[derive(Debug)]
pub struct Permission {
    grant: Grant,
    lane: Lane,
    dialect: Arc<dyn Dialect>,
    answers_each: bool,
    denied_at: Option<Instant>,
}

impl Permission {
    /// A permission, of which the client is told before everything that is queued later.
    #[must_use]
    pub fn announce(grant: Grant, outbox: &Arc<Outbox>, dialect: Arc<dyn Dialect>) -> Self {
        // Nothing goes this way that would have to be sent again after an overflow.
        let lane = outbox.lane(Arc::new(Notify::new()));
        if let Some(frame) = dialect.encode(&Message::Granted(grant)) {
            lane.reply(frame);
        }
        let answers_each = dialect.encode(&Message::Dropped).is_some();
        Self { grant, lane, dialect, answers_each, denied_at: None }
    }

    /// Whether the client counts on an answer to each of its updates.
    pub(super) const fn answers_each(&self) -> bool {
        self.answers_each
    }

    /// Tells the client something, if its wire has a word for it.
    pub(super) fn say(&self, message: &Message<'_>) {
        if self.answers_each
            && let Some(frame) = self.dialect.encode(message)
        {
            self.lane.reply(frame);
        }
    }

    /// What the session may do.
    #[must_use]
    pub const fn grant(&self) -> Grant {
        self.grant
    }

    /// Tells the client that an edit was dropped, unless it counts on no answer and was told within the last second.
    pub(super) fn deny_edit(&mut self, now: Instant) {
        self.say(&Message::Dropped);
        if self.denied_at.is_some_and(|at| now < at + DENY_AGAIN) {
            return;
        }
        self.denied_at = Some(now);
        if let Some(frame) = self.dialect.encode(&Message::Denied(READ_ONLY)) {
            // Not as an answer: a client that tries on while a long document is on its way would be ended.
            self.lane.presence(frame);
        }
    }
}

const READ_ONLY: &str = "this session may only read";
const DENY_AGAIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::access::Role;
    use crate::delivery::{Batch, Config};

    #[derive(Debug)]
    struct Words {
        answers_each: bool,
    }

    const WORDS: Words = Words { answers_each: false };

    impl Dialect for Words {
        fn encode(&self, message: &Message<'_>) -> Option<Bytes> {
            let has_no_word = match message {
                Message::Dropped => !self.answers_each,
                Message::Denied(_) => self.answers_each,
                _ => false,
            };
            (!has_no_word).then(|| format!("{message:?}").into())
        }

        fn key(&self) -> &'static str {
            "words"
        }
    }

    async fn heard(outbox: &Outbox) -> Vec<Bytes> {
        let mut frames = Vec::new();
        outbox.end(crate::delivery::Ending::ShuttingDown);
        while outbox.next(&mut frames, usize::MAX).await == Batch::Frames {}
        frames
    }

    #[tokio::test(start_paused = true)]
    async fn a_denial_is_said_at_most_once_a_second() {
        let outbox = Outbox::new(&Config::default());
        let mut permission = Permission::announce(Grant::of(Role::View), &outbox, Arc::new(WORDS));
        let start = Instant::now();
        for millis in [0, 1, 999, 1000, 1500, 1999] {
            permission.deny_edit(start + Duration::from_millis(millis));
        }
        let denied = "Denied(\"this session may only read\")";
        assert_eq!(heard(&outbox).await, ["Granted(Grant { role: View })", denied, denied]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_denial_behind_a_long_document_is_lost_and_ends_nothing() {
        let outbox = Outbox::new(&Config { max_waiting: bytesize::ByteSize::b(100) });
        let room = outbox.lane(Arc::new(Notify::new()));
        let mut permission = Permission::announce(Grant::of(Role::View), &outbox, Arc::new(WORDS));
        let document = Bytes::from(vec![0; 1000]);
        let _waiting = room.catch_up(0, [document.clone()]);
        permission.deny_edit(Instant::now());
        assert_eq!(heard(&outbox).await, [Bytes::from("Granted(Grant { role: View })"), document]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_counts_on_answers_is_told_each_time() {
        let outbox = Outbox::new(&Config::default());
        let dialect = Arc::new(Words { answers_each: true });
        let mut permission = Permission::announce(Grant::of(Role::View), &outbox, dialect);
        for _ in 0..3 {
            permission.deny_edit(Instant::now());
        }
        permission.say(&Message::Settled);
        let granted = "Granted(Grant { role: View })";
        assert_eq!(heard(&outbox).await, [granted, "Dropped", "Dropped", "Dropped", "Settled"]);
    }
}
