//! One client's socket, from the first message to the goodbye.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, timeout};

use super::message::{self, Incoming};
use super::wire::{JsonWire, Outgoing};
use crate::connection::{Close, read_error};
use crate::delivery::Ending;
use crate::gateway::{Config, DisconnectReason, Inflow, Session, Wire};
use crate::shutdown::Tasks;

/// One client's socket.
pub(super) struct Socket {
    sink: SplitSink<WebSocket, Message>,
    stream: SplitStream<WebSocket>,
}

/// Why a conversation ended, and what the client is told of it: nothing when it has closed by itself.
pub(super) struct End {
    pub(super) reason: DisconnectReason,
    pub(super) ending: Option<Ending>,
}

/// What a conversation needs beside the socket.
pub(super) struct Around<'a> {
    pub(super) session: &'a Session,
    pub(super) wire: &'a JsonWire,
    pub(super) config: &'a Config,
    pub(super) tasks: &'a Tasks,
}

impl Socket {
    pub(super) fn new(socket: WebSocket) -> Self {
        let (sink, stream) = socket.split();
        Self { sink, stream }
    }

    /// Carries a conversation until the client goes or is sent away.
    pub(super) async fn carry(&mut self, outgoing: &mut Outgoing, inflow: Inflow, around: &Around<'_>) -> End {
        let heard = Heard::new();
        let end = {
            let reading = read(&mut self.stream, around.session, inflow, &heard);
            let writing = write(&mut self.sink, outgoing, around, &heard);
            tokio::pin!(reading, writing);
            tokio::select! {
                end = &mut reading => end,
                end = &mut writing => end,
            }
        };
        // Whatever comes now finds nobody, and whoever waits for room is let go.
        around.wire.end(&end.reason);
        if end.reason == DisconnectReason::TransportClosed {
            // The library has the answer to the client's goodbye ready, and sends it with what is written next.
            let _client_has_gone = timeout(GOODBYE, self.sink.flush()).await.is_err();
        }
        if end.ending.is_some() {
            let mut rest = Vec::new();
            outgoing.rest(&mut rest);
            let _client_does_not_read =
                timeout(GOODBYE, send(&mut self.sink, rest.into_iter().map(Message::Text))).await.is_err();
        }
        end
    }

    /// Sends a last text.
    pub(super) async fn say(&mut self, text: Utf8Bytes) {
        let _client_does_not_read = timeout(GOODBYE, self.sink.send(Message::Text(text))).await.is_err();
    }

    /// Says goodbye and waits, within bounds, for the client to have read it.
    pub(super) async fn close(mut self, ending: &Ending) {
        let Close { code, reason } = Close::from(ending);
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let goodbye = async {
            if self.sink.send(frame).await.is_err() {
                return;
            }
            loop {
                match self.stream.next().await {
                    Some(Ok(_)) => {}
                    // Closing while something is left unread would reset the connection: the client might miss the reason.
                    Some(Err(_)) => break tokio::time::sleep(GOODBYE).await,
                    None => break,
                }
            }
        };
        let _client_did_not_answer = timeout(GOODBYE, goodbye).await.is_err();
    }
}

impl From<DisconnectReason> for End {
    fn from(reason: DisconnectReason) -> Self {
        let ending = match reason {
            DisconnectReason::ClientDisconnected
            | DisconnectReason::TransportClosed
            | DisconnectReason::TransportFailed => None,
            DisconnectReason::ServerDisconnected => Some(Ending::SentAway),
            DisconnectReason::PingTimeout => Some(Ending::Silent),
            DisconnectReason::ParseError => Some(Ending::Malformed("the frames break the protocol".to_owned())),
            DisconnectReason::TooSlow => Some(Ending::TooSlow),
            DisconnectReason::RateLimited => Some(Ending::RateLimited),
            DisconnectReason::ShuttingDown => Some(Ending::ShuttingDown),
            DisconnectReason::Revoked => Some(Ending::Revoked),
            DisconnectReason::Expired => Some(Ending::Expired),
            DisconnectReason::Kicked => Some(Ending::Kicked),
        };
        Self { reason, ending }
    }
}

