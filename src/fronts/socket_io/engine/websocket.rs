//! A client that comes by WebSocket, from the start or from polling.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;

use super::packet::{self, Packet, Said};
use super::session::{Ending, EngineSession, GOODBYE, OpeningRequest, Upgrading};
use super::sessions::Sessions;
use crate::connection::read_error;
use crate::gateway::{DisconnectReason, Transport};
use crate::listen::{Client, Held};
use crate::telemetry::Limit;

/// The two halves of a socket, with what was taken for it and not yet written.
struct Socket {
    sink: SplitSink<WebSocket, Message>,
    stream: SplitStream<WebSocket>,
    batch: VecDeque<Packet>,
}

/// Opens a session by WebSocket.
pub(super) fn open(
    sessions: Arc<Sessions>,
    client: Client,
    request: OpeningRequest,
    upgrade: WebSocketUpgrade,
) -> Response {
    let newcomer = match sessions.receive(&client, request) {
        Ok(newcomer) => newcomer,
        Err(refusal) => return refusal.into_response(),
    };
    // The upgrade task is only the way to the socket; what runs for it is a counted one.
    bound(upgrade, &sessions).on_upgrade(move |socket| async move {
        let tasks = sessions.gateways().tasks().clone();
        tasks.spawn(async move {
            if let Some(session) = sessions.open(newcomer, Transport::WebSocket) {
                Socket::new(socket).carry(&session, sessions.config().ping_timeout).await;
            }
            drop(client.held);
        });
    })
}

/// Takes a session from polling to a WebSocket. One that has a WebSocket already, or is about to, keeps it: the other is closed.
pub(super) fn upgrade(
    sessions: &Arc<Sessions>,
    session: &Arc<EngineSession>,
    upgrade: WebSocketUpgrade,
    held: Option<Held>,
) -> Response {
    let (upgrading, sessions) = (session.upgrade(), Arc::clone(sessions));
    bound(upgrade, &sessions).on_upgrade(move |socket| async move {
        let tasks = sessions.gateways().tasks().clone();
        tasks.spawn(async move {
            let mut socket = Socket::new(socket);
            match upgrading {
                Some(upgrading) if socket.is_taken(&upgrading).await => {
                    socket.carry(upgrading.session(), sessions.config().ping_timeout).await;
                }
                _ => socket.close().await,
            }
            drop(held);
        });
    })
}

fn bound(upgrade: WebSocketUpgrade, sessions: &Sessions) -> WebSocketUpgrade {
    let max = sessions.max_message();
    upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(WRITE_BUFFER).max_message_size(max).max_frame_size(max)
}

impl Socket {
    fn new(socket: WebSocket) -> Self {
        let (sink, stream) = socket.split();
        Self { sink, stream, batch: VecDeque::new() }
    }

    /// Waits for a polling client to go over to this socket; whether it did. Here and nowhere else, so that a poll which
    /// comes after the client's last word finds that it has.
    async fn is_taken(&mut self, upgrading: &Upgrading) -> bool {
        let probing = async {
            while let Some(Ok(message)) = self.stream.next().await {
                let said = match message {
                    Message::Text(text) => packet::read(text.as_str()),
                    Message::Ping(_) | Message::Pong(_) => continue,
                    Message::Binary(_) | Message::Close(_) => return false,
                };
                match said {
                    Ok(Said::Upgrade) => return upgrading.complete(),
                    Ok(Said::Probe) => upgrading.probed(),
                    _ => return false,
                }
                if self.sink.send(message_of(Packet::PROBED)).await.is_err() {
                    return false;
                }
            }
            false
        };
        tokio::select! {
            taken = timeout(UPGRADE_WITHIN, probing) => taken.unwrap_or(false),
            () = upgrading.session().ended() => false,
        }
    }

    /// Carries a session until it ends, whatever ends it.
    async fn carry(mut self, session: &Arc<EngineSession>, stalled_after: Duration) {
        let Self { sink, stream, batch } = &mut self;
        let (ending, reason) = tokio::select! {
            end = read(stream, session) => end,
            end = write(sink, batch, session, stalled_after) => end,
        };
        // If something else has ended it before, that stays.
        session.end(ending, reason);
        if session.ending() == Some(Ending::ByServer) {
            batch.extend(session.rest());
        } else {
            batch.clear();
        }
        self.close().await;
    }

