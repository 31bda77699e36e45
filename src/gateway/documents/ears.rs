//! From what a room says to the events of one client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::dialect::{Heard, typists};
use super::roster::{News, Roster};
use crate::delivery::{Batch, Ending, Outbox};
use crate::gateway::client::Client;
use crate::gateway::data::{Data, json_text};
use crate::ids::ClientId;

/// The way from the room to the client.
pub(super) struct Ears<'a> {
    client: &'a Client,
    room: &'a str,
    may_type: &'a AtomicBool,
    roster: Roster,
    /// Typing, until the client knows who is there.
    held: Vec<u8>,
    /// How many bytes of presence the client may not have taken yet.
    on_the_way: usize,
}

impl<'a> Ears<'a> {
    /// Ears that note in `may_type` what the room says of that.
    pub(super) fn new(client: &'a Client, room: &'a str, may_type: &'a AtomicBool) -> Self {
        Self { client, room, may_type, roster: Roster::new(), held: Vec::new(), on_the_way: 0 }
    }

    /// Turns what the room says into events, as fast as the client reads, until the room ends the session.
    pub(super) async fn hear(mut self, outbox: &Outbox) -> Ending {
        let mut frames = Vec::new();
        let mut look_at = Instant::now() + LOOK_EVERY;
        loop {
            let batch = tokio::select! {
                batch = outbox.next(&mut frames, BATCH) => batch,
                () = sleep_until(look_at) => {
                    look_at = Instant::now() + LOOK_EVERY;
                    let news = self.roster.expire(Instant::now());
                    self.presence(news).await;
                    continue;
                }
            };
            for frame in frames.drain(..) {
                self.frame(&frame).await;
            }
            match batch {
                Batch::Frames => outbox.flushed(),
                Batch::End(ending) => return ending,
            }
        }
    }

    async fn frame(&mut self, frame: &[u8]) {
        match Heard::read(frame) {
            Some(Heard::Presence(update)) => {
                if let Ok(news) = self.roster.apply(update, Instant::now()) {
                    self.presence(news).await;
                }
            }
            Some(Heard::Typing(content)) if !self.roster.is_complete() => self.held.extend_from_slice(content),
            Some(Heard::Typing(content)) => self.typing(content).await,
            Some(Heard::Complete) => {
                if let Some(users) = self.roster.complete() {
                    self.everybody(users).await;
                    let held = std::mem::take(&mut self.held);
                    self.typing(&held).await;
                }
            }
            Some(Heard::Saved) => tell(self.client, "saved", &json!({ "room": self.room })).await,
            Some(Heard::Granted { may_type }) => self.may_type.store(may_type, Ordering::Relaxed),
            None => {}
        }
    }

    async fn typing(&self, content: &[u8]) {
        for typist in typists(content).unwrap_or_default() {
            let value = Note {
                room: self.room,
                user: self.roster.name(typist.client),
                is_typing: typist.typing,
                place: typist.place,
                client_id: typist.client,
            };
            tell(self.client, "typing", &value).await;
        }
    }

    /// What does not fit into one event follows as if it had joined later.
    async fn everybody(&mut self, users: Vec<String>) {
        let mut parts = portions(users).into_iter();
        self.say(&format!(r#""users":[{}]"#, parts.next().unwrap_or_default())).await;
        for part in parts {
            self.say(&format!(r#""joined":[{part}]"#)).await;
        }
    }

    async fn presence(&mut self, news: News) {
        let News { joined, changed, left } = news;
        let left: Vec<_> = left.iter().map(ToString::to_string).collect();
        for (name, list) in [("joined", joined), ("changed", changed), ("left", left)] {
            for part in portions(list) {
                self.say(&format!(r#""{name}":[{part}]"#)).await;
            }
        }
    }

    async fn say(&mut self, lists: &str) {
        // The wire counts packets and not bytes.
        if self.on_the_way > MOST_ON_THE_WAY {
            self.client.drained().await;
            self.on_the_way = 0;
        }
        self.on_the_way += lists.len();
        self.client.ready().await;
        let text = format!(r#"[{{"room":{},{lists}}}]"#, json_text(self.room));
        let data = Data::from_wire(text.into(), None, false);
        let _client_has_gone = self.client.emit_data("presence", &data).is_err();
    }
}

/// The event `typing`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Note<'a> {
    room: &'a str,
    user: &'a str,
    is_typing: bool,
    place: &'a str,
    client_id: ClientId,
}

/// Sends a client an event when it can take one.
pub(super) async fn tell<T: Serialize + ?Sized>(client: &Client, event: &str, value: &T) {
    client.ready().await;
    let _client_has_gone = client.emit(event, value).is_err();
}

/// JSON texts as the insides of lists, none much longer than an event should be.
fn portions(texts: Vec<String>) -> Vec<String> {
    let mut portions: Vec<String> = Vec::new();
    for text in texts {
        match portions.last_mut() {
            Some(last) if last.len() + text.len() < LONGEST_EVENT => {
                last.push(',');
                last.push_str(&text);
            }
            _ => portions.push(text),
        }
    }
    portions
}

/// How many bytes are taken from the outbox at once.
const BATCH: usize = 64 * 1024;
const LONGEST_EVENT: usize = 256 * 1024;
/// How many bytes of presence may be in the wire's own queue before everything in it has to leave.
const MOST_ON_THE_WAY: usize = 512 * 1024;
/// How often those are looked for whose leaving was missed.
const LOOK_EVERY: Duration = Duration::from_secs(10);