/// Reads until the client goes or breaks the protocol of WebSockets. What is no message does not end it.
async fn read(stream: &mut SplitStream<WebSocket>, session: &Session, mut inflow: Inflow, heard: &Heard) -> End {
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                let Some(ending) = read_error(&error) else { return DisconnectReason::TransportFailed.into() };
                return End { reason: DisconnectReason::ParseError, ending: Some(ending) };
            }
            None => return DisconnectReason::TransportFailed.into(),
        };
        heard.note();
        let wait = inflow.received(length(&message));
        match message {
            Message::Text(text) => hear(text.as_bytes(), session),
            Message::Binary(bytes) => hear(&bytes, session),
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => return DisconnectReason::TransportClosed.into(),
        }
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
    }
}

fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

fn hear(message: &[u8], session: &Session) {
    match message::read(message) {
        Ok(Incoming::Event { name, data, ack }) => session.event(&name, data, ack),
        Ok(Incoming::Ack { id, data }) => session.acknowledged(id, data),
        Err(error) => session.malformed(&error.to_string()),
    }
}

/// Writes until the client is sent away, takes nothing, or does not answer pings.
async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    outgoing: &mut Outgoing,
    around: &Around<'_>,
    heard: &Heard,
) -> End {
    let config = around.config;
    let mut batch = Vec::new();
    let mut ping_at = Instant::now() + config.ping_interval;
    let mut pinged: Option<Instant> = None;
    loop {
        let wake = pinged.map_or(ping_at, |pinged| pinged + config.ping_timeout);
        tokio::select! {
            biased; // traffic without a pause must delay neither the end nor the pings
            reason = sent_away(around) => return reason.into(),
            () = tokio::time::sleep_until(wake) => match pinged.take() {
                Some(pinged) if heard.last() < pinged => return DisconnectReason::PingTimeout.into(),
                Some(_) => {}
                None => {
                    pinged = Some(Instant::now());
                    ping_at = Instant::now() + config.ping_interval;
                    let ping = std::iter::once(Message::Ping(Bytes::new()));
                    if let Err(reason) = flush(sink, ping, around).await {
                        return reason.into();
                    }
                }
            },
            () = outgoing.next(&mut batch) => {
                let count = batch.len();
                if let Err(reason) = flush(sink, batch.drain(..).map(Message::Text), around).await {
                    return reason.into();
                }
                outgoing.taken(count);
            }
        }
    }
}

/// Sends a batch in as few writes as it takes. A client that takes nothing has so long as one that does not answer pings,
/// and hardly any time once it is sent away.
async fn flush(
    sink: &mut SplitSink<WebSocket, Message>,
    messages: impl Iterator<Item = Message>,
    around: &Around<'_>,
) -> Result<(), DisconnectReason> {
    let given_up = async {
        let reason = sent_away(around).await;
        tokio::time::sleep(GOODBYE).await;
        reason
    };
    tokio::select! {
        biased;
        sent = timeout(around.config.ping_timeout, send(sink, messages)) => match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(DisconnectReason::TransportFailed),
            Err(_) => Err(DisconnectReason::TooSlow),
        },
        reason = given_up => Err(reason),
    }
}

async fn send(
    sink: &mut SplitSink<WebSocket, Message>,
    messages: impl Iterator<Item = Message>,
) -> Result<(), axum::Error> {
    for message in messages {
        sink.feed(message).await?;
    }
    sink.flush().await
}

fn sent_away<'a>(around: &Around<'a>) -> impl Future<Output = DisconnectReason> + use<'a> {
    let (wire, tasks) = (around.wire, around.tasks);
    async move {
        tokio::select! {
            reason = wire.ended() => reason,
            () = tasks.stopped() => DisconnectReason::ShuttingDown,
        }
    }
}

/// When the client was last heard.
struct Heard(Mutex<Instant>);

impl Heard {
    fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a client has to read why it is sent away.
const GOODBYE: Duration = Duration::from_secs(2);