    /// Writes what is left and closes the socket, within bounds.
    async fn close(mut self) {
        let goodbye = async {
            let rest = feed(&mut self.sink, &mut self.batch).await;
            if rest.is_ok() && self.sink.send(Message::Close(None)).await.is_ok() {
                // Closing while something is left unread would reset the connection: the client might miss what it was sent.
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        };
        let _client_did_not_answer = timeout(GOODBYE, goodbye).await.is_err();
    }
}

/// Reads until the session ends.
async fn read(stream: &mut SplitStream<WebSocket>, session: &Arc<EngineSession>) -> (Ending, DisconnectReason) {
    loop {
        let (said, len) = match stream.next().await {
            Some(Ok(Message::Text(text))) => (packet::read(text.as_str()), text.len()),
            Some(Ok(Message::Binary(bytes))) => {
                let len = bytes.len();
                (Ok(Said::Binary(bytes)), len)
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) | None => return (Ending::ByClient, DisconnectReason::TransportClosed),
            Some(Err(error)) => {
                let error = read_error(&error);
                if matches!(error, Some(crate::delivery::Ending::TooLarge(_))) {
                    session.connection().refused(Limit::GatewaysMaxMessage);
                }
                let reason =
                    if error.is_some() { DisconnectReason::TransportFailed } else { DisconnectReason::TransportClosed };
                return (Ending::Broken, reason);
            }
        };
        if session.hear(Transport::WebSocket, [said]).is_err() {
            return (Ending::Broken, DisconnectReason::ParseError);
        }
        if session.is_ended() {
            // The writer comes to its end, and is not torn from what it writes.
            std::future::pending::<()>().await;
        }
        if let Some(wait) = session.received(len) {
            tokio::time::sleep(wait).await;
        }
    }
}

/// Writes until the session ends. A client that takes nothing has so long as one that does not answer pings, and hardly any time
/// once its session has ended.
async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    batch: &mut VecDeque<Packet>,
    session: &EngineSession,
    stalled_after: Duration,
) -> (Ending, DisconnectReason) {
    let closed = (Ending::Broken, DisconnectReason::TransportClosed);
    let given_up = async {
        session.ended().await;
        tokio::time::sleep(GOODBYE).await;
    };
    tokio::pin!(given_up);
    let mut taken = Vec::new();
    while !session.is_ended() {
        session.queue().more(session.queue().wakes()).await;
        let load = session.queue().take(BATCH, Packet::len, &mut taken);
        batch.extend(taken.drain(..));
        tokio::select! {
            biased;
            written = timeout(stalled_after, feed(sink, batch)) => match written {
                Ok(Ok(())) => session.queue().written(load),
                Ok(Err(_)) => return closed,
                Err(_) => return (Ending::Broken, DisconnectReason::TooSlow),
            },
            () = &mut given_up => return closed,
        }
    }
    closed
}

/// Writes packets in as few writes as it takes. Cancel-safe: what was not taken stays.
async fn feed(sink: &mut SplitSink<WebSocket, Message>, packets: &mut VecDeque<Packet>) -> Result<(), axum::Error> {
    while !packets.is_empty() {
        poll_fn(|context| sink.poll_ready_unpin(context)).await?;
        if let Some(packet) = packets.pop_front() {
            sink.start_send_unpin(message_of(packet))?;
        }
    }
    sink.flush().await
}

fn message_of(packet: Packet) -> Message {
    match packet {
        Packet::Text(text) => Message::Text(text),
        Packet::Binary(bytes) => Message::Binary(bytes),
    }
}

/// How long a client may take from its WebSocket to its last word by polling; `upgradeTimeout` of Engine.IO.
const UPGRADE_WITHIN: Duration = Duration::from_secs(10);
/// The read buffer of a WebSocket, in bytes; each connection has one.
const READ_BUFFER: usize = 4096;
/// The library sends what is buffered once it exceeds this, in bytes.
const WRITE_BUFFER: usize = 16 * 1024;
/// One batch holds at most so many bytes, unless a single packet is larger.
const BATCH: usize = 64 * 1024;
