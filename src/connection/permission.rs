//! What a session may do, and how its client hears of it.
//!
//! The promise: a client is told once at the beginning, and again, but not for every message, when something of it is
//! dropped. It is never ended for trying. When what it may do changes, it is told so.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::sessions::{Holder, Seated, Sessions, Visitor};
use crate::access::{Grant, Pass};
use crate::auth::Access;
use crate::delivery::{Dialect, Ending, Lane, Message, Outbox};

/// What a session may do, with the way to tell its client.
#[derive(Debug)]
pub struct Permission {
    seat: Seated,
    voice: Arc<Voice>,
    answers_each: bool,
    denied_at: Option<Instant>,
}

/// The way to a session's client.
#[derive(Debug)]
struct Voice {
    lane: Lane,
    dialect: Arc<dyn Dialect>,
}

impl Voice {
    fn say(&self, message: &Message<'_>) {
        if let Some(frame) = self.dialect.encode(message) {
            self.lane.reply(frame);
        }
    }
}

impl Holder for Voice {
    fn tell(&self, grant: Grant) {
        self.say(&Message::Granted(grant));
    }

    fn end(&self, ending: Ending) {
        self.lane.end(ending);
    }
}

impl Permission {
    /// A permission, of which the client is told before everything that is queued later; `None` when the visitor's pass is for
    /// something else.
    #[must_use]
    pub fn announce(
        sessions: &Sessions,
        visitor: Visitor,
        outbox: &Arc<Outbox>,
        dialect: Arc<dyn Dialect>,
    ) -> Option<Self> {
        // Nothing goes this way that would have to be sent again after an overflow.
        let lane = outbox.lane(Arc::new(Notify::new()));
        let voice = Arc::new(Voice { lane, dialect });
        let seat = sessions.enter(visitor, voice.clone())?;
        voice.tell(seat.grant());
        let answers_each = voice.dialect.encode(&Message::Dropped).is_some();
        Some(Self { seat, voice, answers_each, denied_at: None })
    }

    /// Whether the client counts on an answer to each of its updates.
    pub(super) const fn answers_each(&self) -> bool {
        self.answers_each
    }

    /// Tells the client something, if its wire has a word for it.
    pub(super) fn say(&self, message: &Message<'_>) {
        if self.answers_each {
            self.voice.say(message);
        }
    }

    /// What the session may do; `None` once it was ended.
    pub(super) fn standing(&self) -> Option<Grant> {
        self.seat.standing()
    }

    /// The client has brought a newer token.
    pub fn renew(&self, access: &Access, pass: &Pass) {
        self.seat.renew(access, pass);
    }

    /// Looks at the pass again by which the session was let in.
    pub(super) fn review(&self, access: &Access, pass: &Pass) {
        self.seat.review(access, pass);
    }

    /// Tells the client that an edit was dropped, unless it counts on no answer and was told within the last second.
    pub(super) fn deny_edit(&mut self, now: Instant) {
        self.refuse_edit(READ_ONLY, now);
    }

    /// The same for another reason.
    pub(super) fn refuse_edit(&mut self, reason: &str, now: Instant) {
        self.say(&Message::Dropped);
        if self.denied_at.is_some_and(|at| now < at + DENY_AGAIN) {
            return;
        }
        self.denied_at = Some(now);
        if let Some(frame) = self.voice.dialect.encode(&Message::Denied(reason)) {
            // Not as an answer: a client that tries on while a long document is on its way would be ended.
            self.voice.lane.presence(frame);
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
    use crate::hooks::Front;

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

    fn announce(outbox: &Arc<Outbox>, dialect: Arc<dyn Dialect>) -> Permission {
        let pass = Pass::everyone(Role::View);
        let visitor = Visitor { pass, at_most: Role::Admin, doc: None, front: Front::YWebSocket, remote: None };
        let visitor = Visitor { doc: Some(crate::ids::DocName::parse("a").unwrap()), ..visitor };
        Permission::announce(&Sessions::default(), visitor, outbox, dialect).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_denial_is_said_at_most_once_a_second() {
        let outbox = Outbox::new(&Config::default());
        let mut permission = announce(&outbox, Arc::new(WORDS));
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
        let mut permission = announce(&outbox, Arc::new(WORDS));
        let document = Bytes::from(vec![0; 1000]);
        let _waiting = room.catch_up(0, [document.clone()]);
        permission.deny_edit(Instant::now());
        assert_eq!(heard(&outbox).await, [Bytes::from("Granted(Grant { role: View })"), document]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_counts_on_answers_is_told_each_time() {
        let outbox = Outbox::new(&Config::default());
        let dialect = Arc::new(Words { answers_each: true });
        let mut permission = announce(&outbox, dialect);
        for _ in 0..3 {
            permission.deny_edit(Instant::now());
        }
        permission.say(&Message::Settled);
        let granted = "Granted(Grant { role: View })";
        assert_eq!(heard(&outbox).await, [granted, "Dropped", "Dropped", "Dropped", "Settled"]);
    }
}
