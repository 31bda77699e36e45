//! One Engine.IO connection and the namespaces that its client is in.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use socketioxide_core::Str;
use tokio::time::Instant;

use super::engine::EngineSession;
use super::packets::{self, Incoming, Kind, PacketError, PacketReader};
use super::wire::{SocketIoWire, send};
use crate::gateway::{AckId, Data, DisconnectReason, Entrance, Entry, Gateways, Handshake, Inflow, Session};
use crate::telemetry::Limit;

/// One connection. Its methods are called in the order in which packets come.
#[derive(Debug)]
pub(super) struct Connection {
    gateways: Gateways,
    entrance: Arc<Entrance>,
    reader: PacketReader,
    stays: Mutex<Stays>,
}

#[derive(Debug, Default)]
struct Stays {
    by_path: HashMap<Arc<str>, Place>,
    /// How often the client has asked to enter; each time is a visit of its own.
    visits: u64,
    /// How many visits the guards have not yet judged, those that the client has given up included.
    unjudged: usize,
    /// Why it is closed.
    closed: Option<DisconnectReason>,
}

/// A namespace that the client is in, or waits to be let in.
#[derive(Debug)]
enum Place {
    Waiting(Visit),
    Inside(Visit, Session),
}

/// Tells one stay in a namespace from a later one of the same client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Visit(u64);

impl Connection {
    pub(super) fn new(gateways: Gateways, entrance: Arc<Entrance>) -> Self {
        let max_bytes = usize::try_from(gateways.config().max_message.as_u64()).unwrap_or(usize::MAX);
        let reader = PacketReader::new(max_bytes);
        Self { gateways, entrance, reader, stays: Mutex::default() }
    }

    pub(super) fn text(&self, text: Str, socket: &Arc<EngineSession>) {
        self.packet(self.reader.text(text), socket);
    }

    pub(super) fn binary(&self, attachment: Bytes, socket: &Arc<EngineSession>) {
        self.packet(self.reader.binary(attachment), socket);
    }

    fn packet(&self, packet: Result<Option<Incoming>, PacketError>, socket: &Arc<EngineSession>) {
        match packet {
            Ok(Some(Incoming { path, kind })) => match kind {
                Kind::Connect(auth) => self.enter(&path, auth, socket),
                Kind::Disconnect => self.leave(&path, DisconnectReason::ClientDisconnected),
                Kind::Event { name, data, ack } => {
                    self.inside(&path, |session| session.event(&name, data, ack.map(AckId::Number)));
                }
                Kind::Ack { id, data } => self.inside(&path, |session| {
                    if let Ok(id) = u64::try_from(id) {
                        session.acknowledged(id, data);
                    }
                }),
            },
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(error = %error, "a Socket.IO client breaks its protocol");
                socket.close(DisconnectReason::ParseError);
            }
        }
    }

    /// What is for a namespace that the client is not in goes nowhere: it may have been on its way when the client was sent out.
    /// The reference server closes the connection.
    fn inside(&self, path: &str, with: impl FnOnce(&Session)) {
        if let Some(Place::Inside(_, session)) = self.lock().by_path.get(path) {
            with(session);
        }
    }

    fn enter(&self, path: &str, auth: Data, socket: &Arc<EngineSession>) {
        let path: Arc<str> = path.into();
        let visit = {
            let mut stays = self.lock();
            if stays.closed.is_some() {
                return;
            }
            let is_full = stays.by_path.len().max(stays.unjudged) >= self.gateways.config().max_namespaces;
            let visit = Visit(stays.visits);
            match stays.by_path.entry(Arc::clone(&path)) {
                Slot::Occupied(_) => return,
                Slot::Vacant(_) if is_full => {
                    self.gateways.refused(Limit::GatewaysMaxNamespaces);
                    return refuse(socket, &path, "Too many namespaces");
                }
                Slot::Vacant(place) => place.insert(Place::Waiting(visit)),
            };
            stays.visits += 1;
            stays.unjudged += 1;
            visit
        };
        let socket = Arc::clone(socket);
        self.gateways.tasks().spawn(async move {
            socket.connection().admit(path, visit, auth, &socket).await;
        });
    }

    async fn admit(&self, path: Arc<str>, visit: Visit, auth: Data, socket: &Arc<EngineSession>) {
        let wire = SocketIoWire::new(socket, Arc::clone(&path), visit, &self.gateways);
        let (by, handshake) = (socket.transport(), handshake(socket, auth));
        let entry = Entry { path: &path, at: &self.entrance, by, handshake };
        let admitted = self.gateways.admit(entry, Arc::new(wire)).await;
        let mut stays = self.lock();
        stays.unjudged -= 1;
        // It may have left or closed meanwhile, and wait again.
        if !matches!(stays.by_path.get(&path), Some(Place::Waiting(waiting)) if *waiting == visit) {
            return;
        }
        match admitted {
            Ok(admitted) => {
                let told = packets::connected(&path, admitted.id());
                if told.is_some_and(|told| send(socket, told).is_ok()) {
                    // Whoever writes may begin with the id: some clients listen for one packet at a time.
                    let session = admitted.begin_after(tokio::task::yield_now());
                    stays.by_path.insert(path, Place::Inside(visit, session));
                } else {
                    stays.by_path.remove(&path);
                }
            }
            Err(error) => {
                stays.by_path.remove(&path);
                refuse(socket, &path, &error.to_string());
            }
        }
    }

    /// The client leaves a namespace.
    fn leave(&self, path: &str, reason: DisconnectReason) {
        let place = self.lock().by_path.remove(path);
        if let Some(Place::Inside(_, session)) = place {
            session.end(reason);
        }
    }

    /// The server sends the client out of a namespace, if it is still there and has not left and come again.
    pub(super) fn send_out(&self, path: &str, visit: Visit, socket: &EngineSession) {
        let place = {
            let mut stays = self.lock();
            if !matches!(stays.by_path.get(path), Some(Place::Inside(inside, _)) if *inside == visit) {
                return;
            }
            if let Some(goodbye) = packets::disconnected(path) {
                let _client_has_gone = send(socket, goodbye).is_err();
            }
            stays.by_path.remove(path)
        };
        if let Some(Place::Inside(_, session)) = place {
            session.end(DisconnectReason::ServerDisconnected);
        }
    }

    /// How fast it is to be read.
    pub(super) fn inflow(&self) -> Inflow {
        self.gateways.inflow()
    }

    /// Counts that the client reached a limit.
    pub(super) fn refused(&self, limit: Limit) {
        self.gateways.refused(limit);
    }

    /// Whether the client is in no namespace and waits for none.
    pub(super) fn is_idle(&self) -> bool {
        self.lock().by_path.is_empty()
    }

    /// Ends all stays, once; nothing is entered after it.
    pub(super) fn end(&self, reason: DisconnectReason) {
        let (places, reason) = {
            let mut stays = self.lock();
            let reason = *stays.closed.get_or_insert(reason);
            (std::mem::take(&mut stays.by_path), reason)
        };
        for (_, place) in places {
            if let Place::Inside(_, session) = place {
                session.end(reason);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stays> {
        self.stays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refuse(socket: &EngineSession, path: &str, why: &str) {
    if let Some(refusal) = packets::refused(path, why) {
        let _client_has_gone = send(socket, refusal).is_err();
    }
}

fn handshake(socket: &EngineSession, auth: Data) -> Handshake {
    let request = socket.request();
    Handshake {
        auth,
        headers: Arc::clone(&request.headers),
        uri: request.uri.clone(),
        address: request.address,
        issued: Instant::now(),
    }
}
