//! What a handler answers with, and how it becomes packets.
//!
//! The rules are those of a NestJS gateway: an [`Emit`] is an event for the sender; any other value goes to it as the
//! acknowledgement, if it wants one; a stream gives one such answer after the other; nothing is nothing.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio::time::Instant;

use super::data::Data;
use super::error::EventError;

/// What a handler answers with.
#[non_exhaustive]
pub enum Reply {
    /// Nothing.
    Nothing,
    /// A value: the acknowledgement.
    Value(Data),
    /// An event for the sender.
    Event {
        /// Its name.
        name: String,
        /// Its values.
        data: Data,
    },
    /// Answers over time, until the stream ends or the sender goes.
    Stream(Replies),
}

/// Answers over time.
pub type Replies = Pin<Box<dyn Stream<Item = Result<Reply, EventError>> + Send>>;

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Value(data) => f.debug_tuple("Value").field(data).finish(),
            Self::Event { name, data } => f.debug_struct("Event").field("name", name).field("data", data).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// An event for whoever sent the one that is being handled.
///
/// ```
/// use ydock::gateway::Emit;
///
/// async fn next(number: u32) -> Emit<u32> {
///     Emit::new("next", number + 1)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emit<T> {
    /// Its name.
    pub event: String,
    /// Its values.
    pub data: T,
}

impl<T> Emit<T> {
    /// An event of this name.
    pub fn new(event: impl Into<String>, data: T) -> Self {
        Self { event: event.into(), data }
    }
}

/// A stream of answers, each one as a handler could give it.
///
/// ```
/// use futures_util::stream;
/// use ydock::gateway::{Emit, Streamed};
///
/// async fn count() -> Streamed<impl futures_util::Stream<Item = Emit<u32>>> {
///     Streamed(stream::iter(0..3).map(|number| Emit::new("events", number)))
/// }
/// # use futures_util::StreamExt;
/// ```
#[derive(Debug)]
pub struct Streamed<S>(pub S);

/// Counts 0, 1, 2 and so on without an end, the first after one `period`, as RxJS's `interval` does. A `period` of nothing
/// is one of a millisecond.
///
/// ```
/// use std::time::Duration;
/// use futures_util::{Stream, StreamExt};
/// use ydock::gateway::{Emit, Streamed, interval};
///
/// async fn count() -> Streamed<impl Stream<Item = Emit<u64>>> {
///     Streamed(interval(Duration::from_secs(1)).map(|number| Emit::new("events", number)))
/// }
/// ```
pub fn interval(period: Duration) -> impl Stream<Item = u64> + Send + Unpin {
    let period = period.max(Duration::from_millis(1));
    let ticks = stream::unfold(None, move |ticks| async move {
        let mut ticks = ticks.unwrap_or_else(|| tokio::time::interval_at(Instant::now() + period, period));
        ticks.tick().await;
        Some(((), Some(ticks)))
    });
    Box::pin(ticks.zip(stream::iter(0..)).map(|((), number)| number))
}

/// What may come out of a handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer of a gateway's handler",
    label = "return (), a `Serialize` value as `Ack(value)`, `Emit`, `Streamed`, or a `Result` of one of them",
    note = "a text, a number or a `serde_json::Value` may stand alone; other values go into `Ack`"
)]
pub trait IntoReply {
    /// Turns it into a reply.
    ///
    /// # Errors
    /// When the handler failed, or a value cannot be encoded.
    fn into_reply(self) -> Result<Reply, EventError>;
}

/// A value for the acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack<T>(pub T);

impl IntoReply for () {
    fn into_reply(self) -> Result<Reply, EventError> {
        Ok(Reply::Nothing)
    }
}

impl IntoReply for Reply {
    fn into_reply(self) -> Result<Reply, EventError> {
        Ok(self)
    }
}

/// All of these values, as the acknowledgement.
impl IntoReply for Data {
    fn into_reply(self) -> Result<Reply, EventError> {
        Ok(Reply::Value(self))
    }
}

impl<T: Serialize> IntoReply for Ack<T> {
    fn into_reply(self) -> Result<Reply, EventError> {
        Ok(Reply::Value(Data::of(&self.0)?))
    }
}

macro_rules! plain_values {
    ($($value:ty),* $(,)?) => {
        $(impl IntoReply for $value {
            fn into_reply(self) -> Result<Reply, EventError> {
                Ack(self).into_reply()
            }
        })*
    };
}

plain_values!(
    String,
    &'static str,
    bool,
    u8,
    u16,
    u32,
    u64,
    i8,
    i16,
    i32,
    i64,
    f32,
    f64,
    serde_json::Value,
    bytes::Bytes
);

impl<T: Serialize> IntoReply for Vec<T> {
    fn into_reply(self) -> Result<Reply, EventError> {
        Ack(self).into_reply()
    }
}

impl<T: Serialize> IntoReply for Emit<T> {
    fn into_reply(self) -> Result<Reply, EventError> {
        Ok(Reply::Event { data: Data::of(&self.data)?, name: self.event })
    }
}

impl<S> IntoReply for Streamed<S>
where
    S: Stream + Send + 'static,
    S::Item: IntoReply,
{
    fn into_reply(self) -> Result<Reply, EventError> {
        Ok(Reply::Stream(Box::pin(self.0.map(IntoReply::into_reply))))
    }
}

impl<T: IntoReply> IntoReply for Option<T> {
    fn into_reply(self) -> Result<Reply, EventError> {
        self.map_or(Ok(Reply::Nothing), IntoReply::into_reply)
    }
}

impl<T: IntoReply, E: Into<EventError>> IntoReply for Result<T, E> {
    fn into_reply(self) -> Result<Reply, EventError> {
        self.map_err(Into::into)?.into_reply()
    }
}
