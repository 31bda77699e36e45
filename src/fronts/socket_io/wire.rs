//! The way to one Socket.IO client in one namespace.

use std::sync::{Arc, Weak};

use async_trait::async_trait;

use super::connection::Visit;
use super::engine::{EngineSession, Packet as EnginePacket};
use super::packets::{self, Outgoing};
use crate::gateway::{DisconnectReason, Form, Gateways, NotSent, Packet, Wire};
use crate::shutdown::Tasks;

/// The way to one client in one namespace. It does not keep the connection alive.
#[derive(Debug)]
pub(super) struct SocketIoWire {
    socket: Weak<EngineSession>,
    path: Arc<str>,
    visit: Visit,
    tasks: Tasks,
}

impl SocketIoWire {
    pub(super) fn new(socket: &Arc<EngineSession>, path: Arc<str>, visit: Visit, gateways: &Gateways) -> Self {
        Self { socket: Arc::downgrade(socket), path, visit, tasks: gateways.tasks().clone() }
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
        if socket.queue().is_short()
            && let Some(outgoing) = self.write(packet)
        {
            let _dropped = send(&socket, outgoing).is_err();
        }
    }

    async fn ready(&self) {
        if let Some(socket) = self.socket.upgrade() {
            socket.queue().roomy().await;
        }
    }

    async fn drained(&self) {
        if let Some(socket) = self.socket.upgrade() {
            socket.queue().empty().await;
        }
    }

    fn end(&self, reason: &DisconnectReason) {
        let Some(socket) = self.socket.upgrade() else { return };
        let (path, visit, reason) = (Arc::clone(&self.path), self.visit, *reason);
        // Not here: whoever calls may hold what the connection needs.
        self.tasks.spawn(async move {
            match reason {
                DisconnectReason::ServerDisconnected | DisconnectReason::Revoked | DisconnectReason::Expired => {
                    socket.connection().send_out(&path, visit, &socket);
                }
                _ => socket.close(reason),
            }
        });
    }
}

/// Queues a text with its attachments, all or nothing.
pub(super) fn send(socket: &EngineSession, outgoing: Outgoing) -> Result<(), NotSent> {
    let Outgoing { text, attachments } = outgoing;
    let attachments = attachments.into_iter().map(EnginePacket::Binary);
    socket.send(std::iter::once(EnginePacket::Text(text)).chain(attachments))
}
