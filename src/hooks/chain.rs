//! All hooks of a server, asked one after the other, each within its time.

use std::borrow::Cow;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use metrics::Counter;

use super::config::Config;
use super::context::SessionContext;
use super::presence;
use super::refusal::{HookError, Refusal};
use super::stateless::Answers;
use super::{Hooks, Wants};
use crate::ids::DocName;
use crate::telemetry::Metrics;

/// All hooks of a server, in order. Cloning gives another handle to the same.
///
/// Of what can be refused, the first that refuses is the last that is asked. Of what is only told, each hook is told.
#[derive(Clone, Default)]
pub struct HookChain {
    /// None when there is no hook.
    shared: Option<Arc<Shared>>,
}

struct Shared {
    links: Vec<Link>,
    wants: Wants,
    timeout: Duration,
    metrics: OnceLock<Arc<Metrics>>,
}

struct Link {
    hook: Arc<dyn Hooks>,
    wants: Wants,
}

impl HookChain {
    /// These hooks, asked in this order.
    #[must_use]
    pub fn new(hooks: Vec<Arc<dyn Hooks>>, config: &Config) -> Self {
        if hooks.is_empty() {
            return Self::default();
        }
        let links: Vec<_> = hooks.into_iter().map(|hook| Link { wants: hook.wants(), hook }).collect();
        let wants = Wants {
            updates: links.iter().any(|link| link.wants.updates),
            awareness: links.iter().any(|link| link.wants.awareness),
        };
        let (timeout, metrics) = (config.timeout, OnceLock::new());
        Self { shared: Some(Arc::new(Shared { links, wants, timeout, metrics })) }
    }

    /// Counts refusals and failures of the hooks in these metrics from now on; only the first metrics that are given count.
    pub fn count_with(&self, metrics: Arc<Metrics>) {
        if let Some(shared) = &self.shared {
            let _is_counted_already = shared.metrics.set(metrics).is_err();
        }
    }

    /// Whether there is no hook.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.shared.is_none()
    }

    /// What any of the hooks wants.
    #[must_use]
    pub fn wants(&self) -> Wants {
        self.shared.as_ref().map(|shared| shared.wants).unwrap_or_default()
    }

    /// Whether a session may begin.
    ///
    /// # Errors
    /// When a hook refuses or fails, as for all methods with a result.
    pub async fn connect(&self, session: &SessionContext) -> Result<(), HookError> {
        for hook in self.hooks() {
            self.ask("connect", &session.doc, hook.connect(session)).await?;
        }
        Ok(())
    }

    /// With what a new document begins.
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    pub async fn load(&self, doc: &DocName) -> Result<Option<Bytes>, HookError> {
        for hook in self.hooks() {
            if let Some(seed) = self.ask("load", doc, hook.load(doc)).await? {
                return Ok(Some(seed));
            }
        }
        Ok(None)
    }

    /// Whether a client's update may be brought to the room.
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    pub async fn update(&self, session: &SessionContext, update: &[u8]) -> Result<(), HookError> {
        for hook in self.hooks_that(|wants| wants.updates) {
            self.ask("update", &session.doc, hook.update(session, update)).await?;
        }
        Ok(())
    }

    /// What of a client's awareness update is brought to the room. What is none is left to the room, which knows what to say.
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    pub async fn awareness<'a>(&self, session: &SessionContext, update: &'a [u8]) -> Result<Cow<'a, [u8]>, HookError> {
        let Ok(mut entries) = presence::read(update) else { return Ok(Cow::Borrowed(update)) };
        for hook in self.hooks_that(|wants| wants.awareness) {
            self.ask("awareness", &session.doc, hook.awareness(session, &mut entries)).await?;
        }
        Ok(Cow::Owned(presence::write(&entries)))
    }

    /// A document's updates are durable up to this number.
    pub async fn saved(&self, doc: &DocName, head: u64) {
        for hook in self.hooks() {
            let _was_logged = self.call("saved", doc, hook.saved(doc, head)).await;
        }
    }

    /// A client sent a text of the application; gives what the hooks answer. What one that fails has answered before counts.
    pub async fn stateless(&self, session: &SessionContext, text: &str) -> Answers {
        let mut answers = Answers::default();
        for hook in self.hooks() {
            let _was_logged = self.call("stateless", &session.doc, hook.stateless(session, text, &mut answers)).await;
        }
        answers
    }

    /// A session has ended.
    pub async fn disconnect(&self, session: &SessionContext) {
        for hook in self.hooks() {
            let _was_logged = self.call("disconnect", &session.doc, hook.disconnect(session)).await;
        }
    }

    /// A document was deleted.
    pub async fn deleted(&self, doc: &DocName) {
        for hook in self.hooks() {
            let _was_logged = self.call("deleted", doc, hook.deleted(doc)).await;
        }
    }

    /// A room has closed.
    pub async fn unload(&self, doc: &DocName) {
        for hook in self.hooks() {
            let _was_logged = self.call("unload", doc, hook.unload(doc)).await;
        }
    }

    fn hooks(&self) -> impl Iterator<Item = &Arc<dyn Hooks>> {
        self.hooks_that(|_| true)
    }

    fn hooks_that(&self, want: impl Fn(Wants) -> bool) -> impl Iterator<Item = &Arc<dyn Hooks>> {
        let links = self.shared.iter().flat_map(|shared| &shared.links);
        links.filter(move |link| want(link.wants)).map(|link| &link.hook)
    }

    /// Runs one call, within its time, of something that the hook may refuse.
    async fn ask<T>(
        &self,
        event: &str,
        doc: &DocName,
        call: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, HookError> {
        let answer = self.call(event, doc, call).await?;
        answer.map_err(|refusal| {
            self.count(|metrics| &metrics.hooks_refused);
            refusal.into()
        })
    }

    fn count(&self, counter: impl FnOnce(&Metrics) -> &Counter) {
        if let Some(metrics) = self.shared.as_ref().and_then(|shared| shared.metrics.get()) {
            counter(metrics).increment(1);
        }
    }

    /// Runs one call within its time.
    async fn call<T>(&self, event: &str, doc: &DocName, call: impl Future<Output = T>) -> Result<T, HookError> {
        let timeout = self.shared.as_ref().map_or(Duration::ZERO, |shared| shared.timeout);
        let why = match tokio::time::timeout(timeout, AssertUnwindSafe(call).catch_unwind()).await {
            Ok(Ok(outcome)) => return Ok(outcome),
            Ok(Err(_panic)) => "a hook panicked",
            Err(_elapsed) => "a hook took longer than hooks.timeout",
        };
        tracing::error!(%doc, event, "{why}");
        self.count(|metrics| &metrics.hooks_failed);
        Err(HookError::Failed)
    }
}

