//! The way to one Socket.IO client in one namespace.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc::error::TrySendError;

use super::connection::{Connection, EngineSocket, Visit};
use super::packets::{self, Outgoing};
use crate::gateway::{DisconnectReason, Form, Gateways, NotSent, Packet, Wire};
use crate::shutdown::Tasks;

/// The way to one client in one namespace. It does not keep the connection alive.
#[derive(Debug)]
pub(super) struct SocketIoWire {
    socket: Weak<EngineSocket>,
    path: Arc<str>,
    visit: Visit,
    tasks: Tasks,
    /// How many packets may wait.
    places: usize,
}

impl SocketIoWire {
    pub(super) fn new(socket: &Arc<EngineSocket>, path: Arc<str>, visit: Visit, gateways: &Gateways) -> Self {
        let (tasks, places) = (gateways.tasks().clone(), gateways.config().max_outgoing);
        Self { socket: Arc::downgrade(socket), path, visit, tasks, places }
    }

    /// Waits until so many packets would fit, or the client has gone. The transport tells whether there is room, and not
    /// when there will be.
    async fn room(&self, places: usize) {
        while let Some(socket) = self.socket.upgrade()
            && !socket.is_closed()
            && !has_room(&socket, places)
        {
            drop(socket);
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn write(&self, packet: &Arc<Packet>) -> Option<Outgoing> {
        packet.form(Form::SocketIo, |content| packets::write(&self.path, content))
    }
}

#[async_trait]
impl Wire for SocketIoWire {
    fn send(&self, packet: &Arc<Packet>) -> Result<(), NotSent> {
        let socket = self.socket.upgrade().ok_or(NotSent::Gone)?;
        self.write(packet).map_or(Ok(()), |outgoing| send(&socket, outgoing))
    }

    fn send_volatile(&self, packet: &Arc<Packet>) {
        let Some(socket) = self.socket.upgrade() else { return };
        if has_room(&socket, HEADROOM)
            && let Some(outgoing) = self.write(packet)
        {
            let _dropped = send(&socket, outgoing).is_err();
        }
    }

    async fn ready(&self) {
        self.room(HEADROOM).await;
    }

    async fn drained(&self) {
        self.room(self.places).await;
    }

    fn end(&self, reason: &DisconnectReason) {
        let Some(socket) = self.socket.upgrade() else { return };
        let (path, visit, reason) = (Arc::clone(&self.path), self.visit, *reason);
        // Not here: whoever calls may hold what the connection needs.
        self.tasks.spawn(async move {
            match reason {
                DisconnectReason::ServerDisconnected => {
                    Connection::of(&socket).send_out(&path, visit, &socket);
                }
                _ => Connection::of(&socket).close(&socket, reason),
            }
        });
    }
}

/// Queues a text with its attachments, all or nothing.
pub(super) fn send(socket: &EngineSocket, outgoing: Outgoing) -> Result<(), NotSent> {
    let Outgoing { text, attachments } = outgoing;
    let _nobody_counts = Connection::of(socket).places();
    let permit = socket.reserve().map_err(|error| match error {
        TrySendError::Full(()) => NotSent::Full,
        TrySendError::Closed(()) => NotSent::Gone,
    })?;
    if attachments.is_empty() {
        permit.emit(text);
    } else {
        permit.emit_many(text, attachments);
    }
    Ok(())
}

/// Whether so many packets would fit. One place is never looked at: without it for a ping, the transport would take the client
/// for gone.
fn has_room(socket: &EngineSocket, places: usize) -> bool {
    let _nobody_sends = Connection::of(socket).places();
    let places: Result<Vec<_>, _> = (1..places.max(2)).map(|_| socket.reserve()).collect();
    places.is_ok()
}

/// What is left for what cannot wait, by what can.
const HEADROOM: usize = 64;
const LOOK_AGAIN: Duration = Duration::from_millis(5);
