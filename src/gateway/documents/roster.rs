//! Whom one client has been told of in one document: what makes events of awareness updates, and names of client ids.
//!
//! Clients of Yjs renew their states all the time; only what differs becomes news. The states themselves are not kept.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::gateway::data::json_text;
use crate::ids::ClientId;
use crate::lib0::{DecodeError, Reader};

/// Whom a client has been told of.
#[derive(Debug)]
pub(super) struct Roster {
    people: HashMap<ClientId, Person>,
    /// Those who are there already, until the client has heard of all of them at once.
    first: Option<BTreeMap<ClientId, String>>,
}

#[derive(Debug)]
struct Person {
    name: Option<Box<str>>,
    state: u64,
    renewed: Instant,
}

/// What is new about who is there; people as JSON texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    pub(super) joined: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) left: Vec<ClientId>,
}

impl Roster {
    /// Nobody has been told of, and the first ones are waited for.
    pub(super) fn new() -> Self {
        Self { people: HashMap::new(), first: Some(BTreeMap::new()) }
    }

    /// Everybody who was there when the client came, now that all of them are known; `None` the second time.
    pub(super) fn complete(&mut self) -> Option<Vec<String>> {
        Some(self.first.take()?.into_values().collect())
    }

    /// Whether those who were there are known.
    pub(super) fn is_complete(&self) -> bool {
        self.first.is_none()
    }

    /// Reads an awareness update.
    pub(super) fn apply(&mut self, update: &[u8], now: Instant) -> Result<News, DecodeError> {
        let mut reader = Reader::new(update);
        let mut news = News::default();
        for _ in 0..reader.var_uint()? {
            let client = ClientId::new(reader.var_uint()?).ok_or(DecodeError::IntegerTooLarge)?;
            let _clock = reader.var_u32()?;
            match reader.text()? {
                "null" => self.leave(client, &mut news),
                state => self.show(client, state, now, &mut news),
            }
        }
        Ok(news)
    }

    /// Lets those go who were not renewed: their leaving was missed.
    pub(super) fn expire(&mut self, now: Instant) -> News {
        let overdue = |person: &Person| now.saturating_duration_since(person.renewed) >= EXPIRY;
        let gone: Vec<_> = self.people.iter().filter(|(_, person)| overdue(person)).map(|(id, _)| *id).collect();
        let mut news = News::default();
        for client in gone {
            self.leave(client, &mut news);
        }
        news
    }

    /// What somebody is called.
    pub(super) fn name(&self, client: ClientId) -> &str {
        self.people.get(&client).and_then(|person| person.name.as_deref()).unwrap_or(NAMELESS)
    }

    fn show(&mut self, client: ClientId, state: &str, now: Instant, news: &mut News) {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        let hash = hasher.finish();
        let known = self.people.get_mut(&client);
        let is_known = known.is_some();
        if let Some(person) = known {
            person.renewed = now;
            if person.state == hash {
                return;
            }
        }
        let user = User::of(state);
        let json = user.json(client, state);
        self.people.insert(client, Person { name: user.name.map(Into::into), state: hash, renewed: now });
        match &mut self.first {
            Some(first) => {
                first.insert(client, json);
            }
            None if is_known => news.changed.push(json),
            None => news.joined.push(json),
        }
    }

    fn leave(&mut self, client: ClientId, news: &mut News) {
        if self.people.remove(&client).is_none() {
            return;
        }
        match &mut self.first {
            Some(first) => {
                first.remove(&client);
            }
            None => news.left.push(client),
        }
    }
}

/// What a state says of its person, where it says it as editors do: `{"user":{"name":…,"color":…}}`.
#[derive(Debug, Default)]
struct User {
    name: Option<String>,
    color: Option<String>,
}

impl User {
    fn of(state: &str) -> Self {
        #[derive(Deserialize)]
        struct State {
            user: serde_json::Value,
        }
        let Ok(State { user }) = serde_json::from_str(state) else { return Self::default() };
        let text = |field: &str, longest| user.get(field)?.as_str().map(|text| shortened(text, longest).to_owned());
        Self { name: text("name", LONGEST_NAME), color: text("color", LONGEST_COLOR) }
    }

