//! One WebSocket: its limits, its reader and writer, its end.
//!
//! A front gives a [`Protocol`]; this module gives it frames within the limits, drives the outbox, keeps silent clients
//! awake, finds dead ones, and says goodbye with a code and a reason.

mod admission;
mod close;
mod config;
mod connections;
mod driver;
mod entrance;
mod halves;
mod library;
mod pace;
mod permission;
mod request;
mod rounds;
mod session;
mod sessions;
mod unsent;

pub use admission::Admission;
pub use close::Close;
pub use config::Config;
pub use connections::{Connections, NoSlot, Slot};
pub use driver::Driver;
pub use entrance::Entrance;
pub(crate) use library::read_error;
pub(crate) use pace::Pace;
pub use permission::Permission;
pub use request::RequestParts;
pub use session::Session;
pub use sessions::{Holder, Reviewed, Seated, SessionId, SessionInfo, Sessions, Visitor};

use crate::delivery::Ending;

/// What a front does with the frames of one connection.
pub trait Protocol: Send {
    /// Handles a binary frame; `more` when something behind it has been read already: that follows at once, or
    /// [`pause`](Self::pause). Waiting here stops reading from the client.
    ///
    /// # Errors
    /// When the connection is to be ended.
    fn frame(&mut self, frame: &[u8], more: bool) -> impl Future<Output = Result<(), Ending>> + Send;

    /// Nothing of what has been read follows at once, though more was announced.
    fn pause(&mut self) {}

    /// Waits for something that has nothing to do with what the client sends. Cancel-safe: what has happened is kept until
    /// [`act`](Self::act) is called, which is next.
    fn event(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Handles what [`event`](Self::event) has waited for.
    ///
    /// # Errors
    /// When the connection is to be ended.
    fn act(&mut self) -> impl Future<Output = Result<(), Ending>> + Send {
        std::future::ready(Ok(()))
    }

    /// The frame, with its header, that keeps an idle client from taking silence for a broken connection.
    fn keep_alive(&self) -> bytes::Bytes;
}