impl fmt::Debug for HookChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookChain").field("hooks", &self.hooks().count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::hooks::{Answer, Front, PresenceEntry};

    /// Writes down what it is asked, and answers as it is called.
    struct Named {
        name: &'static str,
        log: Arc<Mutex<Vec<String>>>,
    }

    impl Named {
        async fn note<T>(&self, event: &str, otherwise: T, refused: impl FnOnce(Refusal) -> T) -> T {
            self.log.lock().unwrap().push(format!("{} {event}", self.name));
            match self.name {
                "refuses" => refused(Refusal::new("no")),
                "panics" => panic!("on purpose"),
                "hangs" => pending().await,
                _ => otherwise,
            }
        }
    }

    #[async_trait]
    impl Hooks for Named {
        fn wants(&self) -> Wants {
            let wants = self.name != "indifferent";
            Wants { updates: wants, awareness: wants }
        }

        async fn connect(&self, _: &SessionContext) -> Result<(), Refusal> {
            self.note("connect", Ok(()), Err).await
        }

        async fn load(&self, _: &DocName) -> Result<Option<Bytes>, Refusal> {
            let seed = (self.name == "seeds").then(|| Bytes::from_static(b"seed"));
            self.note("load", Ok(seed), Err).await
        }

        async fn update(&self, _: &SessionContext, _: &[u8]) -> Result<(), Refusal> {
            self.note("update", Ok(()), Err).await
        }

        async fn awareness(&self, _: &SessionContext, entries: &mut Vec<PresenceEntry>) -> Result<(), Refusal> {
            if self.name == "renames" {
                for entry in entries.iter_mut() {
                    entry.state = Some("\"renamed\"".into());
                }
            }
            self.note("awareness", Ok(()), Err).await
        }

        async fn saved(&self, _: &DocName, head: u64) {
            self.note(&format!("saved {head}"), (), drop).await;
        }

        async fn stateless(&self, _: &SessionContext, text: &str, answers: &mut Answers) {
            answers.reply(format!("{} heard {text}", self.name));
            self.note("stateless", (), drop).await;
        }

        async fn disconnect(&self, _: &SessionContext) {
            self.note("disconnect", (), drop).await;
        }

        async fn deleted(&self, _: &DocName) {
            self.note("deleted", (), drop).await;
        }

        async fn unload(&self, _: &DocName) {
            self.note("unload", (), drop).await;
        }
    }

    fn chain(names: &[&'static str]) -> (HookChain, Arc<Mutex<Vec<String>>>) {
        let log = Arc::new(Mutex::default());
        let hooks = names.iter().map(|&name| Arc::new(Named { name, log: Arc::clone(&log) }) as Arc<dyn Hooks>);
        (HookChain::new(hooks.collect(), &Config::default()), log)
    }

    fn session() -> SessionContext {
        SessionContext::new(DocName::parse("doc").unwrap(), Front::YWebSocket, "1")
    }

    fn taken(log: &Mutex<Vec<String>>) -> Vec<String> {
        std::mem::take(&mut *log.lock().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn hooks_are_asked_in_order_until_one_refuses() {
        let (chain, log) = chain(&["first", "refuses", "last"]);
        let no = Err(HookError::Refused(Refusal::new("no")));
        assert_eq!(chain.connect(&session()).await, no);
        assert_eq!(taken(&log), ["first connect", "refuses connect"]);
        assert_eq!(chain.update(&session(), b"").await, no);
        assert_eq!(taken(&log), ["first update", "refuses update"]);
        assert!(chain.awareness(&session(), b"\0").await.is_err());
        assert_eq!(taken(&log), ["first awareness", "refuses awareness"]);
        assert!(chain.load(&session().doc).await.is_err());
        assert_eq!(taken(&log), ["first load", "refuses load"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_seed_counts() {
        let (chain, log) = chain(&["first", "seeds", "last"]);
        assert_eq!(chain.load(&session().doc).await, Ok(Some(Bytes::from_static(b"seed"))));
        assert_eq!(taken(&log), ["first load", "seeds load"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_panics_or_hangs_is_taken_for_a_refusal_where_it_may_refuse() {
        for name in ["panics", "hangs"] {
            let (chain, log) = chain(&[name, "last"]);
            let before = tokio::time::Instant::now();
            assert_eq!(chain.connect(&session()).await, Err(HookError::Failed));
            let waited = before.elapsed();
            assert_eq!(waited >= Config::default().timeout, name == "hangs", "{waited:?}");
            assert_eq!(chain.load(&session().doc).await, Err(HookError::Failed));
            assert_eq!(chain.update(&session(), b"").await, Err(HookError::Failed));
            assert_eq!(chain.awareness(&session(), b"\0").await, Err(HookError::Failed));
            assert!(taken(&log).iter().all(|line| line.starts_with(name)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_panics_or_hangs_where_it_is_only_told_takes_nothing_from_the_next() {
        let (chain, log) = chain(&["panics", "hangs", "last"]);
        chain.saved(&session().doc, 5).await;
        chain.disconnect(&session()).await;
        chain.deleted(&session().doc).await;
        chain.unload(&session().doc).await;
        let answers: Vec<_> = chain.stateless(&session(), "text").await.into_iter().collect();
        assert_eq!(answers.last(), Some(&Answer::Reply("last heard text".to_owned())));
        let last: Vec<_> = taken(&log).into_iter().filter(|line| line.starts_with("last")).collect();
        assert_eq!(last, ["last saved 5", "last disconnect", "last deleted", "last unload", "last stateless"]);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_and_failures_are_counted_apart() {
        let metrics = Arc::new(Metrics::new());
        for (name, calls) in [("refuses", 3), ("panics", 2), ("hangs", 1), ("first", 1)] {
            let (chain, _) = chain(&[name]);
            chain.count_with(Arc::clone(&metrics));
            for _ in 0..calls {
                let _outcome_is_known = chain.connect(&session()).await.is_ok();
            }
        }
        let text = metrics.render();
        assert!(text.contains("\nydock_hook_refusals_total 3\n"), "{text}");
        assert!(text.contains("\nydock_hook_failures_total 3\n"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn presence_is_rewritten_and_what_is_none_is_left_as_it_is() {
        let (chain, _) = chain(&["indifferent", "renames"]);
        let rewritten = chain.awareness(&session(), b"\x01\x07\x01\x02{}").await.unwrap();
        assert_eq!(*rewritten, *b"\x01\x07\x01\x09\"renamed\"");
        assert_eq!(*chain.awareness(&session(), b"\x01\x07").await.unwrap(), *b"\x01\x07");
    }

    #[tokio::test(start_paused = true)]
    async fn frequent_events_are_for_those_who_want_them() {
        let (indifferent, log) = chain(&["indifferent"]);
        assert_eq!((indifferent.wants(), indifferent.is_empty()), (Wants::default(), false));
        let (mixed, mixed_log) = chain(&["indifferent", "first"]);
        assert_eq!(mixed.wants(), Wants { updates: true, awareness: true });
        mixed.update(&session(), b"").await.unwrap();
        assert_eq!((taken(&log), taken(&mixed_log)), (vec![], vec!["first update".to_owned()]));
        assert_eq!((HookChain::default().wants(), HookChain::default().is_empty()), (Wants::default(), true));
    }
}
