//! How a document begins of which nothing is stored: with what a hook has for it.
//!
//! The promise: what it begins with passes the same gate as everybody's updates, and is durable before anybody sees it.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::effect::{Effect, Ticket};
use super::errors::{JoinError, SubmitError};
use super::log::Log;
use super::open;
use super::registry::Context;
use super::state::{Origin, RoomState};
use crate::ids::DocName;
use crate::storage::StoredDocument;
use crate::sync::{DocumentBytes, DocumentIndex, StateVector};

/// Asks the hooks and stores what they answer; says whether that was anything.
pub(super) async fn begin(context: &Context, name: &DocName, stored: &StoredDocument) -> Result<bool, JoinError> {
    let Some(seed) = context.hooks.load(name).await? else { return Ok(false) };
    let ancestors = open::decode_ancestors(&stored.ancestors).ok_or(JoinError::Inconsistent)?;
    match judge(context, ancestors, seed.clone()) {
        Ok(true) => {}
        Ok(false) => return Ok(false),
        Err(error) => {
            tracing::error!(doc = %name, error = %error, "what a hook answered to load cannot be taken");
            return Err(JoinError::NotBegun);
        }
    }
    context.store.append(name, stored.generation, vec![seed]).await.map_err(JoinError::Load)?;
    Ok(true)
}

/// What an empty document would make of this update: whether it brings anything, or why it is not taken.
fn judge(context: &Context, ancestors: StateVector, seed: Bytes) -> Result<bool, SubmitError> {
    let log = Log::new(DocumentBytes::default(), 0, &StateVector::new());
    let (config, index) = (Arc::clone(&context.config), DocumentIndex::new());
    let mut empty = RoomState::new(config, context.max_update, index, log, ancestors);
    let mut effects = Vec::new();
    empty.update(Origin::Caller(Ticket(1)), seed, Instant::now(), &mut effects);
    let mut brings_something = false;
    for effect in effects {
        match effect {
            Effect::Answer { answer: Err(error), .. } => return Err(error),
            Effect::Save { .. } => brings_something = true,
            _ => {}
        }
    }
    Ok(brings_something)
}
