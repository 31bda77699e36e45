//! Why the server ends a session, in words of this server; `connection/close.rs` gives the codes of the wire.

use thiserror::Error;

/// Why the server ends a session.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Ending {
    /// The client sent what no client of the protocol sends; the text says what.
    #[error("{0}")]
    Malformed(String),
    /// The client's frames break the rules of WebSocket; the text says how.
    #[error("{0}")]
    BrokenFrames(String),
    /// The client sent a text that is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A message, an update or the document is larger than allowed; the text says which.
    #[error("{0}")]
    TooLarge(String),
    /// The document was deleted, or the client holds a copy of a deleted one.
    #[error("the document was deleted")]
    Deleted,
    /// The client did not read what was sent to it.
    #[error("the client reads too slowly")]
    TooSlow,
    /// The client did not answer pings.
    #[error("the client does not answer")]
    Silent,
    /// The document cannot be opened now; the text says why without internals.
    #[error("{0}")]
    Unavailable(String),
    /// The document's stored data is damaged.
    #[error("the document's stored data is damaged")]
    Damaged,
    /// Something failed inside the room; a new attempt gets a new one.
    #[error("the room failed, try again")]
    RoomFailed,
    /// The client may not come in; the text is for it.
    #[error("{0}")]
    Forbidden(String),
    /// The client has no token that counts here; the text is for it.
    #[error("{0}")]
    Unauthorized(String),
    /// The client's token has expired.
    #[error("the token has expired")]
    Expired,
    /// The client's access was taken back.
    #[error("access was revoked")]
    Revoked,
    /// An administrator ended the session; the client may come back.
    #[error("the session was ended by an administrator")]
    Kicked,
    /// There is nothing at this address; the text is for the client.
    #[error("{0}")]
    NotFound(String),
    /// The application sent the client away.
    #[error("disconnected by the server")]
    SentAway,
    /// The client did not say in time who it is.
    #[error("the client was not let in in time")]
    NoToken,
    /// The client brought more than is kept for it; the text says what.
    #[error("{0}")]
    Reset(&'static str),
    /// The client sent more than it may.
    #[error("the client sends more than it may")]
    RateLimited,
    /// The server is full.
    #[error("the server is full, try again later")]
    Full,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
}
