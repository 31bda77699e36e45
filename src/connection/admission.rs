//! What the hooks have to say about one session, from its begin to its end.

use std::borrow::Cow;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::delivery::Ending;
use crate::doc_rooms::Rooms;
use crate::hooks::{Answers, HookChain, HookError, SessionContext};
use crate::shutdown::Tasks;

/// A session's way past the hooks; dropping it tells them that the session has ended.
#[derive(Debug, Default)]
pub struct Admission {
    /// None without hooks.
    admitted: Option<Box<Admitted>>,
    judges_updates: bool,
    judges_awareness: bool,
}

#[derive(Debug)]
struct Admitted {
    hooks: HookChain,
    session: Arc<SessionContext>,
    tasks: Tasks,
}

impl Admission {
    /// Asks the hooks whether a session may begin, before its client is told what it may do.
    ///
    /// # Errors
    /// When it may not, with what its client is told.
    pub async fn ask(rooms: &Rooms, session: impl FnOnce() -> SessionContext) -> Result<Self, Ending> {
        let hooks = rooms.hooks();
        if hooks.is_empty() {
            return Ok(Self::default());
        }
        let session = session();
        hooks.connect(&session).await.map_err(|error| ending(&error))?;
        let wants = hooks.wants();
        let admitted = Admitted { hooks: hooks.clone(), session: Arc::new(session), tasks: rooms.tasks().clone() };
        Ok(Self {
            admitted: Some(Box::new(admitted)),
            judges_updates: wants.updates,
            judges_awareness: wants.awareness,
        })
    }

    /// Whether updates are to be [judged](Self::update) first.
    pub(super) const fn judges_updates(&self) -> bool {
        self.judges_updates
    }

    /// Whether presence is to be [judged](Self::awareness) first.
    pub(super) const fn judges_awareness(&self) -> bool {
        self.judges_awareness
    }

    /// Whether an update may be brought to the room. Boxed, because the futures of sessions without hooks are to stay small.
    pub(super) fn update<'a>(&'a self, update: &'a [u8]) -> BoxFuture<'a, Result<(), HookError>> {
        Box::pin(async move {
            match self.admitted.as_deref() {
                Some(Admitted { hooks, session, .. }) => hooks.update(session, update).await,
                None => Ok(()),
            }
        })
    }

    /// What of an awareness update may be brought to the room.
    pub(super) fn awareness<'a>(&'a self, update: &'a [u8]) -> BoxFuture<'a, Result<Cow<'a, [u8]>, HookError>> {
        Box::pin(async move {
            match self.admitted.as_deref() {
                Some(Admitted { hooks, session, .. }) => hooks.awareness(session, update).await,
                None => Ok(Cow::Borrowed(update)),
            }
        })
    }

    /// What the hooks answer to a text.
    pub(super) async fn stateless(&self, text: &str) -> Answers {
        match self.admitted.as_deref() {
            Some(Admitted { hooks, session, .. }) => hooks.stateless(session, text).await,
            None => Answers::default(),
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let (hooks, session) = (self.hooks.clone(), Arc::clone(&self.session));
        self.tasks.spawn(async move { hooks.disconnect(&session).await });
    }
}

/// What a client is told.
fn ending(error: &HookError) -> Ending {
    match error {
        HookError::Refused(reason) => Ending::Forbidden(reason.to_string()),
        HookError::Failed => Ending::Unavailable(error.to_string()),
    }
}
