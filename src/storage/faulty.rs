//! A decorator that makes a store slow or unreliable on demand: for tests of whoever stands above a store.

use std::collections::BTreeMap;
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
    /// What happens to single calls, by their number.
    planned: Mutex<BTreeMap<u64, Mishap>>,
}

/// What a [`FaultyStore`] does to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mishap {
    /// It fails, and the inner store is not asked.
    Fail,
    /// It waits so long, in the runtime's time, before anything else.
    Delay(Duration),
    /// An append stores the first half of its updates, rounded up, and fails. Anything else is done, and its answer is lost.
    Tear,
    /// It panics.
    Panic,
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
            planned: Mutex::default(),
        }
    }

    /// Lets the call with a number have a mishap. Appends, loads, compactions, deletions and restorations are counted
    /// together, from 1, as [`calls`](Self::calls) does.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// use std::sync::Arc;
    /// use ydock::storage::{FaultyStore, MemoryStore, Mishap, Store};
    /// use ydock::{DocName, Generation};
    ///
    /// let store = FaultyStore::new(Arc::new(MemoryStore::default()));
    /// let plan = DocName::parse("plan")?;
    /// store.plan(2, Mishap::Tear);
    /// let two = || vec!["one".into(), "two".into()];
    /// assert_eq!(store.append(&plan, Generation::FIRST, two()).await?, 2);
    /// assert!(store.append(&plan, Generation::FIRST, two()).await.is_err());
    /// assert_eq!(store.append(&plan, Generation::FIRST, two()).await?, 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan(&self, call: u64, mishap: Mishap) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).insert(call, mishap);
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

    /// Counts a call and lets it wait; says whether it is to be torn.
    async fn arrive(&self) -> Result<bool, StoreError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let mishap = self.planned.lock().unwrap_or_else(PoisonError::into_inner).remove(&call);
        if let Some(Mishap::Delay(delay)) = mishap {
            tokio::time::sleep(delay).await;
        }
        let delay = *self.delay.lock().unwrap_or_else(PoisonError::into_inner);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        assert!(mishap != Some(Mishap::Panic), "a panic was injected");
        if mishap == Some(Mishap::Fail) { Err(injected()) } else { Ok(mishap == Some(Mishap::Tear)) }
    }
}

/// Passes an outcome on, or loses it.
fn unless<T>(torn: bool, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
    if torn { Err(injected()) } else { outcome }
}

fn injected() -> StoreError {
    StoreError::Unavailable(Arc::new(InjectedFault))
}

#[async_trait]
impl Store for FaultyStore {
    async fn append(&self, doc: &DocName, generation: Generation, updates: Vec<Bytes>) -> Result<u64, StoreError> {
        let torn = self.arrive().await?;
        self.appends.strike()?;
        let kept = if torn { updates.len().div_ceil(2) } else { updates.len() };
        let updates = updates.into_iter().take(kept).collect();
        unless(torn, self.inner.append(doc, generation, updates).await)
    }

    async fn load(&self, doc: &DocName) -> Result<StoredDocument, StoreError> {
        let torn = self.arrive().await?;
        self.loads.strike()?;
        unless(torn, self.inner.load(doc).await)
    }

    async fn compact(&self, doc: &DocName, compaction: Compaction) -> Result<(), StoreError> {
        let torn = self.arrive().await?;
        self.compactions.strike()?;
        unless(torn, self.inner.compact(doc, compaction).await)
    }

    async fn delete(&self, doc: &DocName, generation: Generation, ancestors: Bytes) -> Result<Generation, StoreError> {
        let torn = self.arrive().await?;
        unless(torn, self.inner.delete(doc, generation, ancestors).await)
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
        let torn = self.arrive().await?;
        unless(torn, self.inner.restore(doc, restoration).await)
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
            return Err(injected());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryStore;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn single_calls_fail_wait_or_are_torn() {
        let store = FaultyStore::new(Arc::new(MemoryStore::default()));
        let doc = DocName::parse("a").unwrap();
        let append = || store.append(&doc, Generation::FIRST, vec![Bytes::from_static(b"u"); 3]);
        store.plan(1, Mishap::Fail);
        store.plan(2, Mishap::Tear);
        store.plan(3, Mishap::Delay(Duration::from_secs(5)));
        store.plan(5, Mishap::Tear);
        assert!(append().await.unwrap_err().is_retryable());
        assert!(append().await.unwrap_err().is_retryable());
        let before = tokio::time::Instant::now();
        assert_eq!(append().await.unwrap(), 5, "two of the torn append and three more");
        assert_eq!(before.elapsed(), Duration::from_secs(5));
        assert_eq!(append().await.unwrap(), 8);
        assert!(store.delete(&doc, Generation::FIRST, Bytes::new()).await.is_err());
        assert_eq!(store.load(&doc).await.unwrap().generation, Generation(2), "the answer alone was lost");
        assert_eq!(store.calls(), 6);
    }

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
