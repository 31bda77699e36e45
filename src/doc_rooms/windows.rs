//! When updates are saved that nobody waits for: at the ends of windows that are the same for all documents, so that one
//! commit takes what many documents have.
//!
//! A window's end costs a document no wakeup of its task: what it has is taken from its desk, and the outcome put there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::desk::Desk;
use super::registry::Context;
use crate::storage::Append;

/// The windows of a server's rooms, and who waits for the end of the one that is open.
#[derive(Debug)]
pub(super) struct Windows {
    epoch: Instant,
    length: Duration,
    waiting: Mutex<Vec<Arc<Desk>>>,
}

impl Windows {
    /// Windows of this length; with zero, nothing is ever gathered.
    pub(super) fn new(length: Duration) -> Self {
        Self { epoch: Instant::now(), length, waiting: Mutex::default() }
    }

    /// Whether there are windows at all.
    pub(super) fn is_open(&self) -> bool {
        !self.length.is_zero()
    }

    fn end(&self, now: Instant) -> Instant {
        let length = self.length.as_nanos().max(1);
        let into = now.saturating_duration_since(self.epoch).as_nanos() % length;
        now + Duration::from_nanos(u64::try_from(length - into).unwrap_or(u64::MAX))
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Desk>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context {
    /// Has a room saved at the end of the window. The first one of a window starts what ends it.
    pub(super) fn enlist(self: &Arc<Self>, desk: Arc<Desk>) {
        let mut waiting = self.windows.waiting();
        waiting.push(desk);
        if waiting.len() == 1 {
            self.tasks.spawn(end_window(Arc::clone(self)));
        }
    }
}

async fn end_window(context: Arc<Context>) {
    let end = context.windows.end(Instant::now());
    tokio::select! {
        () = tokio::time::sleep_until(end) => {}
        () = context.tasks.stopped() => {}
    }
    let desks = std::mem::take(&mut *context.windows.waiting());
    let (mut saving, mut appends) = (Vec::with_capacity(desks.len()), Vec::with_capacity(desks.len()));
    for desk in desks {
        let append = desk.lock().await.as_mut().and_then(|room| {
            let updates = room.saver.take()?;
            Some(Append { doc: room.name.clone(), generation: room.generation, updates })
        });
        if let Some(append) = append {
            saving.push(desk);
            appends.push(append);
        }
    }
    let outcomes = context.store.append_all(appends).await;
    for (desk, outcome) in saving.into_iter().zip(outcomes) {
        desk.appended(outcome).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_at_the_same_time_for_all() {
        let windows = Windows::new(Duration::from_millis(20));
        let end = |millis| (windows.end(windows.epoch + Duration::from_millis(millis)) - windows.epoch).as_millis();
        assert_eq!([0, 1, 19, 20, 39, 1001].map(end), [20, 20, 20, 40, 40, 1020]);
    }
}
