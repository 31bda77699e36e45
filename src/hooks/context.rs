//! What a hook is told of the session that an event is about.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::access::Role;
use crate::ids::DocName;

/// The session that an event is about, the same in all calls for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionContext {
    /// The number of the session, unique in the life of the process.
    pub id: u64,
    /// The connection, by its number, or for clients of gateways by their id: a Hocuspocus connection has many sessions.
    pub connection: Arc<str>,
    /// The document.
    pub doc: DocName,
    /// The wire.
    pub front: Front,
    /// What the session may do.
    pub role: Role,
    /// Who it is, if that is known.
    pub user: Option<Arc<str>>,
    /// Where its connection comes from: none over a unix socket. Behind a proxy, what a trusted one says, or else
    /// the proxy.
    pub remote: Option<SocketAddr>,
}

/// The wire of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Front {
    /// y-websocket.
    YWebSocket,
    /// Hocuspocus.
    Hocuspocus,
    /// y-socket.io.
    YSocketIo,
    /// A client of a gateway that has joined the topic of a document.
    Gateway,
}

impl SessionContext {
    /// A new session of somebody unknown, from nowhere, who may edit.
    #[must_use]
    pub fn new(doc: DocName, front: Front, connection: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { id, connection: connection.into(), doc, front, role: Role::Edit, user: None, remote: None }
    }

    /// The same with another role.
    #[must_use]
    pub fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// The same of this user.
    #[must_use]
    pub fn of_user(self, user: Option<Arc<str>>) -> Self {
        Self { user, ..self }
    }

    /// The same from this address.
    #[must_use]
    pub fn from_remote(self, remote: Option<SocketAddr>) -> Self {
        Self { remote, ..self }
    }
}

impl Front {
    /// Its name in the log: `hocuspocus`, `y-websocket`, `y-socket.io` or `gateway`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::YWebSocket => "y-websocket",
            Self::Hocuspocus => "hocuspocus",
            Self::YSocketIo => "y-socket.io",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
