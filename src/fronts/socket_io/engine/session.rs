//! One session: what its client is sent and says, whichever way it comes, its heartbeat, and its end.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::super::connection::Connection;
use super::packet::{Malformed, Packet, Said, in_payload};
use super::queue::{Bounds, Queue};
use crate::gateway::{Config, DisconnectReason, Inflow, NotSent, Transport};
use crate::shutdown::Tasks;
use crate::telemetry::Limit;

/// One session of the transport.
#[derive(Debug)]
pub(in super::super) struct EngineSession {
    id: Arc<str>,
    request: OpeningRequest,
    connection: Connection,
    queue: Queue,
    way: Mutex<Way>,
    /// Held while what a client said is handed on: two ways must not do it at once.
    hearing: Mutex<()>,
    inflow: Mutex<Inflow>,
    beat: Mutex<Beat>,
    ponged: Notify,
    end: OnceLock<Ending>,
    ended: CancellationToken,
    parted: CancellationToken,
}

/// What is kept of the request that opened a session.
#[derive(Debug, Clone)]
pub(in super::super) struct OpeningRequest {
    pub(in super::super) headers: Arc<HeaderMap>,
    pub(in super::super) uri: Uri,
    pub(in super::super) address: Option<SocketAddr>,
}

/// Which way the client comes, and what it is doing there.
#[derive(Debug)]
struct Way {
    transport: Transport,
    upgrade: Upgrade,
    is_polled: bool,
    is_posted_to: bool,
}

/// How far a client is on its way from polling to a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upgrade {
    Not,
    /// It has a WebSocket, and has said nothing there.
    Begun,
    /// It has asked there whether it works, and was answered.
    Probed(Instant),
}

/// What a waiting poll finds.
#[derive(Debug)]
pub(super) enum Found {
    Packets(Vec<Packet>),
    /// The client is going over to its WebSocket and waits for this poll to end.
    Released,
    /// The client has gone over.
    Upgraded,
    Ended(Ending),
    /// Nothing yet; if it stays so until then, [`Released`](Self::Released).
    Nothing(Option<Instant>),
}

#[derive(Debug, Clone, Copy)]
struct Beat {
    /// When the next ping is due, or the answer to the last one.
    due: Instant,
    is_pinged: bool,
    interval: Duration,
    timeout: Duration,
}

/// Who ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client said so.
    ByClient,
    /// The server: what was sent before is still delivered if it can be.
    ByServer,
    /// The transport broke, or what came was none of it.
    Broken,
}

/// Which of a client's requests is being answered. Until it is dropped, a second of the kind is one too many.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    session: &'a EngineSession,
    kind: Kind,
    is_answered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Poll,
    Post,
}

/// A WebSocket that may become the way of a session. Dropped before it has, the client goes on polling.
#[derive(Debug)]
pub(super) struct Upgrading {
    session: Arc<EngineSession>,
}

impl OpeningRequest {
    pub(super) fn of(request: &Parts) -> Self {
        Self {
            headers: Arc::new(request.headers.clone()),
            uri: request.uri.clone(),
            address: request.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0),
        }
    }
}

impl EngineSession {
    pub(super) fn new(
        request: OpeningRequest,
        connection: Connection,
        transport: Transport,
        config: &Config,
    ) -> Arc<Self> {
        let bytes = usize::try_from(config.max_outgoing_bytes.as_u64()).unwrap_or(usize::MAX);
        let (interval, timeout) = (config.ping_interval, config.ping_timeout);
        let inflow = Mutex::new(connection.inflow());
        Arc::new(Self {
            id: uuid::Uuid::new_v4().simple().to_string().into(),
            request,
            connection,
            queue: Queue::new(Bounds { packets: config.max_outgoing, bytes }),
            way: Mutex::new(Way { transport, upgrade: Upgrade::Not, is_polled: false, is_posted_to: false }),
            hearing: Mutex::default(),
            inflow,
            beat: Mutex::new(Beat { due: Instant::now() + interval, is_pinged: false, interval, timeout }),
            ponged: Notify::new(),
            end: OnceLock::new(),
            ended: CancellationToken::new(),
            parted: CancellationToken::new(),
        })
    }

