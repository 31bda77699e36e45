//! Hooks: what a program has to say about documents and their sessions, called by the server at fixed points.
//!
//! ```text
//!  a client comes ──► connect ──► (the room opens ──► load) ──► update, awareness, stateless … ──► disconnect
//!                                   the room saves ──► saved …, and ends ──► unload
//! ```
//!
//! A program implements [`Hooks`] as far as it cares and gives it to [`Server::builder`](crate::Server::builder), several of
//! them one after the other. A [`HookChain`] asks them in that order.
//!
//! The promise: each call ends, by itself or after [`Config::timeout`], and a hook that fails, by its time or by a panic, is
//! taken for one that refuses wherever it may. Without hooks nothing is called, and an update costs one branch.

mod chain;
mod config;
mod context;
mod identity;
mod presence;
mod refusal;
mod shared;
mod stateless;

use async_trait::async_trait;
use bytes::Bytes;

pub use chain::HookChain;
pub use config::Config;
pub use context::{Front, SessionContext};
pub use identity::BoundIdentity;
pub use presence::PresenceEntry;
pub use refusal::{HookError, Refusal};
pub use stateless::{Answer, Answers};

use crate::ids::DocName;

/// What a program has to say about documents and their sessions. Each method has a default that does nothing.
///
/// A call holds up the client that caused it, and [`load`](Self::load) everybody who opens the document, for at most
/// [`Config::timeout`]; nobody else waits. It may be dropped half-way when its client goes, and must not block its thread.
///
/// ```
/// use async_trait::async_trait;
/// use ydock::hooks::{Hooks, Refusal, SessionContext};
///
/// /// Keeps drafts to people on this machine.
/// struct LocalDrafts;
///
/// #[async_trait]
/// impl Hooks for LocalDrafts {
///     async fn connect(&self, session: &SessionContext) -> Result<(), Refusal> {
///         let is_local = session.remote.is_none_or(|remote| remote.ip().is_loopback());
///         if session.doc.as_str().starts_with("draft/") && !is_local {
///             return Err(Refusal::new("drafts are not for you"));
///         }
///         Ok(())
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let server = ydock::Server::builder(ydock::config::Config::default()).hook(LocalDrafts).bind().await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Hooks: Send + Sync + 'static {
    /// Which of the frequent events the hook is called for; asked once, when the server is built.
    fn wants(&self) -> Wants {
        Wants::default()
    }

    /// A client wants to begin a session. It is refused with the reason, or told to try again when the hook fails.
    async fn connect(&self, _session: &SessionContext) -> Result<(), Refusal> {
        Ok(())
    }

    /// A document of which nothing is stored is opened. The answer is a Yjs v1 update with which it begins: durable before
    /// anybody sees the document. Of several hooks the first that answers counts. Nobody opens the document when it is
    /// refused, when the hook fails, or when the answer cannot be taken.
    ///
    /// After a document was deleted, its name is new again. An update that looks like the deleted one's, by the same Yjs client
    /// id, cannot be taken then: make it with a new [`yrs::Doc`](https://docs.rs/yrs) each time.
    async fn load(&self, _doc: &DocName) -> Result<Option<Bytes>, Refusal> {
        Ok(None)
    }

    /// A client's update, before the room sees it; only with [`Wants::updates`]. A refused one is neither stored nor seen by
    /// anybody else, and its client is told so: it still has what it wrote, and what it writes next builds on that.
    ///
    /// It is not called for what the server's own program or a caller of the HTTP API brings, and not for what a client that comes
    /// back brings again.
    async fn update(&self, _session: &SessionContext, _update: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    /// A client's presence, before the room sees it; only with [`Wants::awareness`]. Entries may be changed or taken out, and
    /// all of it is dropped when it is refused. Clients send back what they have heard of others, too; what is not theirs
    /// changes nothing, whatever the hook makes of it.
    async fn awareness(&self, _session: &SessionContext, _entries: &mut Vec<PresenceEntry>) -> Result<(), Refusal> {
        Ok(())
    }

    /// Updates of a document have become durable, up to the number `head`. Said at most once a second for a document, and
    /// again after its last ones.
    async fn saved(&self, _doc: &DocName, _head: u64) {}

    /// A text of the application from a client of the Hocuspocus wire, in the order in which they come.
    async fn stateless(&self, _session: &SessionContext, _text: &str, _answers: &mut Answers) {}

    /// A session that was let in has ended.
    async fn disconnect(&self, _session: &SessionContext) {}

    /// A document was deleted, for good: whoever opens one of the name begins anew.
    async fn deleted(&self, _doc: &DocName) {}

    /// A room has closed: nothing of its document is in memory. Another room may have opened it again meanwhile.
    async fn unload(&self, _doc: &DocName) {}
}

/// Which frequent events a hook is called for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wants {
    /// Each update of each client.
    pub updates: bool,
    /// Each presence message of each client.
    pub awareness: bool,
}
