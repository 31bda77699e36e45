//! What the gateway asks of a wire: to carry packets to one client.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::packet::Packet;

/// The way to one client in one namespace. Implemented by fronts, and by the test client.
#[async_trait]
pub trait Wire: Send + Sync + fmt::Debug + 'static {
    /// Queues a packet.
    ///
    /// # Errors
    /// When the client has gone, or reads too slowly and nothing more fits.
    fn send(&self, packet: &Arc<Packet>) -> Result<(), NotSent>;

    /// Sends a packet if nothing waits before it, or next to nothing, else drops it: for what is worth something only now.
    fn send_volatile(&self, packet: &Arc<Packet>);

    /// Waits until a packet would fit, or the client has gone. Cancel-safe.
    async fn ready(&self);

    /// Waits until nothing waits any more, or the client has gone. Cancel-safe. A wire that cannot tell says
    /// [`ready`](Self::ready).
    async fn drained(&self) {
        self.ready().await;
    }

    /// Ends the client's stay; what was sent before is still delivered if it can be. The front reports the end to the
    /// session as it reports every other.
    fn end(&self, reason: &DisconnectReason);
}

/// Why a packet was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// Too much waits already.
    #[error("the client reads too slowly")]
    Full,
    /// There is nobody any more.
    #[error("the client has gone")]
    Gone,
}

/// Why a client has gone, in the words of Socket.IO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The client left the namespace.
    ClientDisconnected,
    /// The server told it to go.
    ServerDisconnected,
    /// The connection was closed.
    TransportClosed,
    /// The connection broke.
    TransportFailed,
    /// The client did not answer pings.
    PingTimeout,
    /// The client sent what its protocol does not know.
    ParseError,
    /// The client read too slowly for what it was sent.
    TooSlow,
    /// The client sent more than it may.
    RateLimited,
    /// The server stops.
    ShuttingDown,
    /// The client's access was taken back.
    Revoked,
    /// The client's token has expired.
    Expired,
    /// An administrator ended the connection; the client may come back.
    Kicked,
}

impl DisconnectReason {
    /// The text that Socket.IO has for it, where it has one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientDisconnected => "client namespace disconnect",
            Self::ServerDisconnected => "server namespace disconnect",
            Self::TransportClosed => "transport close",
            Self::TransportFailed => "transport error",
            Self::PingTimeout => "ping timeout",
            Self::ParseError => "parse error",
            Self::TooSlow => "too slow",
            Self::RateLimited => "rate limited",
            Self::ShuttingDown => "server shutting down",
            Self::Revoked => "access revoked",
            Self::Expired => "token expired",
            Self::Kicked => "ended by an administrator",
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
