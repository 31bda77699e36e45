//! Who is typing in one room, and where.
//!
//! The promise: a note that is not refreshed ends by itself, and a member is spoken of at most once a second.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::ids::MemberId;

/// That a member began, went on elsewhere, or stopped typing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypingNote {
    /// Who.
    pub member: MemberId,
    /// Whether it is typing now.
    pub typing: bool,
    /// Where, in the words of the client; often empty.
    pub place: Box<str>,
}

/// Who is typing in one room.
#[derive(Debug, Default)]
pub struct TypingTable {
    members: HashMap<MemberId, Entry>,
}

#[derive(Debug)]
struct Entry {
    typing: bool,
    place: Box<str>,
    refreshed: Instant,
    told: Option<Told>,
}

#[derive(Debug)]
struct Told {
    typing: bool,
    place: Box<str>,
    at: Instant,
}

impl TypingTable {
    /// A note ends after this time without being refreshed.
    pub const EXPIRY: Duration = Duration::from_secs(5);
    /// The others hear of one member at most once in this time.
    pub const INTERVAL: Duration = Duration::from_secs(1);
    /// The longest place, in bytes.
    pub const MAX_PLACE: usize = 64;

    /// Records that a member types, or stopped.
    pub fn set(&mut self, member: MemberId, typing: bool, place: &str, now: Instant) {
        match self.members.get_mut(&member) {
            Some(entry) => {
                entry.typing = typing;
                entry.refreshed = now;
                if *entry.place != *place {
                    entry.place = place.into();
                }
            }
            None if typing => {
                let entry = Entry { typing, place: place.into(), refreshed: now, told: None };
                self.members.insert(member, entry);
            }
            None => {}
        }
    }

    /// Records an edit: the member types, wherever it last said.
    pub fn edited(&mut self, member: MemberId, now: Instant) {
        match self.members.get_mut(&member) {
            Some(entry) if entry.typing => entry.refreshed = now,
            Some(entry) => {
                entry.typing = true;
                entry.refreshed = now;
            }
            None => self.set(member, true, "", now),
        }
    }

    /// Forgets a departed member; gives the note that ends its typing, if the others believe in it.
    pub fn leave(&mut self, member: MemberId) -> Option<TypingNote> {
        let told = self.members.remove(&member)?.told?;
        if told.typing { Some(TypingNote { member, typing: false, place: told.place }) } else { None }
    }

    /// The notes that are due.
    pub fn take_due(&mut self, now: Instant) -> Vec<TypingNote> {
        let mut notes = Vec::new();
        self.members.retain(|member, entry| {
            if now.saturating_duration_since(entry.refreshed) >= Self::EXPIRY {
                entry.typing = false;
            }
            if entry.differs_from_told() && entry.may_be_told(now) {
                notes.push(TypingNote { member: *member, typing: entry.typing, place: entry.place.clone() });
                entry.told = Some(Told { typing: entry.typing, place: entry.place.clone(), at: now });
            }
            entry.typing || entry.differs_from_told() || !entry.may_be_told(now)
        });
        notes
    }

    /// When [`take_due`](Self::take_due) may next have something to say.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.members.values().map(Entry::due).min()
    }

    /// Those who are typing, as far as the others were told: for a newcomer.
    #[must_use]
    pub fn everyone(&self) -> Vec<TypingNote> {
        let told = self.members.iter().filter_map(|(member, entry)| Some((member, entry.told.as_ref()?)));
        told.filter(|(_, told)| told.typing)
            .map(|(member, told)| TypingNote { member: *member, typing: true, place: told.place.clone() })
            .collect()
    }
}

impl Entry {
    fn differs_from_told(&self) -> bool {
        match &self.told {
            None => self.typing,
            Some(told) => told.typing != self.typing || (self.typing && told.place != self.place),
        }
    }

    fn may_be_told(&self, now: Instant) -> bool {
        self.told.as_ref().is_none_or(|told| now.saturating_duration_since(told.at) >= TypingTable::INTERVAL)
    }

    fn due(&self) -> Instant {
        match &self.told {
            None => self.refreshed,
            Some(told) if self.differs_from_told() || !self.typing => told.at + TypingTable::INTERVAL,
            Some(_) => self.refreshed + TypingTable::EXPIRY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: MemberId = MemberId(1);

    fn note(typing: bool) -> Vec<TypingNote> {
        vec![TypingNote { member: ADA, typing, place: "".into() }]
    }

    #[test]
    fn typing_is_told_once_and_ends_by_itself() {
        let (mut table, start) = (TypingTable::default(), Instant::now());
        table.set(ADA, true, "", start);
        assert_eq!(table.next_due(), Some(start));
        assert_eq!(table.take_due(start), note(true));
        assert_eq!(table.everyone(), note(true));
        table.edited(ADA, start + Duration::from_secs(2));
        assert_eq!(table.take_due(start + Duration::from_secs(6)), vec![]);
        assert_eq!(table.next_due(), Some(start + Duration::from_secs(7)));
        assert_eq!(table.take_due(start + Duration::from_secs(7)), note(false));
        assert_eq!(table.take_due(start + Duration::from_secs(8)), vec![]);
        assert_eq!(table.next_due(), None);
    }

    #[test]
    fn a_member_that_flickers_is_spoken_of_once_a_second() {
        let (mut table, start) = (TypingTable::default(), Instant::now());
        let mut told = 0;
        for step in 0..200 {
            let now = start + Duration::from_millis(step * 10);
            table.set(ADA, step % 2 == 0, "", now);
            told += table.take_due(now).len();
        }
        assert!((1..=2).contains(&told), "{told}");
    }

    #[test]
    fn a_departure_ends_the_typing_that_was_told() {
        let (mut table, start) = (TypingTable::default(), Instant::now());
        table.set(ADA, true, "", start);
        assert_eq!(table.leave(ADA), None);
        table.set(ADA, true, "", start);
        table.take_due(start);
        assert_eq!(table.leave(ADA), note(false).pop());
    }

    #[test]
    fn a_stop_by_someone_who_never_typed_is_no_news() {
        let (mut table, start) = (TypingTable::default(), Instant::now());
        table.set(ADA, false, "", start);
        assert_eq!(table.next_due(), None);
    }
}
