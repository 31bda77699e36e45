//! The one place where tasks start, so that stopping the server can wait for each of them.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;

/// The tasks of one server: started here, told to stop together, counted until the last one has ended.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stopping: CancellationToken,
}

impl Tasks {
    /// Nothing runs yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task that [`drain`](Self::drain) waits for.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tracker.spawn(task);
    }

    /// Runs blocking work on a thread of its own; `None` when it panicked.
    ///
    /// The work is not interrupted when the future is dropped.
    pub async fn run_blocking<T, F>(&self, work: F) -> Option<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.tracker.spawn_blocking(work).await.ok()
    }

    /// Tells every task to come to its end; nothing is interrupted.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Waits until [`stop`](Self::stop) is called. Cancel-safe.
    pub fn stopped(&self) -> WaitForCancellationFuture<'_> {
        self.stopping.cancelled()
    }

    /// How many tasks run.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tracker.len()
    }

    /// Whether no task runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tracker.is_empty()
    }

    /// The tracker itself, for parts that count their own tasks with it.
    #[must_use]
    pub const fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// Waits at most `limit` for all tasks to end; says whether they did.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(limit, self.tracker.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_drain_waits_for_tasks_and_gives_up_at_its_limit() {
        let tasks = Tasks::new();
        let quick = tasks.clone();
        tasks.spawn(async move { quick.stopped().await });
        tasks.stop();
        assert!(tasks.drain(Duration::from_secs(1)).await);

        let tasks = Tasks::new();
        tasks.spawn(std::future::pending());
        assert!(!tasks.drain(Duration::from_secs(1)).await);
        assert_eq!(tasks.len(), 1);
    }
}
