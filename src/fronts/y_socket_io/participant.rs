//! One client in the document that its namespace names.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::access::Pass;
use crate::auth::Access;
use crate::connection::Session;
use crate::gateway::{Client, Event, EventError, FromEvent};
use crate::sync::SyncMessage;

/// One client in its document. Cloning gives another handle to the same.
#[derive(Debug, Clone)]
pub(super) struct Participant {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    /// Nothing before the room is joined and after the client has gone: then what it sends goes nowhere.
    session: tokio::sync::Mutex<Option<Session>>,
    /// The client's questions that have no answer yet, in the order in which they came.
    asked: Mutex<VecDeque<oneshot::Sender<Bytes>>>,
    /// Cancelled once an answer is on its way to the client.
    has_document: CancellationToken,
}

/// The answer to a client's question. It does not come when the session ends.
pub(super) type Answer = oneshot::Receiver<Bytes>;

impl Participant {
    pub(super) fn new(client: Client) -> Self {
        let (session, asked) = (tokio::sync::Mutex::default(), Mutex::default());
        Self { shared: Arc::new(Shared { client, session, asked, has_document: CancellationToken::new() }) }
    }

    pub(super) async fn begin(&self, session: Session) {
        *self.shared.session.lock().await = Some(session);
    }

    /// Leaves the room at once. What the client has sent and no room has taken is given up: it is waited for no longer.
    pub(super) async fn leave(&self) {
        *self.shared.session.lock().await = None;
        self.asked().clear();
    }

    /// Passes a sync message on. Waiting here keeps the client's next events waiting.
    pub(super) async fn sync(&self, message: SyncMessage<'_>) {
        self.while_it_stays(async |session| {
            // A room that has ended says why by the outbox.
            let _room_has_ended = session.sync(message).await.is_err();
        })
        .await;
    }

    /// The client has brought a newer token.
    pub(super) async fn renew(&self, access: &Access, pass: &Pass) {
        self.while_it_stays(async |session| session.renew(access, pass)).await;
    }

    /// Passes an awareness update on.
    pub(super) async fn awareness(&self, update: &[u8]) {
        self.while_it_stays(async |session| {
            let _room_has_ended = session.awareness(update).await.is_err();
        })
        .await;
    }

    async fn while_it_stays(&self, with: impl AsyncFnOnce(&mut Session)) {
        let work = async {
            if let Some(session) = self.shared.session.lock().await.as_mut() {
                with(session).await;
            }
        };
        tokio::select! {
            biased;
            () = self.shared.client.gone() => {}
            () = work => {}
        }
    }

    /// Expects an answer to a question that is passed on next; `None` when too many wait already.
    pub(super) fn ask(&self) -> Option<Answer> {
        let mut asked = self.asked();
        if asked.len() >= MOST_QUESTIONS {
            return None;
        }
        let (sender, answer) = oneshot::channel();
        asked.push_back(sender);
        Some(answer)
    }

    /// Answers the oldest question; gives the answer back when there is none.
    pub(super) fn answer(&self, update: Bytes) -> Result<(), Bytes> {
        match self.asked().pop_front() {
            Some(sender) => sender.send(update),
            None => Err(update),
        }
    }

    /// An answer is on its way to the client, before everything that is sent from now on.
    pub(super) fn answered(&self) {
        self.shared.has_document.cancel();
    }

    /// Waits until the first answer is on its way.
    pub(super) async fn has_document(&self) {
        self.shared.has_document.cancelled().await;
    }

    fn asked(&self) -> MutexGuard<'_, VecDeque<oneshot::Sender<Bytes>>> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sync> FromEvent<S> for Participant {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        let missing = || EventError::internal("a client of y-socket.io is in no document");
        event.client().get::<Self>().ok_or_else(missing)
    }
}

/// Each one's answer is a stream of the gateway, and more of these than it allows would be an error for the client.
const MOST_QUESTIONS: usize = 8;
