//! What the transport reports: connections that open, speak and end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use engineioxide::handler::EngineIoHandler;
use engineioxide::socket::Sid;
use engineioxide::{DisconnectReason as EngineReason, Socket, Str};

use super::connection::{Connection, EngineSocket, Opened};
use crate::gateway::{DisconnectReason, Entrance, Gateways};

/// The connections of one entrance.
#[derive(Debug)]
pub(super) struct Engine {
    gateways: Gateways,
    entrance: Arc<Entrance>,
    open: Mutex<HashMap<Sid, Weak<EngineSocket>>>,
}

impl Engine {
    pub(super) fn new(gateways: Gateways, entrance: Entrance) -> Arc<Self> {
        Arc::new(Self { gateways, entrance: Arc::new(entrance), open: Mutex::default() })
    }

    /// Ends all connections when the server stops.
    pub(super) async fn end_with_the_server(self: Arc<Self>) {
        self.gateways.tasks().stopped().await;
        let open: Vec<_> = self.lock().values().filter_map(Weak::upgrade).collect();
        for socket in open {
            Connection::of(&socket).close(&socket, DisconnectReason::ShuttingDown);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sid, Weak<EngineSocket>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EngineIoHandler for Engine {
    type Data = Opened;

    fn on_connect(self: Arc<Self>, socket: Arc<Socket<Opened>>) {
        socket.data.set(Connection::new(self.gateways.clone(), Arc::clone(&self.entrance)));
        let is_full = {
            let mut open = self.lock();
            open.insert(socket.id, Arc::downgrade(&socket));
            open.len() > self.gateways.config().max_open
        };
        if is_full || self.gateways.tasks().is_stopping() {
            socket.close(EngineReason::ClosingServer);
            return;
        }
        let (within, waiting) = (self.gateways.config().connect_within, Arc::downgrade(&socket));
        let (tasks, ended) = (self.gateways.tasks().clone(), Connection::of(&socket).ended());
        self.gateways.tasks().spawn(async move {
            // A socket's memory stays for as long as anybody could ask whether it is there.
            tokio::select! {
                () = tokio::time::sleep(within) => {}
                () = ended.cancelled() => return,
                () = tasks.stopped() => return,
            }
            if let Some(socket) = waiting.upgrade()
                && Connection::of(&socket).is_idle()
            {
                Connection::of(&socket).close(&socket, DisconnectReason::TransportClosed);
            }
        });
    }

    fn on_disconnect(&self, socket: Arc<Socket<Opened>>, reason: EngineReason) {
        self.lock().remove(&socket.id);
        Connection::of(&socket).closed(&reason);
    }

    fn on_message(self: &Arc<Self>, text: Str, socket: Arc<Socket<Opened>>) {
        Connection::of(&socket).text(text, &socket);
    }

    fn on_binary(self: &Arc<Self>, attachment: Bytes, socket: Arc<Socket<Opened>>) {
        Connection::of(&socket).binary(attachment, &socket);
    }
}
