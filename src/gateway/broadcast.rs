//! A selection of a namespace's clients, and what can be done with all of them.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, FuturesUnordered};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::client::{AckError, Client, ClientKey};
use super::data::{Data, EncodeError};
use super::namespace::Namespace;
use super::packet::Packet;
use super::topics::Target;

/// A selection of a namespace's clients: all of them, unless it is narrowed.
///
/// ```no_run
/// # fn example(namespace: &ydock::gateway::Namespace) -> Result<(), ydock::gateway::EncodeError> {
/// namespace.to("general").to("news").except("muted").emit("message", "hello")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a selection does nothing by itself"]
pub struct Broadcast {
    namespace: Namespace,
    to: Vec<Target>,
    except: Vec<Target>,
    volatile: bool,
}

/// The acknowledgements of a broadcast, in the order in which they come, each with who gave it or did not.
pub type Answers<R> = BoxStream<'static, (Client, Result<R, AckError>)>;

impl Broadcast {
    pub(super) const fn new(namespace: Namespace) -> Self {
        Self { namespace, to: Vec::new(), except: Vec::new(), volatile: false }
    }

    pub(super) fn except_key(mut self, client: ClientKey) -> Self {
        self.except.push(Target::Client(client));
        self
    }

    /// Adds everybody in a topic; or one client, by its id. A client in several topics is meant once.
    pub fn to(mut self, topic: &str) -> Self {
        self.to.push(self.namespace.target(topic));
        self
    }

    /// Adds every client of a user.
    pub fn to_user(mut self, user: &str) -> Self {
        self.to.push(Target::User(user.into()));
        self
    }

    /// Leaves out everybody in a topic; or one client, by its id.
    pub fn except(mut self, topic: &str) -> Self {
        self.except.push(self.namespace.target(topic));
        self
    }

    /// Leaves out every client of a user.
    pub fn except_user(mut self, user: &str) -> Self {
        self.except.push(Target::User(user.into()));
        self
    }

    /// Drops what a client could not be sent at once, instead of having it wait.
    pub fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// Sends an event to all of them, encoded once; the answer is to how many.
    ///
    /// # Errors
    /// When the value cannot be encoded. A client that reads too slowly is disconnected.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, value: &T) -> Result<usize, EncodeError> {
        let packet = Packet::event(event, value)?;
        let clients = self.clients();
        if self.volatile {
            for client in &clients {
                client.deliver_volatile(&packet);
            }
            return Ok(clients.len());
        }
        Ok(clients.iter().filter(|client| client.deliver(&packet).is_ok()).count())
    }

    /// Sends an event to all of them at once; the stream gives each one's acknowledgement, in the order in which they come.
    ///
    /// # Errors
    /// When the value cannot be encoded. What a single client does wrong is told in the stream.
    pub fn emit_with_ack<R: DeserializeOwned + Send + 'static>(
        &self,
        event: &str,
        value: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> Result<Answers<R>, EncodeError> {
        let data = Data::of_event(event, value)?;
        let until = Instant::now() + timeout;
        let asked = self.clients().into_iter().map(|client| {
            let answer = client.ask(event, data.clone(), until);
            async move { (client, answer.await) }
        });
        Ok(asked.collect::<FuturesUnordered<_>>().boxed())
    }

    /// The clients themselves.
    #[must_use]
    pub fn clients(&self) -> Vec<Client> {
        self.namespace.select(&self.to, &self.except)
    }

    /// Has all of them join a topic.
    pub fn join(&self, topic: &str) {
        self.clients().iter().for_each(|client| client.join(topic));
    }

    /// Has all of them leave a topic.
    pub fn leave(&self, topic: &str) {
        self.clients().iter().for_each(|client| client.leave(topic));
    }

    /// Sends all of them away.
    pub fn disconnect(&self) {
        self.clients().iter().for_each(Client::disconnect);
    }
}
