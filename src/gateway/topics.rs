//! Who is in which topic of a namespace: an index both ways, without locks and without waiting.
//!
//! The promise: what a client leaves behind is nothing. A topic exists while somebody is in it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::client::ClientKey;

/// Whom a broadcast is for, or not for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Target {
    /// Everybody in a topic; or the one client whose id this is.
    Topic(Arc<str>),
    /// Every client of a user.
    User(Arc<str>),
    /// One client.
    Client(ClientKey),
}

/// The topics of a namespace.
#[derive(Debug, Default)]
pub(super) struct Topics {
    members: HashMap<Target, HashSet<ClientKey>>,
    of: HashMap<ClientKey, BTreeSet<Target>>,
}

impl Topics {
    /// Whether the client was not there yet.
    pub(super) fn join(&mut self, client: ClientKey, topic: Target) -> bool {
        let is_new = self.members.entry(topic.clone()).or_default().insert(client);
        if is_new {
            self.of.entry(client).or_default().insert(topic);
        }
        is_new
    }

    /// Whether the client was there.
    pub(super) fn leave(&mut self, client: ClientKey, topic: &Target) -> bool {
        let Some(members) = self.members.get_mut(topic) else { return false };
        let was_there = members.remove(&client);
        if members.is_empty() {
            self.members.remove(topic);
        }
        if let Some(topics) = self.of.get_mut(&client) {
            topics.remove(topic);
            if topics.is_empty() {
                self.of.remove(&client);
            }
        }
        was_there
    }

    pub(super) fn leave_all(&mut self, client: ClientKey) {
        for topic in self.of.remove(&client).unwrap_or_default() {
            if let Some(members) = self.members.get_mut(&topic) {
                members.remove(&client);
                if members.is_empty() {
                    self.members.remove(&topic);
                }
            }
        }
    }

    pub(super) fn of(&self, client: ClientKey) -> impl Iterator<Item = &Target> {
        self.of.get(&client).into_iter().flatten()
    }

    pub(super) fn members(&self, topic: &Target) -> impl Iterator<Item = ClientKey> {
        self.members.get(topic).into_iter().flatten().copied()
    }

    pub(super) fn contains(&self, topic: &Target, client: ClientKey) -> bool {
        self.members.get(topic).is_some_and(|members| members.contains(&client))
    }

    /// How many topics there are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn topic(name: &str) -> Target {
        Target::Topic(name.into())
    }

    #[test]
    fn who_leaves_everything_leaves_nothing_behind() {
        let mut topics = Topics::default();
        let (ada, ben) = (ClientKey::for_test(1), ClientKey::for_test(2));
        assert!(topics.join(ada, topic("a")));
        assert!(!topics.join(ada, topic("a")));
        topics.join(ben, topic("a"));
        topics.join(ada, topic("b"));
        topics.leave_all(ada);
        assert_eq!(topics.members(&topic("a")).collect::<Vec<_>>(), [ben]);
        assert!(topics.leave(ben, &topic("a")));
        assert!(!topics.leave(ben, &topic("a")));
        assert_eq!((topics.len(), topics.of.len()), (0, 0));
    }

    proptest! {
        #[test]
        fn both_ways_of_the_index_agree(steps in proptest::collection::vec((0..4u64, 0..4u8, 0..3u8), 0..60)) {
            let mut topics = Topics::default();
            for (client, name, what) in steps {
                let (client, topic) = (ClientKey::for_test(client), topic(&name.to_string()));
                match what {
                    0 => { topics.leave(client, &topic); }
                    1 => topics.leave_all(client),
                    _ => { topics.join(client, topic); }
                }
            }
            for (topic, members) in &topics.members {
                prop_assert!(!members.is_empty());
                prop_assert!(members.iter().all(|client| topics.of(*client).any(|other| other == topic)));
            }
            for (client, of) in &topics.of {
                prop_assert!(of.iter().all(|topic| topics.contains(topic, *client)));
            }
        }
    }
}
