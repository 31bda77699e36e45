//! A namespace while the server runs: who is in it, in which topics, and the way to all of them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::broadcast::Broadcast;
use super::client::{Client, ClientKey, is_client_id};
use super::data::EncodeError;
use super::topics::{Target, Topics};

/// A namespace: what a NestJS gateway has as its server. Cloning gives another handle to the same, for services and HTTP
/// handlers too.
#[derive(Clone)]
pub struct Namespace {
    shared: Arc<Shared>,
}

struct Shared {
    path: Arc<str>,
    max_topics: usize,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    clients: HashMap<ClientKey, Client>,
    by_id: HashMap<String, ClientKey>,
    topics: Topics,
}

/// A client is in a namespace, and in its topics, until this is dropped.
#[derive(Debug)]
pub(super) struct Membership {
    namespace: Namespace,
    client: Client,
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.namespace.exit(&self.client);
    }
}

/// A client is in as many topics as it may be.
#[derive(Debug)]
pub(super) struct TooManyTopics;

impl Namespace {
    /// Nobody is in it; one client may be in so many topics.
    pub(super) fn new(path: &str, max_topics: usize) -> Self {
        Self { shared: Arc::new(Shared { path: path.into(), max_topics, members: Mutex::default() }) }
    }

    /// Its path, `/` or `/chat` for example.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.shared.path
    }

    /// Sends an event to everybody in it, encoded once; the answer is to how many.
    ///
    /// # Errors
    /// When the value cannot be encoded. A client that reads too slowly is disconnected.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, value: &T) -> Result<usize, EncodeError> {
        self.broadcast().emit(event, value)
    }

    /// Everybody in it.
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::new(self.clone())
    }

    /// Everybody in a topic; or one client, by its id.
    pub fn to(&self, topic: &str) -> Broadcast {
        self.broadcast().to(topic)
    }

    /// Every client of a user, as [`Client::identify`] told.
    pub fn to_user(&self, user: &str) -> Broadcast {
        self.broadcast().to_user(user)
    }

    /// Everybody but those in a topic, or but one client, by its id.
    pub fn except(&self, topic: &str) -> Broadcast {
        self.broadcast().except(topic)
    }

    /// A client by its id.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<Client> {
        let members = self.lock();
        let key = members.by_id.get(id)?;
        members.clients.get(key).cloned()
    }

    /// How many clients are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().clients.len()
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many topics there are, those of users included.
    #[must_use]
    pub fn topics(&self) -> usize {
        self.lock().topics.len()
    }

    /// The client is in the namespace until the answer is dropped.
    pub(super) fn enter(&self, client: &Client) -> Membership {
        let mut members = self.lock();
        members.by_id.insert(client.id().to_owned(), client.key());
        members.clients.insert(client.key(), client.clone());
        Membership { namespace: self.clone(), client: client.clone() }
    }

    fn exit(&self, client: &Client) {
        let mut members = self.lock();
        members.topics.leave_all(client.key());
        members.by_id.remove(client.id());
        members.clients.remove(&client.key());
    }

    /// Of no effect for who is not in the namespace, or no longer.
    pub(super) fn join(&self, client: &Client, topic: Target) -> Result<(), TooManyTopics> {
        let mut members = self.lock();
        if !members.clients.contains_key(&client.key()) || members.topics.contains(&topic, client.key()) {
            return Ok(());
        }
        if members.topics.of(client.key()).count() >= self.shared.max_topics {
            return Err(TooManyTopics);
        }
        members.topics.join(client.key(), topic);
        Ok(())
    }

    pub(super) fn leave(&self, client: &Client, topic: &Target) {
        self.lock().topics.leave(client.key(), topic);
    }

    pub(super) fn is_in(&self, client: &Client, topic: &Target) -> bool {
        self.lock().topics.contains(topic, client.key())
    }

    pub(super) fn topics_of(&self, client: &Client) -> Vec<Arc<str>> {
        let members = self.lock();
        let topics = members.topics.of(client.key()).filter_map(|target| match target {
            Target::Topic(name) => Some(Arc::clone(name)),
            Target::User(_) | Target::Client(_) => None,
        });
        topics.collect()
    }

    /// A client's id means that client, even where somebody has named a topic like it: what is for one is for no other.
    pub(super) fn target(&self, name: &str) -> Target {
        match self.lock().by_id.get(name) {
            Some(key) => Target::Client(*key),
            None if is_client_id(name) => Target::Client(ClientKey::NOBODY),
            None => Target::Topic(name.into()),
        }
    }

    /// Those in any of `to`, or everybody when there is none, without those in any of `except`.
    pub(super) fn select(&self, to: &[Target], except: &[Target]) -> Vec<Client> {
        let members = self.lock();
        let is_out = |key: ClientKey| {
            except.iter().any(|target| match target {
                Target::Client(other) => *other == key,
                topic => members.topics.contains(topic, key),
            })
        };
        if to.is_empty() {
            let all = members.clients.iter().filter(|(key, _)| !is_out(**key));
            return all.map(|(_, client)| client.clone()).collect();
        }
        let mut chosen = BTreeSet::new();
        for target in to {
            match target {
                Target::Client(key) => {
                    chosen.insert(*key);
                }
                topic => chosen.extend(members.topics.members(topic)),
            }
        }
        let inside = chosen.into_iter().filter(|key| !is_out(*key));
        inside.filter_map(|key| members.clients.get(&key).cloned()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.shared.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace").field("path", &self.shared.path).finish_non_exhaustive()
    }
}