    /// The secret of the client.
    pub(super) fn id(&self) -> &Arc<str> {
        &self.id
    }

    pub(in super::super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(in super::super) fn request(&self) -> &OpeningRequest {
        &self.request
    }

    pub(in super::super) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The way by which the client comes now.
    pub(in super::super) fn transport(&self) -> Transport {
        self.way().transport
    }

    /// Queues packets, all or none.
    pub(in super::super) fn send(&self, packets: impl Iterator<Item = Packet> + Clone) -> Result<(), NotSent> {
        self.queue.push(packets)
    }

    /// The server ends it.
    pub(in super::super) fn close(&self, reason: DisconnectReason) {
        self.end(Ending::ByServer, reason);
    }

    /// Ends it, once. The connection knows it when this returns.
    pub(super) fn end(&self, ending: Ending, reason: DisconnectReason) {
        if self.end.set(ending).is_ok() {
            self.queue.close();
            self.connection.end(reason);
            self.ended.cancel();
        }
    }

    /// Cancelled when it ends.
    pub(super) fn ended(&self) -> WaitForCancellationFuture<'_> {
        self.ended.cancelled()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.end.get().is_some()
    }

    /// Who has ended it.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.end.get().copied()
    }

    /// Whether requests may still come: it has not ended, or its client polls and has not been told.
    pub(super) fn is_known(&self) -> bool {
        self.keep_time(Instant::now());
        self.end.get().is_none_or(|ending| *ending == Ending::ByServer)
    }

    /// Hands on what a client said, unless it has gone another way. What is no packet ends the session.
    pub(super) fn hear(
        self: &Arc<Self>,
        by: Transport,
        said: impl IntoIterator<Item = Result<Said, Malformed>>,
    ) -> Result<(), Malformed> {
        let _one_at_a_time = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.transport() != by {
            return Err(Malformed);
        }
        for said in said {
            if self.is_ended() {
                return Ok(());
            }
            match said {
                Ok(Said::Message(text)) => self.connection.text(text, self),
                Ok(Said::Binary(bytes)) => self.connection.binary(bytes, self),
                Ok(Said::Pong) => self.ponged(),
                Ok(Said::Close) => self.end(Ending::ByClient, DisconnectReason::TransportClosed),
                Ok(Said::Probe | Said::Upgrade) | Err(Malformed) => {
                    self.end(Ending::Broken, DisconnectReason::ParseError);
                    return Err(Malformed);
                }
            }
        }
        Ok(())
    }

    /// So much was read from the client; how long to wait before more is.
    pub(super) fn received(&self, len: usize) -> Option<Duration> {
        self.inflow.lock().unwrap_or_else(PoisonError::into_inner).received(len)
    }

    /// Begins to answer a request, if there is no other of its kind.
    pub(super) fn turn(&self, kind: Kind) -> Option<Turn<'_>> {
        let mut way = self.way();
        let taken = kind.of(&mut way);
        let is_free = !std::mem::replace(taken, true);
        drop(way);
        is_free.then_some(Turn { session: self, kind, is_answered: false })
    }

    /// Whether a client has begun to go over to a WebSocket.
    pub(super) fn is_upgrading(&self) -> bool {
        self.way().upgrade != Upgrade::Not
    }

    /// What there is for a poll, which is late when it began while the client was on its way to a WebSocket. A client that hears of
    /// the end forgets what came with it: so that comes alone.
    pub(super) fn find(&self, most_bytes: usize, is_late: bool) -> Found {
        let way = self.way();
        if way.transport == Transport::WebSocket {
            return Found::Upgraded;
        }
        let mut packets = Vec::new();
        let ending = self.ending();
        if let Some(ending) = ending.filter(|ending| *ending != Ending::ByServer) {
            return Found::Ended(ending);
        }
        let load = self.queue.take(most_bytes, in_payload, &mut packets);
        self.queue.written(load);
        if !packets.is_empty() {
            return Found::Packets(packets);
        }
        if let Some(ending) = ending {
            return Found::Ended(ending);
        }
        match way.upgrade {
            Upgrade::Not | Upgrade::Begun => Found::Nothing(None),
            Upgrade::Probed(_) if !is_late => Found::Released,
            Upgrade::Probed(at) if at + RELEASE_AFTER <= Instant::now() => Found::Released,
            Upgrade::Probed(at) => Found::Nothing(Some(at + RELEASE_AFTER)),
        }
    }

    /// What was still to be sent when the server ended it.
    pub(super) fn rest(&self) -> Vec<Packet> {
        let mut packets = Vec::new();
        self.queue.take(usize::MAX, Packet::len, &mut packets);
        packets
    }

    /// The client has been told of the end.
    pub(super) fn part(&self) {
        self.parted.cancel();
    }

    /// Begins to go over to a WebSocket; nothing if the client has, or is doing so already.
    pub(super) fn upgrade(self: &Arc<Self>) -> Option<Upgrading> {
        let mut way = self.way();
        if way.transport == Transport::WebSocket || way.upgrade != Upgrade::Not || self.is_ended() {
            return None;
        }
        way.upgrade = Upgrade::Begun;
        drop(way);
        Some(Upgrading { session: Arc::clone(self) })
    }

    /// Pings, and ends it when no pong comes, when its client joins nothing in time, and when the server stops. Returns once
    /// nothing is to be said any more.
    pub(super) async fn live(&self, config: &Config, tasks: &Tasks) {
        let mut idle_until = Some(Instant::now() + config.connect_within);
        loop {
            let beat = self.beat().due;
            let wake = idle_until.map_or(beat, |idle| idle.min(beat));
            tokio::select! {
                biased;
                () = self.ended() => break,
                () = tasks.stopped() => self.close(DisconnectReason::ShuttingDown),
                () = self.ponged.notified() => {}
                () = tokio::time::sleep_until(wake) => {
                    let now = Instant::now();
                    if idle_until.is_some_and(|idle| idle <= now) {
                        idle_until = None;
                        if self.connection.is_idle() {
                            self.connection.refused(Limit::GatewaysConnectWithin);
                            self.close(DisconnectReason::TransportClosed);
                        }
                    }
                    self.keep_time(now);
                }
            }
        }
        let is_to_be_told = self.end.get() == Some(&Ending::ByServer);
        if is_to_be_told && self.transport() == Transport::Polling {
            tokio::select! {
                () = tokio::time::sleep(GOODBYE) => {}
                () = self.parted.cancelled() => {}
                () = tasks.stopped() => {}
            }
        }
    }

    /// Does what is due by now.
    fn keep_time(&self, now: Instant) {
        let mut beat = self.beat();
        while beat.due <= now && !self.is_ended() {
            if beat.is_pinged {
                drop(beat);
                return self.end(Ending::Broken, DisconnectReason::PingTimeout);
            }
            beat.is_pinged = true;
            beat.due = beat.due + beat.timeout;
            self.queue.push_own(Packet::PING);
        }
    }

    /// An answer to no ping is none.
    fn ponged(&self) {
        let mut beat = self.beat();
        if beat.is_pinged {
            beat.is_pinged = false;
            beat.due = Instant::now() + beat.interval;
            drop(beat);
            self.ponged.notify_one();
        }
    }

    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upgrading {
    pub(super) fn session(&self) -> &Arc<EngineSession> {
        &self.session
    }

    /// The client asked whether the WebSocket works: the poll that waits is let go.
    pub(super) fn probed(&self) {
        self.session.way().upgrade = Upgrade::Probed(Instant::now());
        self.session.queue.wake();
    }

    /// From now on the client comes by WebSocket, and by nothing else; not if its session has ended.
    pub(super) fn complete(&self) -> bool {
        let _nobody_hears = self.session.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.session.is_ended() {
            return false;
        }
        self.session.way().transport = Transport::WebSocket;
        self.session.queue.wake();
        true
    }
}

