//! The part of a room's state that is never stored: presence and typing, with their times.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::effect::Effect;
use super::state::Member;
use crate::awareness::{AwarenessError, AwarenessTable, Config, PresenceBatch, TypingNote, TypingTable};
use crate::delivery::Ending;
use crate::ids::{ClientId, MemberId};
use crate::telemetry::Limit;

/// Who is there and who is typing.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) typing: TypingTable,
    table: AwarenessTable,
    send_at: Option<Instant>,
    sent_at: Option<Instant>,
    expire_at: Option<Instant>,
}

impl Presence {
    /// Applies a member's awareness update; what changed is sent after a short gathering time. Says which limit it is over.
    pub(super) fn apply(
        &mut self,
        (member, update): (MemberId, &[u8]),
        config: &Config,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) -> Option<Limit> {
        match self.table.apply(member, update, config, now) {
            Ok(true) => {
                self.send_at.get_or_insert(now + config.gather);
                self.expire_at.get_or_insert(now + EXPIRY_CHECK);
                None
            }
            Ok(false) => None,
            Err(error) => {
                let text = error.to_string();
                let (ending, limit) = match error {
                    AwarenessError::StateTooLarge { .. } => (Ending::TooLarge(text), Some(Limit::AwarenessMaxState)),
                    AwarenessError::TooManyClients { .. } => {
                        (Ending::Malformed(text), Some(Limit::AwarenessMaxClients))
                    }
                    _ => (Ending::Malformed(text), None),
                };
                effects.push(Effect::End { member, ending });
                limit
            }
        }
    }

    /// A member went: its states and its typing end now.
    pub(super) fn leave(
        &mut self,
        member: MemberId,
        client: Option<ClientId>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        if let (Some(note), Some(client)) = (self.typing.leave(member), client) {
            effects.push(Effect::Typing { notes: vec![(client, note)] });
        }
        if self.table.leave(member, now) {
            self.flush(now, effects);
        }
    }

    /// Sends what is due and ends what was not renewed.
    pub(super) fn tick(
        &mut self,
        config: &Config,
        members: &HashMap<MemberId, Member>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        if self.expire_at.is_some_and(|at| at <= now) {
            let expired = self.table.expire(config, now);
            self.expire_at = (!self.table.is_empty()).then(|| now + EXPIRY_CHECK);
            if expired {
                self.flush(now, effects);
            }
        }
        if self.send_at.is_some_and(|at| at <= now) {
            self.flush(now, effects);
        }
        if self.typing.next_due().is_some_and(|at| at <= now) {
            let due = self.typing.take_due(now).into_iter();
            let notes: Vec<_> = due.filter_map(|note| Some((self.client_of(note.member, members)?, note))).collect();
            if !notes.is_empty() {
                effects.push(Effect::Typing { notes });
            }
        }
    }

    pub(super) fn next_tick(&self) -> Option<Instant> {
        [self.send_at, self.expire_at, self.typing.next_due()].into_iter().flatten().min()
    }

    /// Everyone's states.
    pub(super) fn everyone(&self) -> Option<PresenceBatch> {
        self.table.everyone()
    }

    /// Everyone who is typing.
    pub(super) fn typists(&self, members: &HashMap<MemberId, Member>) -> Vec<(ClientId, TypingNote)> {
        let typing = self.typing.everyone().into_iter();
        typing.filter_map(|note| Some((self.client_of(note.member, members)?, note))).collect()
    }

    /// The Yjs client id under which the others know a member: that of its presence, else that of its edits.
    pub(super) fn client_of(&self, member: MemberId, members: &HashMap<MemberId, Member>) -> Option<ClientId> {
        self.table.client_of(member).or_else(|| members.get(&member)?.edits_as)
    }

    /// Whether something is being gathered that may be sent now, when that costs no write of its own. In a room where much is
    /// written, its readers would have too many messages of it.
    pub(super) fn may_go_along(&self, config: &Config, now: Instant) -> bool {
        let has_passed = |sent| now.saturating_duration_since(sent) >= config.gather / ALONG;
        self.send_at.is_some() && self.sent_at.is_none_or(has_passed)
    }

    /// Sends what is still being gathered.
    pub(super) fn flush(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.send_at = None;
        if let Some(batch) = self.table.take_changes() {
            self.sent_at = Some(now);
            effects.push(Effect::Presence { batch });
        }
    }
}

/// Presence goes along with updates at most so many times as often as it is sent without.
const ALONG: u32 = 4;
/// How often states are looked through for those that were not renewed.
const EXPIRY_CHECK: Duration = Duration::from_secs(3);
