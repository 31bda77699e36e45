//! A document as the server's own program has it open: it reads, changes and tells of it without a socket.

use bytes::Bytes;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::command::Submitted;
use super::direct_seat::{Keeper, Stay};
use super::errors::{JoinError, ReadError, SubmitError};
use super::registry::Rooms;
use crate::ids::{ClientId, DocName};
use crate::sync::{self, DocumentBytes, ScanError, StateVector};

/// A document that the server's own program has open. Its room stays open as long as this is held, and counts it as a member.
///
/// What it does is asked of nobody: no hook is called for it, and no grant holds it back. But its updates pass the same gate as
/// everybody's, so that what no Yjs document produces is refused.
///
/// ```
/// use ydock::config::Config;
/// use ydock::storage::{self, StoreKind};
/// use ydock::{DocName, Server};
/// use yrs::updates::decoder::Decode;
/// use yrs::{Doc, ReadTxn, Text, Transact, Update, WriteTxn};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = storage::Config { kind: StoreKind::Memory, ..Default::default() };
/// let server = Server::bind(Config { listen: "127.0.0.1:0".parse()?, store, ..Default::default() }).await?;
/// let mut plan = server.rooms().open_direct(&DocName::parse("plan")?).await?;
/// plan.edit(|state| {
///     let doc = Doc::new();
///     let mut edit = doc.transact_mut();
///     edit.apply_update(Update::decode_v1(state)?)?;
///     let before = edit.state_vector();
///     edit.get_or_insert_text("text").insert(&mut edit, 0, "Agenda: ");
///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(edit.encode_state_as_update_v1(&before))
/// })
/// .await?;
/// plan.set_presence(Some(&serde_json::json!({ "user": { "name": "the planner" } })))?;
/// assert_eq!(plan.state_vector().await?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DirectDocument {
    rooms: Rooms,
    name: DocName,
    client: ClientId,
    shown: watch::Sender<Option<Box<str>>>,
    deleted: CancellationToken,
    _end: DropGuard,
}

/// Why the state of a document could not be read.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The document was deleted.
    #[error("the document was deleted")]
    Deleted,
    /// It could not be loaded.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its parts could not be merged.
    #[error("the document cannot be merged")]
    Merge(#[from] ScanError),
    /// The merging panicked.
    #[error("the document could not be merged")]
    Failed,
}

/// Why an edit was not made.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum EditError<E> {
    /// The document could not be read.
    #[error(transparent)]
    State(StateError),
    /// The edit gave this instead of an update.
    #[error("the edit failed")]
    Edit(E),
    /// The edit panicked.
    #[error("the edit panicked")]
    Panicked,
    /// The update was not stored.
    #[error(transparent)]
    Submit(SubmitError),
}

/// A presence state is longer than `rooms.awareness.max_state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the presence state is longer than {max} bytes")]
pub struct PresenceTooLong {
    /// The bound, in bytes of JSON.
    pub max: u64,
}

impl Rooms {
    /// Opens a document for the server's own program; without a store of it, it begins as for everybody.
    ///
    /// # Errors
    /// When the document cannot be loaded, or a bound is reached.
    pub async fn open_direct(&self, name: &DocName) -> Result<DirectDocument, JoinError> {
        let stay = Stay::begin(self, name).await?;
        let client = ClientId::random();
        let (shown, wishes) = watch::channel(None);
        let (left, deleted) = (CancellationToken::new(), CancellationToken::new());
        let end = left.clone().drop_guard();
        let keeper = Keeper { rooms: self.clone(), name: name.clone(), client, wishes, left, deleted: deleted.clone() };
        self.tasks().spawn(keeper.run(stay));
        Ok(DirectDocument { rooms: self.clone(), name: name.clone(), client, shown, deleted, _end: end })
    }
}

impl DirectDocument {
    /// The document's name.
    #[must_use]
    pub const fn name(&self) -> &DocName {
        &self.name
    }

    /// The Yjs client id under which [presence](Self::set_presence) is shown.
    #[must_use]
    pub const fn client(&self) -> ClientId {
        self.client
    }

