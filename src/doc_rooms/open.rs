//! How a room begins: the document from the store, and its index.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::errors::JoinError;
use super::log::Log;
use super::registry::Context;
use super::seed;
use super::state::RoomState;
use crate::ids::{DocName, Generation};
use crate::storage::{StoreError, StoredDocument};
use crate::sync::{DocumentBytes, DocumentIndex, StateVector};

/// A loaded document, ready for members.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) state: RoomState,
    pub(super) generation: Generation,
    /// The store's numbers of the snapshot and of the last update.
    pub(super) snapshot_stored: u64,
    pub(super) head_stored: u64,
}

/// Loads a document; a store that is unavailable is tried again for a short time.
pub(super) async fn open(context: &Context, name: &DocName) -> Result<Opened, JoinError> {
    let started = Instant::now();
    let mut stored = load(context, name).await.map_err(JoinError::Load)?;
    if stored.head == 0 && seed::begin(context, name, &stored).await? {
        stored = load(context, name).await.map_err(JoinError::Load)?;
    }
    let StoredDocument { generation, ancestors, snapshot_upto, head, bytes } = stored;
    let ancestors = decode_ancestors(&ancestors).ok_or(JoinError::Inconsistent)?;
    let (index, snapshot_state) = index(context, name, bytes.clone()).await?;
    let log = Log::new(bytes, snapshot_upto, &snapshot_state);
    let state = RoomState::new(Arc::clone(&context.config), context.max_update, index, log, ancestors);
    context.metrics.room_open_seconds.record(started.elapsed());
    Ok(Opened { state, generation, snapshot_stored: snapshot_upto, head_stored: head })
}

async fn load(context: &Context, name: &DocName) -> Result<StoredDocument, StoreError> {
    let mut attempts = 0;
    loop {
        match context.store.load(name).await {
            Err(error) if error.is_retryable() && attempts < ATTEMPTS && !context.tasks.is_stopping() => {
                attempts += 1;
                tracing::warn!(doc = %name, error = %error, "a document could not be loaded, trying again");
                tokio::time::sleep(PAUSE * attempts).await;
            }
            outcome => return outcome,
        }
    }
}

/// The index, and what the snapshot alone knows.
async fn index(
    context: &Context,
    name: &DocName,
    bytes: DocumentBytes,
) -> Result<(DocumentIndex, StateVector), JoinError> {
    let built = if bytes.len() > INLINE_BYTES {
        context.tasks.run_blocking(move || DocumentIndex::load_with_snapshot(&bytes)).await.ok_or(JoinError::Failed)?
    } else {
        DocumentIndex::load_with_snapshot(&bytes)
    };
    built.map_err(|error| {
        tracing::error!(doc = %name, error = %error, "a stored document is inconsistent");
        JoinError::Inconsistent
    })
}

pub(super) fn decode_ancestors(encoded: &[u8]) -> Option<StateVector> {
    if encoded.is_empty() { Some(StateVector::default()) } else { StateVector::decode(encoded, usize::MAX).ok() }
}

/// Documents up to this size are indexed on the async thread: it takes less than 500 µs.
const INLINE_BYTES: usize = 32 * 1024;
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);
