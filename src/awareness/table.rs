//! The presence states of one room: by client id, with clock and owner.
//!
//! The promise: a client id belongs to the connection that introduced it, stale entries change nothing (clients send
//! back whatever they receive), and what a departed connection owned is removed at once.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::Instant;

use super::presence::PresenceBatch;
use crate::ids::{ClientId, MemberId};
use crate::lib0::{DecodeError, Reader, write_text, write_var_uint};

/// The bounds of presence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The longest state of one client, in bytes of JSON. Too small refuses rich cursors; too large lets one member
    /// make every other download as much. Default 16 KiB.
    pub max_state: ByteSize,
    /// How many client ids one connection may introduce. Tabs of one browser share a connection's ids, so more than one
    /// is honest; each costs memory in every member. Default 64.
    pub max_clients_per_member: usize,
    /// How long a state lives without being renewed. Clients renew every 15 s; below 30 s they flicker. Default 30 s.
    #[serde(with = "humantime_serde")]
    pub expiry: Duration,
    /// How long changes are gathered before they are sent. They go along with an edit earlier, at most every quarter of this
    /// time. Higher saves bandwidth in busy rooms, lower follows cursors more closely. Default 36 ms.
    #[serde(with = "humantime_serde")]
    pub gather: Duration,
    /// Whether an edit shows its author as typing to those who asked for typing. Default true.
    pub typing_from_edits: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_state: ByteSize::kib(16),
            max_clients_per_member: 64,
            expiry: Duration::from_secs(30),
            gather: Duration::from_millis(36),
            typing_from_edits: true,
        }
    }
}

/// Why an awareness update is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AwarenessError {
    /// The bytes are no awareness update.
    #[error("the awareness update is malformed")]
    Malformed(#[from] DecodeError),
    /// A state is not JSON.
    #[error("an awareness state is not json")]
    NotJson,
    /// A state is longer than the configured bound.
    #[error("an awareness state is longer than {max}")]
    StateTooLarge {
        /// The bound.
        max: ByteSize,
    },
    /// The connection introduced more client ids than the configured bound.
    #[error("the connection introduced more than {max} awareness clients")]
    TooManyClients {
        /// The bound.
        max: usize,
    },
}

/// The presence states of one room.
#[derive(Debug, Default)]
pub struct AwarenessTable {
    entries: HashMap<ClientId, Entry>,
    owned: HashMap<MemberId, Vec<ClientId>>,
    changed: BTreeSet<ClientId>,
}

#[derive(Debug)]
struct Entry {
    clock: u32,
    /// JSON text; `None` once removed. The clock is kept for a while, so that an echo cannot bring the state back.
    state: Option<Box<str>>,
    owner: MemberId,
    renewed: Instant,
}

/// A client id, its new clock, and its state unless it left.
type FreshEntry<'a> = (ClientId, u32, Option<&'a str>);

impl AwarenessTable {
    /// Applies an awareness update of a member; says whether anything is to be sent to the others.
    ///
    /// # Errors
    /// When the update is malformed or out of bounds: then nothing of it was applied.
    pub fn apply(
        &mut self,
        member: MemberId,
        update: &[u8],
        config: &Config,
        now: Instant,
    ) -> Result<bool, AwarenessError> {
        let fresh = self.fresh_entries(member, update, config)?;
        let any = !fresh.is_empty();
        for (client, clock, state) in fresh {
            self.put(member, client, Entry { clock, state: state.map(Box::from), owner: member, renewed: now });
        }
        Ok(any)
    }

    /// Removes everything that a departed member owned; says whether that was anything.
    pub fn leave(&mut self, member: MemberId, now: Instant) -> bool {
        let owned = self.owned.remove(&member).unwrap_or_default();
        let mut any = false;
        for client in owned {
            any |= self.remove(client, now);
        }
        any
    }

    /// Removes states that were not renewed in time, and forgets removed ones; says whether a state was removed.
    pub fn expire(&mut self, config: &Config, now: Instant) -> bool {
        let overdue: Vec<ClientId> = self
            .entries
            .iter()
            .filter(|(_, entry)| now.saturating_duration_since(entry.renewed) >= config.expiry)
            .map(|(client, _)| *client)
            .collect();
        let mut any = false;
        for client in overdue {
            let removed = self.remove(client, now);
            any |= removed;
            if !removed && !self.changed.contains(&client) {
                self.forget(client);
            }
        }
        any
    }

    /// What changed since the last call, newest state of each client; `None` when nothing did.
    pub fn take_changes(&mut self) -> Option<PresenceBatch> {
        let changed = std::mem::take(&mut self.changed);
        let mut batch = PresenceBatch::default();
        for client in changed {
            if let Some(entry) = self.entries.get(&client) {
                batch.push(Some(entry.owner), |out| entry.write(client, out));
            }
        }
        (!batch.is_empty()).then_some(batch)
    }

