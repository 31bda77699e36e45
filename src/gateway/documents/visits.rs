//! The documents that one client is in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::roster::{LONGEST_NAME, NAMELESS, shortened};
use super::tie::Documents;
use super::visit::{self, Ended, Visit, Who, Wishes};
use crate::awareness::TypingTable;
use crate::gateway::client::Client;
use crate::gateway::error::EventError;
use crate::gateway::topics::Target;
use crate::ids::{ClientId, DocName};

/// The documents that one client is in; none for gateways that no documents are tied to.
#[derive(Debug)]
pub(in crate::gateway) struct Visits {
    documents: Option<Documents>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_topic: HashMap<Arc<str>, Visit>,
    /// What the client is called, once somebody has said it.
    name: Option<Arc<str>>,
    /// The Yjs client id of the same person's editor.
    beside: Option<ClientId>,
    /// The client has gone.
    is_over: bool,
}

impl Open {
    fn who(&self) -> Who {
        Who { name: self.name.clone().unwrap_or_else(|| NAMELESS.into()), beside: self.beside }
    }

    fn show(&self) {
        let who = self.who();
        for visit in self.by_topic.values() {
            visit.show(&who);
        }
    }
}

impl Visits {
    pub(in crate::gateway) fn new(documents: Option<Documents>) -> Self {
        Self { documents, open: Mutex::default() }
    }

    /// The client has joined a topic.
    pub(in crate::gateway) fn begin(&self, client: &Client, topic: &str) {
        let (Some(documents), Some(name)) = (&self.documents, topic.strip_prefix(PREFIX)) else { return };
        // Who has not entered the namespace yet, or no longer is in it, has joined nothing.
        if !client.is_in(topic) {
            return;
        }
        match DocName::parse(name) {
            Ok(doc) => self.open_visit(documents, client, topic, doc),
            Err(error) => visit::refuse(client, topic, &error.to_string()),
        }
    }

    fn open_visit(&self, documents: &Documents, client: &Client, topic: &str, doc: DocName) {
        let mut open = self.lock();
        if open.is_over || open.by_topic.contains_key(topic) {
            return;
        }
        let topic: Arc<str> = topic.into();
        let wishes = Wishes::of(open.who());
        let (visit, stay) = Visit::new(documents.clone(), doc, Arc::clone(&topic), wishes);
        open.by_topic.insert(topic, visit);
        documents.tasks.spawn(stay.run(client.clone()));
    }

    /// The client has left a topic.
    pub(in crate::gateway) fn end(&self, topic: &str) {
        self.lock().by_topic.remove(topic);
    }

    /// A visit has ended by itself: the client is out of the topic, unless it has left and joined again meanwhile.
    pub(super) fn ended(&self, client: &Client, ended: &Ended) {
        let mut open = self.lock();
        if open.by_topic.get(&ended.topic).is_some_and(|visit| visit.is(ended)) {
            open.by_topic.remove(&ended.topic);
            client.namespace().leave(client, &Target::Topic(Arc::clone(&ended.topic)));
        }
    }

    /// The client has gone.
    pub(in crate::gateway) fn end_all(&self) {
        let mut open = self.lock();
        open.is_over = true;
        open.by_topic.clear();
    }

    /// What the client is called from now on.
    pub(in crate::gateway) fn rename(&self, name: &str) {
        let mut open = self.lock();
        open.name = Some(shortened(name, LONGEST_NAME).into());
        open.show();
    }

    /// The client stands beside an editor of the same person from now on.
    pub(in crate::gateway) fn stand_beside(&self, editor: ClientId) {
        let mut open = self.lock();
        open.beside = Some(editor);
        open.show();
    }

    /// The client has brought a newer token.
    pub(in crate::gateway) fn renew(&self) {
        for visit in self.lock().by_topic.values() {
            visit.renew();
        }
    }

    /// What the client is called unless it has a name.
    pub(in crate::gateway) fn rename_unnamed(&self, name: &str) {
        if self.lock().name.is_none() {
            self.rename(name);
        }
    }

    /// The client types in a document, or has stopped.
    pub(in crate::gateway) fn typing(&self, topic: &str, typing: bool, place: &str) -> Result<(), EventError> {
        match self.lock().by_topic.get(topic) {
            None => Err(EventError::new("Join the document first")),
            Some(visit) if !visit.may_type() => Err(EventError::forbidden()),
            Some(visit) => {
                visit.typing(typing, shortened(place, TypingTable::MAX_PLACE));
                Ok(())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the topics of documents begin with.
const PREFIX: &str = "doc:";
