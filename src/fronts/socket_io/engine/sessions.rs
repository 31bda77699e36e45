//! The sessions of one entrance: opened, found by their ids, and forgotten when they have ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::connection::Connection;
use super::packet::{Opening, Packet};
use super::refusal::Refusal;
use super::session::{EngineSession, OpeningRequest};
use crate::gateway::{Config, Entrance, Gateways, Transport, Transports};
use crate::listen::{Client, Place};
use crate::telemetry::Limit;

/// The sessions of one entrance.
#[derive(Debug)]
pub(in super::super) struct Sessions {
    gateways: Gateways,
    entrance: Arc<Entrance>,
    transports: Transports,
    open: Mutex<HashMap<Arc<str>, Arc<EngineSession>>>,
}

/// What a new session needs: a request, and a place of its address.
#[derive(Debug)]
pub(super) struct Newcomer {
    request: OpeningRequest,
    place: Option<Place>,
}

impl Sessions {
    pub(in super::super) fn new(gateways: Gateways, entrance: Entrance) -> Arc<Self> {
        let transports = match gateways.transports(&entrance) {
            Transports { websocket: false, polling: false } => Transports { websocket: true, polling: true },
            some => some,
        };
        Arc::new(Self { gateways, entrance: Arc::new(entrance), transports, open: Mutex::default() })
    }

    pub(super) fn config(&self) -> &Config {
        self.gateways.config()
    }

    pub(super) fn gateways(&self) -> &Gateways {
        &self.gateways
    }

    /// The largest message of a client, in bytes.
    pub(super) fn max_message(&self) -> usize {
        usize::try_from(self.config().max_message.as_u64()).unwrap_or(usize::MAX)
    }

    pub(super) fn allows(&self, transport: Transport) -> bool {
        match transport {
            Transport::WebSocket => self.transports.websocket,
            Transport::Polling => self.transports.polling,
        }
    }

    /// Looks whether there is room for a session, and takes a place of its address.
    pub(super) fn receive(&self, client: &Client, request: OpeningRequest) -> Result<Newcomer, Refusal> {
        if self.gateways.tasks().is_stopping() {
            return Err(Refusal::Full);
        }
        if self.lock().len() >= self.config().max_open {
            self.gateways.refused(Limit::GatewaysMaxOpen);
            return Err(Refusal::Full);
        }
        let place = self.gateways.place(client).map_err(|_counted| Refusal::Address)?;
        Ok(Newcomer { request, place })
    }

    /// Opens a session; nothing when there are too many or the server stops. What its client is told waits in its queue.
    pub(super) fn open(self: &Arc<Self>, newcomer: Newcomer, by: Transport) -> Option<Arc<EngineSession>> {
        let (config, tasks) = (self.config(), self.gateways.tasks());
        if tasks.is_stopping() {
            return None;
        }
        let Newcomer { request, place } = newcomer;
        let connection = Connection::new(self.gateways.clone(), Arc::clone(&self.entrance));
        let session = EngineSession::new(request, connection, by, config);
        {
            let mut open = self.lock();
            if open.len() >= config.max_open {
                return None;
            }
            open.insert(Arc::clone(session.id()), Arc::clone(&session));
        }
        let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let can_upgrade = by == Transport::Polling && self.allows(Transport::WebSocket);
        session.queue().push_own(Packet::opening(&Opening {
            sid: session.id(),
            upgrades: if can_upgrade { &["websocket"] } else { &[] },
            ping_interval: millis(config.ping_interval),
            ping_timeout: millis(config.ping_timeout),
            max_payload: config.max_message.as_u64(),
        }));
        let (sessions, living) = (Arc::clone(self), Arc::clone(&session));
        tasks.spawn(async move {
            living.live(sessions.config(), sessions.gateways.tasks()).await;
            sessions.lock().remove(living.id());
            drop(place);
        });
        Some(session)
    }

    /// The session with this id, if a client may still use it.
    pub(super) fn find(&self, id: &str) -> Option<Arc<EngineSession>> {
        let session = self.lock().get(id).map(Arc::clone);
        session.filter(|session| session.is_known())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<EngineSession>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