    /// Every state that is there, for a newcomer or a query; `None` when nobody is.
    #[must_use]
    pub fn everyone(&self) -> Option<PresenceBatch> {
        let mut batch = PresenceBatch::default();
        for (client, entry) in self.entries.iter().filter(|(_, entry)| entry.state.is_some()) {
            batch.push(Some(entry.owner), |out| entry.write(*client, out));
        }
        (!batch.is_empty()).then_some(batch)
    }

    /// The client id under which a member is known to the others, if it has shown one.
    #[must_use]
    pub fn client_of(&self, member: MemberId) -> Option<ClientId> {
        self.owned
            .get(&member)?
            .iter()
            .copied()
            .find(|client| self.entries.get(client).is_some_and(|entry| entry.state.is_some()))
    }

    /// Whether nothing is kept, not even clocks of removed states.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn fresh_entries<'a>(
        &self,
        member: MemberId,
        update: &'a [u8],
        config: &Config,
    ) -> Result<Vec<FreshEntry<'a>>, AwarenessError> {
        let mut reader = Reader::new(update);
        let count = reader.var_uint()?;
        let mut fresh = Vec::new();
        let mut introduced = self.owned.get(&member).map_or(0, Vec::len);
        for _ in 0..count {
            let client = ClientId::new(reader.var_uint()?).ok_or(DecodeError::IntegerTooLarge)?;
            let clock = reader.var_u32()?;
            let text = reader.text()?;
            let state = (text != "null").then_some(text);
            if self.is_stale(member, client, clock, state.is_none()) {
                continue;
            }
            if !self.entries.contains_key(&client) {
                introduced += 1;
                if introduced > config.max_clients_per_member {
                    return Err(AwarenessError::TooManyClients { max: config.max_clients_per_member });
                }
            }
            check_state(text, config)?;
            fresh.push((client, clock, state));
        }
        if reader.is_empty() { Ok(fresh) } else { Err(DecodeError::IntegerTooLarge.into()) }
    }

    /// Whether an entry changes nothing: the cheap test that comes before any look at the JSON.
    fn is_stale(&self, member: MemberId, client: ClientId, clock: u32, removal: bool) -> bool {
        let Some(known) = self.entries.get(&client) else { return removal };
        if known.state.is_some() && known.owner != member {
            return true;
        }
        !(clock > known.clock || (clock == known.clock && removal && known.state.is_some()))
    }

    fn put(&mut self, member: MemberId, client: ClientId, entry: Entry) {
        if let Some(previous) = self.entries.insert(client, entry)
            && previous.owner != member
        {
            self.disown(previous.owner, client);
        }
        let owned = self.owned.entry(member).or_default();
        if !owned.contains(&client) {
            owned.push(client);
        }
        self.changed.insert(client);
    }

    fn remove(&mut self, client: ClientId, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(&client) else { return false };
        if entry.state.take().is_none() {
            return false;
        }
        entry.renewed = now;
        self.changed.insert(client);
        true
    }

    fn forget(&mut self, client: ClientId) {
        if let Some(entry) = self.entries.remove(&client) {
            self.disown(entry.owner, client);
        }
    }

    fn disown(&mut self, member: MemberId, client: ClientId) {
        if let Some(owned) = self.owned.get_mut(&member) {
            owned.retain(|other| *other != client);
            if owned.is_empty() {
                self.owned.remove(&member);
            }
        }
    }
}

impl Entry {
    fn write(&self, client: ClientId, out: &mut Vec<u8>) {
        write_var_uint(out, client.value());
        write_var_uint(out, u64::from(self.clock));
        write_text(out, self.state.as_deref().unwrap_or("null"));
    }
}