    fn json(&self, client: ClientId, state: &str) -> String {
        let name = json_text(self.name.as_deref().unwrap_or(NAMELESS));
        let color = self.color.as_deref().map_or_else(|| "null".to_owned(), json_text);
        format!(r#"{{"clientId":{client},"name":{name},"color":{color},"state":{state}}}"#)
    }
}

/// The beginning of a text, cut between characters.
pub(super) fn shortened(text: &str, longest: usize) -> &str {
    text.get(..text.floor_char_boundary(longest)).unwrap_or(text)
}

/// What somebody is called who has no name.
pub(super) const NAMELESS: &str = "Someone";
/// The longest name, in bytes.
pub(super) const LONGEST_NAME: usize = 256;
const LONGEST_COLOR: usize = 64;
/// Rooms let states go after 30 s without being renewed and say so; this is for when that was missed.
const EXPIRY: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib0::{write_text, write_var_uint};

    fn update(entries: &[(u64, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        write_var_uint(&mut out, entries.len() as u64);
        for (client, state) in entries {
            write_var_uint(&mut out, *client);
            write_var_uint(&mut out, 1);
            write_text(&mut out, state);
        }
        out
    }

    fn id(number: u64) -> ClientId {
        ClientId::new(number).unwrap()
    }

    const ADA: &str = r##"{"user":{"name":"Ada","color":"#fa0"},"cursor":null}"##;

    #[test]
    fn those_who_are_there_come_at_once_and_then_only_what_differs() {
        let (mut roster, now) = (Roster::new(), Instant::now());
        assert_eq!(roster.apply(&update(&[(8, "{}"), (7, ADA), (9, "[]")]), now), Ok(News::default()));
        assert_eq!(roster.apply(&update(&[(9, "null")]), now), Ok(News::default()));
        let ada = format!(r##"{{"clientId":7,"name":"Ada","color":"#fa0","state":{ADA}}}"##);
        let other = r#"{"clientId":8,"name":"Someone","color":null,"state":{}}"#.to_owned();
        assert_eq!(roster.complete(), Some(vec![ada, other]));
        assert_eq!(roster.complete(), None);

        assert_eq!(roster.apply(&update(&[(7, ADA), (9, "null")]), now), Ok(News::default()));
        let news = roster.apply(&update(&[(7, "{}"), (8, "null"), (5, "7")]), now).unwrap();
        let person = |id, state| format!(r#"{{"clientId":{id},"name":"Someone","color":null,"state":{state}}}"#);
        let expected = News { joined: vec![person(5, "7")], changed: vec![person(7, "{}")], left: vec![id(8)] };
        assert_eq!(news, expected);
    }

    #[test]
    fn names_are_known_while_people_are_there() {
        let (mut roster, now) = (Roster::new(), Instant::now());
        roster.apply(&update(&[(7, ADA)]), now).unwrap();
        assert_eq!((roster.name(id(7)), roster.name(id(8))), ("Ada", NAMELESS));
        let long = format!(r#"{{"user":{{"name":"{}"}}}}"#, "ü".repeat(1000));
        roster.apply(&update(&[(7, &long)]), now).unwrap();
        assert_eq!(roster.name(id(7)).len(), LONGEST_NAME);
        for odd in [r#"{"user":"Ada"}"#, r#"{"user":{"name":7}}"#, "{}", "7", r#"{"user":null}"#] {
            roster.apply(&update(&[(7, odd)]), now).unwrap();
            assert_eq!(roster.name(id(7)), NAMELESS, "{odd}");
        }
    }

    #[test]
    fn whoever_is_not_renewed_goes() {
        let (mut roster, start) = (Roster::new(), Instant::now());
        roster.complete();
        roster.apply(&update(&[(7, ADA), (8, "{}")]), start).unwrap();
        let later = start + Duration::from_secs(45);
        roster.apply(&update(&[(7, ADA)]), later).unwrap();
        assert_eq!(roster.expire(later), News::default());
        assert_eq!(roster.expire(later + Duration::from_secs(30)).left, [id(8)]);
    }
}
