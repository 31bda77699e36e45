//! A decorator that makes a store slow or unreliable on demand: for tests of whoever stands above a store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use super::{
    Compaction, DocumentInfo, Flaw, Health, Remains, Restoration, Store, StoreCounters, StoreError, StoredDocument,
    StoredName,
};
use crate::ids::{DocName, Generation};

/// A [`Store`] in front of another that fails and delays as it is told, by any clone of its `Arc`.
///
/// Failures are [`StoreError::Unavailable`] and reach the caller before the inner store is asked.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use std::sync::Arc;
/// use ydock::storage::{FaultyStore, MemoryStore, Store};
/// use ydock::{DocName, Generation};
///
/// let store = FaultyStore::new(Arc::new(MemoryStore::default()));
/// let plan = DocName::parse("plan")?;
/// store.fail_appends(true);
/// assert!(store.append(&plan, Generation::FIRST, vec!["update".into()]).await.is_err());
/// store.fail_appends(false);
/// assert_eq!(store.append(&plan, Generation::FIRST, vec!["update".into()]).await?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    appends: Fault,
    loads: Fault,
    compactions: Fault,
    delay: Mutex<Duration>,
    calls: AtomicU64,
}

/// When one kind of call fails: always, or as many times as `left`.
#[derive(Debug, Default)]
struct Fault {
    always: AtomicBool,
    left: AtomicU64,
}

/// The cause of every failure that a [`FaultyStore`] makes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a fault was injected")]
struct InjectedFault;

impl FaultyStore {
    /// A store that passes everything on until it is told otherwise.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            appends: Fault::default(),
            loads: Fault::default(),
            compactions: Fault::default(),
            delay: Mutex::default(),
            calls: AtomicU64::new(0),
        }
    }

    /// Lets every append fail from now on, or none.
    pub fn fail_appends(&self, fail: bool) {
        self.appends.always.store(fail, Ordering::SeqCst);
    }

    /// Lets the next `count` appends fail.
    pub fn fail_next_appends(&self, count: u64) {
        self.appends.left.store(count, Ordering::SeqCst);
    }

    /// Lets every load fail from now on, or none.
    pub fn fail_loads(&self, fail: bool) {
        self.loads.always.store(fail, Ordering::SeqCst);
    }

    /// Lets the next `count` loads fail.
    pub fn fail_next_loads(&self, count: u64) {
        self.loads.left.store(count, Ordering::SeqCst);
    }

    /// Lets every compaction fail from now on, or none.
    pub fn fail_compactions(&self, fail: bool) {
        self.compactions.always.store(fail, Ordering::SeqCst);
    }

    /// Lets every append, load, compaction and deletion wait this long, in the runtime's time, before anything else.
    pub fn delay(&self, delay: Duration) {
        *self.delay.lock().unwrap_or_else(PoisonError::into_inner) = delay;
    }

    /// How many appends, loads, compactions and deletions were asked for, failed ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    async fn arrive(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let delay = *self.delay.lock().unwrap_or_else(PoisonError::into_inner);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn append(&self, doc: &DocName, generation: Generation, updates: Vec<Bytes>) -> Result<u64, StoreError> {
        self.arrive().await;
        self.appends.strike()?;
        self.inner.append(doc, generation, updates).await
    }

    async fn load(&self, doc: &DocName) -> Result<StoredDocument, StoreError> {
        self.arrive().await;
        self.loads.strike()?;
        self.inner.load(doc).await
    }

    async fn compact(&self, doc: &DocName, compaction: Compaction) -> Result<(), StoreError> {
        self.arrive().await;
        self.compactions.strike()?;
        self.inner.compact(doc, compaction).await
    }

    async fn delete(&self, doc: &DocName, generation: Generation, ancestors: Bytes) -> Result<Generation, StoreError> {
        self.arrive().await;
        self.inner.delete(doc, generation, ancestors).await
    }

    async fn list(&self, after: Option<&DocName>, limit: usize) -> Result<Vec<DocumentInfo>, StoreError> {
        self.inner.list(after, limit).await
    }

    async fn stat(&self, doc: &DocName) -> Result<Option<DocumentInfo>, StoreError> {
        self.inner.stat(doc).await
    }

    fn health(&self) -> Health {
        if self.appends.is_on() {
            return Health::Degraded { reason: InjectedFault.to_string() };
        }
        self.inner.health()
    }

    fn counters(&self) -> &StoreCounters {
        self.inner.counters()
    }

    async fn names(&self, after: Option<&DocName>, limit: usize) -> Result<Vec<StoredName>, StoreError> {
        self.inner.names(after, limit).await
    }

    async fn restore(&self, doc: &DocName, restoration: Restoration) -> Result<(), StoreError> {
        self.arrive().await;
        self.inner.restore(doc, restoration).await
    }

    async fn remains(&self, doc: &DocName) -> Result<Remains, StoreError> {
        self.inner.remains(doc).await
    }

    async fn flaws(&self) -> Result<Vec<Flaw>, StoreError> {
        self.inner.flaws().await
    }

    async fn shrink(&self) -> Result<(), StoreError> {
        self.inner.shrink().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

impl Fault {
    fn is_on(&self) -> bool {
        self.always.load(Ordering::SeqCst) || self.left.load(Ordering::SeqCst) > 0
    }

    fn strike(&self) -> Result<(), StoreError> {
        let one_less = |left: u64| left.checked_sub(1);
        let counted = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        if counted || self.always.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable(Arc::new(InjectedFault)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryStore;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn faults_and_delays_last_as_long_as_they_are_asked_for() {
        let store = FaultyStore::new(Arc::new(MemoryStore::default()));
        let doc = DocName::parse("a").unwrap();
        let append = || store.append(&doc, Generation::FIRST, vec![Bytes::from_static(b"u")]);
        store.fail_next_appends(2);
        assert!(append().await.is_err_and(|error| error.is_retryable()));
        assert!(matches!(store.health(), Health::Degraded { .. }));
        assert!(append().await.is_err());
        store.delay(Duration::from_secs(3));
        let before = tokio::time::Instant::now();
        assert_eq!(append().await.unwrap(), 1);
        assert_eq!(before.elapsed(), Duration::from_secs(3));
        assert_eq!((store.health(), store.calls()), (Health::Ok, 3));
    }
}
