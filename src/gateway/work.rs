//! The count of what is still to be done for a client, for whoever wants to know that everything is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// What is still to be done for a client: its stay itself, and each of its events until the handler has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Work {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    pieces: AtomicUsize,
    fewer: Notify,
}

/// One piece of work, done when it is dropped.
#[derive(Debug)]
pub(super) struct Piece(Work);

impl Work {
    pub(super) fn begin(&self) -> Piece {
        self.shared.pieces.fetch_add(1, Ordering::AcqRel);
        Piece(self.clone())
    }

    /// Waits until no more than so many pieces are left. Cancel-safe.
    pub(crate) async fn at_most(&self, left: usize) {
        loop {
            let fewer = self.shared.fewer.notified();
            tokio::pin!(fewer);
            fewer.as_mut().enable();
            if self.shared.pieces.load(Ordering::Acquire) <= left {
                return;
            }
            fewer.await;
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.0.shared.pieces.fetch_sub(1, Ordering::AcqRel);
        self.0.shared.fewer.notify_waiters();
    }
}