fn check_state(text: &str, config: &Config) -> Result<(), AwarenessError> {
    if text.len() as u64 > config.max_state.as_u64() {
        return Err(AwarenessError::StateTooLarge { max: config.max_state });
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(AwarenessError::NotJson),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: MemberId = MemberId(1);
    const BOB: MemberId = MemberId(2);

    fn update(entries: &[(u64, u64, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        write_var_uint(&mut out, entries.len() as u64);
        for (client, clock, state) in entries {
            write_var_uint(&mut out, *client);
            write_var_uint(&mut out, *clock);
            write_text(&mut out, state);
        }
        out
    }

    struct Room(AwarenessTable, Config, Instant);

    impl Room {
        fn new() -> Self {
            Self(AwarenessTable::default(), Config::default(), Instant::now())
        }

        fn apply(&mut self, member: MemberId, entries: &[(u64, u64, &str)]) -> Result<bool, AwarenessError> {
            self.0.apply(member, &update(entries), &self.1, self.2)
        }
    }

    #[test]
    fn a_first_state_with_clock_zero_is_shown() {
        let mut room = Room::new();
        assert_eq!(room.apply(ADA, &[(7, 0, "{}")]), Ok(true));
        let batch = room.0.take_changes().unwrap();
        assert_eq!(&batch.encode()[..], b"\x01\x07\x00\x02{}");
        assert_eq!(batch.encode_without(ADA), None);
        assert!(room.0.take_changes().is_none());
    }

    #[test]
    fn an_echo_and_an_older_clock_change_nothing() {
        let mut room = Room::new();
        room.apply(ADA, &[(7, 3, "{\"a\":1}")]).unwrap();
        for (member, clock) in [(BOB, 3), (ADA, 3), (ADA, 2)] {
            assert_eq!(room.apply(member, &[(7, clock, "{}")]), Ok(false));
        }
    }

    #[test]
    fn a_foreign_change_or_removal_is_ignored() {
        let mut room = Room::new();
        room.apply(ADA, &[(7, 1, "{}")]).unwrap();
        assert_eq!(room.apply(BOB, &[(7, 9, "{\"stolen\":true}")]), Ok(false));
        assert_eq!(room.apply(BOB, &[(7, 1, "null")]), Ok(false));
        assert_eq!(room.0.client_of(ADA), ClientId::new(7));
    }

    #[test]
    fn a_departure_removes_what_the_member_owned_and_an_echo_does_not_bring_it_back() {
        let mut room = Room::new();
        room.apply(ADA, &[(7, 4, "{}")]).unwrap();
        room.0.take_changes();
        assert!(room.0.leave(ADA, room.2));
        assert_eq!(&room.0.take_changes().unwrap().encode()[..], b"\x01\x07\x04\x04null");
        assert_eq!(room.apply(BOB, &[(7, 4, "{}")]), Ok(false));
        assert!(room.0.everyone().is_none());
    }

    #[test]
    fn a_client_that_sees_itself_removed_comes_back_with_the_next_clock() {
        let mut room = Room::new();
        room.apply(ADA, &[(7, 4, "{}")]).unwrap();
        room.0.leave(ADA, room.2);
        assert_eq!(room.apply(BOB, &[(7, 5, "{}")]), Ok(true));
        assert_eq!(room.0.client_of(BOB), ClientId::new(7));
        assert!(room.0.leave(BOB, room.2));
    }

    #[test]
    fn a_state_expires_unless_it_is_renewed_and_its_clock_is_forgotten_later() {
        let mut room = Room::new();
        room.apply(ADA, &[(7, 0, "{}")]).unwrap();
        room.2 += Duration::from_secs(29);
        assert!(!room.0.expire(&room.1, room.2));
        room.2 += Duration::from_secs(1);
        assert!(room.0.expire(&room.1, room.2));
        room.0.take_changes();
        room.2 += Duration::from_secs(30);
        assert!(!room.0.expire(&room.1, room.2));
        assert!(room.0.is_empty());
        assert!(room.0.owned.is_empty());
    }

    #[test]
    fn ten_thousand_clients_from_one_connection_are_refused_and_leave_no_trace() {
        let mut room = Room::new();
        let many: Vec<_> = (0..10_000).map(|client| (client, 1, "{}")).collect();
        assert_eq!(room.apply(ADA, &many), Err(AwarenessError::TooManyClients { max: 64 }));
        assert!(room.0.is_empty());
    }

    #[test]
    fn the_echo_of_a_large_room_is_stale_and_counts_against_nobody() {
        let mut room = Room::new();
        for member in 0..200 {
            room.apply(MemberId(member), &[(member, 1, "{}")]).unwrap();
        }
        let echo: Vec<_> = (0..200).map(|client| (client, 1, "{}")).collect();
        assert_eq!(room.apply(MemberId(0), &echo), Ok(false));
    }

    #[test]
    fn a_state_that_is_not_json_or_too_large_or_cut_is_refused() {
        let mut room = Room::new();
        assert_eq!(room.apply(ADA, &[(7, 1, "{")]), Err(AwarenessError::NotJson));
        assert_eq!(room.apply(ADA, &[(7, 1, &"[".repeat(5_000))]), Err(AwarenessError::NotJson));
        let large = format!("\"{}\"", "x".repeat(17_000));
        assert!(matches!(room.apply(ADA, &[(7, 1, &large)]), Err(AwarenessError::StateTooLarge { .. })));
        let cut = [2, 7, 1, 2, b'{', b'}'];
        assert!(matches!(room.0.apply(ADA, &cut, &room.1, room.2), Err(AwarenessError::Malformed(_))));
        let claimed = [0xff, 0xff, 0xff, 0x7f];
        assert!(matches!(room.0.apply(ADA, &claimed, &room.1, room.2), Err(AwarenessError::Malformed(_))));
        assert!(room.0.is_empty());
    }
}