impl Drop for Upgrading {
    fn drop(&mut self) {
        self.session.way().upgrade = Upgrade::Not;
        self.session.queue.wake();
    }
}

impl Turn<'_> {
    /// The client gets an answer. One that goes away before ends its session.
    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.kind.of(&mut self.session.way()) = false;
        if !self.is_answered {
            self.session.end(Ending::Broken, DisconnectReason::TransportFailed);
        }
    }
}

impl Kind {
    fn of(self, way: &mut Way) -> &mut bool {
        match self {
            Self::Poll => &mut way.is_polled,
            Self::Post => &mut way.is_posted_to,
        }
    }
}

/// A poll that begins after the client has opened its WebSocket has this long for the client to go over; `check` of Engine.IO
/// looks as often.
const RELEASE_AFTER: Duration = Duration::from_millis(100);
/// How long a client has to hear why it is sent away.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{Entrance, GatewaysBuilder};

    async fn session(tasks: &Tasks) -> Arc<EngineSession> {
        let config = Config { connect_within: Duration::from_hours(1), ..Config::default() };
        let gateways = GatewaysBuilder::default().build(config.clone(), tasks.clone()).await;
        let entrance = Entrance { port: None, path: "/socket.io".to_owned() };
        let request = OpeningRequest { headers: Arc::default(), uri: Uri::default(), address: None };
        let connection = Connection::new(gateways, Arc::new(entrance));
        let session = EngineSession::new(request, connection, Transport::Polling, &config);
        let (living, stopping) = (Arc::clone(&session), tasks.clone());
        tasks.spawn(async move { living.live(&config, &stopping).await });
        session
    }

    fn texts(found: Found) -> Vec<String> {
        let Found::Packets(packets) = found else { panic!("{found:?} and no packets") };
        let text = |packet| if let Packet::Text(text) = packet { text.to_string() } else { panic!("a text") };
        packets.into_iter().map(text).collect()
    }

    async fn after(millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn it_pings_after_the_interval_and_ends_without_a_pong_after_the_timeout() {
        let tasks = Tasks::new();
        let session = session(&tasks).await;
        for _ in 0..3 {
            after(24_990).await;
            assert!(matches!(session.find(100, false), Found::Nothing(None)));
            after(20).await;
            assert_eq!(texts(session.find(100, false)), ["2"]);
            session.hear(Transport::Polling, [Ok(Said::Pong)]).unwrap();
        }
        // An answer to no ping puts nothing off.
        session.hear(Transport::Polling, [Ok(Said::Pong)]).unwrap();
        after(25_000 + 19_990).await;
        assert!(!session.is_ended());
        after(20).await;
        assert_eq!(session.ending(), Some(Ending::Broken));
        assert!(!session.is_known());
        tasks.stop();
        assert!(tasks.drain(Duration::from_secs(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_before_the_server_ended_it_is_found_before_the_end() {
        let session = session(&Tasks::new()).await;
        session.send(std::iter::once(Packet::Text(Packet::message("last words")))).unwrap();
        session.close(DisconnectReason::RateLimited);
        assert!(session.is_known());
        assert_eq!(texts(session.find(100, false)), ["4last words"]);
        assert!(matches!(session.find(100, false), Found::Ended(Ending::ByServer)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_is_released_by_the_probe_and_a_late_one_when_the_client_takes_its_time() {
        let session = session(&Tasks::new()).await;
        let upgrading = session.upgrade().unwrap();
        assert!(session.upgrade().is_none());
        assert!(matches!(session.find(100, false), Found::Nothing(None)));
        upgrading.probed();
        assert!(matches!(session.find(100, false), Found::Released));
        assert!(matches!(session.find(100, true), Found::Nothing(Some(_))));
        after(100).await;
        assert!(matches!(session.find(100, true), Found::Released));
        assert!(upgrading.complete());
        drop(upgrading);
        assert!(matches!(session.find(100, true), Found::Upgraded));
        assert!(session.hear(Transport::Polling, [Ok(Said::Close)]).is_err());
        assert!(session.upgrade().is_none() && !session.is_ended());
    }
}
