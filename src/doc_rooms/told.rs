//! Who tells the hooks of a room's life, so that the room itself never waits for them.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Duration, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::registry::Context;
use crate::hooks::HookChain;
use crate::ids::DocName;

/// A room's way to the hooks; dropping it tells them that the room has closed.
#[derive(Debug)]
pub(super) struct Told {
    saved: watch::Sender<u64>,
    /// Cancelled when the document was deleted.
    deleted: CancellationToken,
    _end: DropGuard,
}

impl Told {
    /// Begins to tell, if there is anybody to be told.
    pub(super) fn of(context: &Arc<Context>, name: &DocName) -> Option<Self> {
        if context.hooks.is_empty() {
            return None;
        }
        let (saved, heads) = watch::channel(0);
        let (over, deleted) = (CancellationToken::new(), CancellationToken::new());
        let life = Life { heads, over: over.clone(), deleted: deleted.clone() };
        context.tasks.spawn(tell(context.hooks.clone(), name.clone(), life));
        Some(Self { saved, deleted, _end: over.drop_guard() })
    }

    /// Everything up to this number is durable.
    pub(super) fn saved(&self, head: u64) {
        self.saved.send_replace(head);
    }

    /// The document was deleted; the room closes next.
    pub(super) fn deleted(&self) {
        self.deleted.cancel();
    }
}

/// What the hooks are told of.
struct Life {
    heads: watch::Receiver<u64>,
    over: CancellationToken,
    deleted: CancellationToken,
}

async fn tell(hooks: HookChain, name: DocName, Life { mut heads, over, deleted }: Life) {
    // What was sent before the room closed is told still.
    while heads.changed().await.is_ok() {
        let head = *heads.borrow_and_update();
        hooks.saved(&name, head).await;
        tokio::select! {
            () = over.cancelled() => {}
            () = sleep(INTERVAL) => {}
        }
    }
    if deleted.is_cancelled() {
        hooks.deleted(&name).await;
    }
    hooks.unload(&name).await;
}

/// So often hooks are told that something was saved.
const INTERVAL: Duration = Duration::from_secs(1);