    /// Brings a Yjs v1 update. All members have it, and it is durable, when this returns.
    ///
    /// # Errors
    /// When the update is refused or cannot be stored.
    pub async fn apply(&self, update: impl Into<Bytes>) -> Result<Submitted, SubmitError> {
        if self.deleted.is_cancelled() {
            return Err(SubmitError::Deleted);
        }
        self.rooms.submit(&self.name, update.into()).await
    }

    /// The whole document as one Yjs v1 update, with all that was accepted by now.
    ///
    /// # Errors
    /// When it was deleted or cannot be read.
    pub async fn state(&self) -> Result<Bytes, StateError> {
        let bytes = self.bytes().await?;
        if bytes.len() <= INLINE_BYTES {
            return Ok(merged(&bytes)?);
        }
        Ok(self.rooms.tasks().run_blocking(move || merged(&bytes)).await.ok_or(StateError::Failed)??)
    }

    /// What of the insertions the document has.
    ///
    /// # Errors
    /// See [`state`](Self::state).
    pub async fn state_vector(&self) -> Result<StateVector, StateError> {
        Ok(sync::state_vector_of(self.bytes().await?.parts().map(AsRef::as_ref))?)
    }

    /// Edits the document with a library of the caller's choice: `edit` gets the whole document as one Yjs v1 update, on a
    /// thread where it may take its time, and gives an update with what it changes. Edits through one value follow each other; what
    /// members write meanwhile is merged as by Yjs.
    ///
    /// The document comes from its clients. What the server's gate lets through, Yjs itself integrates, but other libraries may
    /// fail at what a hostile client writes: yrs 0.28 can end the process. `edit` is for documents whose clients are trusted, or it
    /// asks a process of its own.
    ///
    /// # Errors
    /// When the document cannot be read, the edit fails, or its update is not stored.
    pub async fn edit<E, F>(&mut self, edit: F) -> Result<Submitted, EditError<E>>
    where
        F: FnOnce(&[u8]) -> Result<Vec<u8>, E> + Send + 'static,
        E: Send + 'static,
    {
        let state = self.state().await.map_err(EditError::State)?;
        let edited = self.rooms.tasks().run_blocking(move || edit(&state)).await;
        let update = edited.ok_or(EditError::Panicked)?.map_err(EditError::Edit)?;
        self.apply(update).await.map_err(EditError::Submit)
    }

    /// Shows the members a presence state under [a client id of its own](Self::client), or shows nothing any more. Of several
    /// that are set at once, the last one counts. It goes when this value is dropped.
    ///
    /// # Errors
    /// When the state is longer than allowed.
    pub fn set_presence(&self, state: Option<&Value>) -> Result<(), PresenceTooLong> {
        let state = state.filter(|state| !state.is_null()).map(|state| state.to_string().into_boxed_str());
        let max = self.rooms.max_presence();
        if state.as_ref().is_some_and(|state| state.len() as u64 > max) {
            return Err(PresenceTooLong { max });
        }
        self.shown.send_replace(state);
        Ok(())
    }

    async fn bytes(&self) -> Result<DocumentBytes, StateError> {
        if self.deleted.is_cancelled() {
            return Err(StateError::Deleted);
        }
        match self.rooms.read(&self.name).await {
            Ok(reading) => Ok(reading.bytes),
            Err(ReadError::Unknown) => Ok(DocumentBytes::default()),
            Err(error) => Err(error.into()),
        }
    }
}

fn merged(bytes: &DocumentBytes) -> Result<Bytes, ScanError> {
    let mut parts = bytes.parts();
    match (parts.next(), parts.next()) {
        (None, _) => Ok(Bytes::from_static(EMPTY_UPDATE)),
        (Some(only), None) => Ok(only.clone()),
        _ => Ok(sync::merge(bytes.parts().map(AsRef::as_ref))?.into()),
    }
}

/// An update without blocks and without deletions.
const EMPTY_UPDATE: &[u8] = &[0, 0];
/// Documents up to this size are merged on the async thread: it takes less than 500 µs.
const INLINE_BYTES: usize = 32 * 1024;
