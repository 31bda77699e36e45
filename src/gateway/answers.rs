//! From a handler's outcome to what its client gets: answers, acknowledgements, exceptions.
//!
//! The promise: an event that asks for an acknowledgement gets one, whatever becomes of it, and only one.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt};
use tower::ServiceExt;

use super::client::Client;
use super::data::Data;
use super::error::EventError;
use super::event::Event;
use super::layers::EventService;
use super::packet::{AckId, Content, Packet};
use super::reply::{Replies, Reply};

/// Answers over time, with what they answer.
pub(super) struct Streaming {
    client: Client,
    replies: Replies,
    event: Event,
    ack: Option<AckId>,
}

/// Runs the pipeline and sends the answer; gives back answers that come over time.
pub(super) async fn handle(service: EventService, event: Event, mut ack: Option<AckId>) -> Option<Streaming> {
    let client = event.client().clone();
    let outcome = guarded(service.oneshot(event.clone())).await.and_then(|outcome| outcome);
    match outcome {
        Ok(Reply::Stream(replies)) => return Some(Streaming { client, replies, event, ack }),
        Ok(reply) => {
            answer(&client, reply, &mut ack);
            settle(&client, ack);
        }
        Err(error) => tell(&client, &event, ack, &error),
    }
    None
}

impl Streaming {
    /// Sends answers as they come, no faster than the client reads, until the client goes.
    pub(super) async fn run(self) {
        let client = self.client.clone();
        tokio::select! {
            biased;
            () = client.gone() => {}
            () = self.send() => {}
        }
    }

    async fn send(self) {
        let Self { client, mut replies, event, mut ack } = self;
        loop {
            client.ready().await;
            match guarded(replies.next()).await {
                Ok(None) => return settle(&client, ack),
                Ok(Some(Ok(Reply::Stream(inner)))) => replies = Box::pin(inner.chain(replies)),
                Ok(Some(Ok(reply))) => answer(&client, reply, &mut ack),
                Ok(Some(Err(error))) | Err(error) => return tell(&client, &event, ack, &error),
            }
        }
    }

    /// There are too many already.
    pub(super) fn refuse(self) {
        tell(&self.client, &self.event, self.ack, &EventError::new("Too many streams at once"));
    }
}

/// Sends one answer. A client's acknowledgement goes out once.
fn answer(client: &Client, reply: Reply, ack: &mut Option<AckId>) {
    let packet = match reply {
        Reply::Nothing | Reply::Stream(_) => return,
        Reply::Event { name, data } => Packet::event_of(&name, &data),
        Reply::Value(data) => Packet::new(match ack.take() {
            Some(id) => Content::Ack { id, data: data.unnamed() },
            None => Content::Value { data: data.unnamed() },
        }),
    };
    let _client_has_gone = client.deliver(&packet).is_err();
}

/// Acknowledges without a value what was handled and had none.
fn settle(client: &Client, ack: Option<AckId>) {
    if let Some(id) = ack {
        let _client_has_gone = client.deliver(&Packet::new(Content::Ack { id, data: Data::none() })).is_err();
    }
}

/// Tells the sender of an event what went wrong with it: by `exception`, and as the acknowledgement if it waits for one.
pub(super) fn tell(client: &Client, event: &Event, ack: Option<AckId>, error: &EventError) {
    if let Some(source) = error.source_text() {
        tracing::error!(client = client.id(), event = event.name(), error = source, "an event could not be handled");
    }
    let exception = error.exception(event.name(), event.data());
    let _client_has_gone = client.deliver(&Packet::event_of("exception", &exception)).is_err();
    if let Some(id) = ack {
        let _client_has_gone = client.deliver(&Packet::new(Content::Ack { id, data: exception })).is_err();
    }
}

/// A panic of a handler is an error like others.
pub(super) async fn guarded<T>(work: impl Future<Output = T>) -> Result<T, EventError> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| {
        let text =
            panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
        EventError::internal(format!("a handler panicked: {}", text.unwrap_or_default()))
    })
}
