//! One client's side of the conversation: its documents, those that it waits to be let into, and what waits for them.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::attempt::{Attempt, Caller, DETACHED, Inside};
use super::dialect::HocuspocusDialect;
use super::upgrade::HocuspocusParts;
use super::waiting::{Budget, MAX_DOCUMENTS, TooMuch, Waiting};
use super::wire::{self, Incoming};
use crate::access::Pass;
use crate::auth::{self, Credentials, Refusal};
use crate::connection::{Close, Protocol};
use crate::delivery::{Dialect, Ending, Lane, Message, Outbox};
use crate::hooks::Front;
use crate::telemetry::Limit;
use crate::websocket::{self, Opcode};

/// One client's side of the conversation.
pub(super) struct Conversation {
    caller: Arc<Caller>,
    parts: Arc<HocuspocusParts>,
    outbox: Arc<Outbox>,
    /// For what no session says.
    lane: Lane,
    documents: HashMap<Box<str>, Document>,
    /// Attempts to enter rooms, and tokens that are looked at.
    under_way: FuturesUnordered<BoxFuture<'static, Happened>>,
    happened: Option<Happened>,
    /// What waits for all documents together.
    budget: Budget,
    /// The document of which it was said that more follows at once; empty when there is none.
    announced: String,
    /// When the client must have been let in somewhere; `None` when it has.
    deadline: Option<Instant>,
    is_late: bool,
}

/// A document of the client.
enum Document {
    /// The client has not been let in yet.
    Outside {
        waiting: Waiting,
        step: Step,
    },
    Inside(Inside),
}

/// How far an address is on its way into a room. There is never more than one attempt for an address, so that a client which
/// detaches and comes back at once is not in the room twice.
#[derive(Clone, PartialEq, Eq)]
enum Step {
    /// The token has not come.
    NoToken,
    Entering,
    /// The client has detached on the way, and maybe come back with another token.
    Leaving(Option<Box<str>>),
}

impl Document {
    const fn inside(&self) -> Option<&Inside> {
        match self {
            Self::Inside(inside) => Some(inside),
            Self::Outside { .. } => None,
        }
    }

    /// Whether the client has not said yet who it is there.
    const fn is_unknown(&self) -> bool {
        matches!(self, Self::Outside { step: Step::NoToken, .. })
    }
}

/// What has happened at an address.
struct Happened {
    address: Box<str>,
    what: What,
}

enum What {
    /// The end of an attempt to enter a room with a token.
    Entered { token: Box<str>, outcome: Result<Inside, Ending> },
    /// It was found out what another token is good for: the client's so many-th in this document.
    Checked { number: u64, outcome: Result<Pass, Refusal> },
}

impl Conversation {
    pub(super) fn new(caller: Caller, parts: Arc<HocuspocusParts>, outbox: Arc<Outbox>) -> Self {
        let deadline = Some(Instant::now() + parts.enter_within);
        // Nothing goes this way that would have to be sent again after an overflow.
        let lane = outbox.lane(Arc::new(Notify::new()));
        Self {
            caller: Arc::new(caller),
            parts,
            outbox,
            lane,
            documents: HashMap::new(),
            under_way: FuturesUnordered::new(),
            happened: None,
            budget: Budget::default(),
            announced: String::new(),
            deadline,
            is_late: false,
        }
    }

    /// Lets a message wait until the client is let into its document.
    fn let_wait(&mut self, address: &str, frame: &[u8]) -> Result<(), Ending> {
        let too_much = |TooMuch| Ending::Reset("too much waits to be let in");
        if let Some(Document::Outside { waiting, .. }) = self.documents.get_mut(address) {
            return waiting.push(frame, &mut self.budget).map_err(too_much);
        }
        if self.documents.values().filter(|document| document.is_unknown()).count() >= MAX_DOCUMENTS {
            return Err(Ending::Reset("too many documents wait to be let in"));
        }
        let mut waiting = Waiting::default();
        waiting.push(frame, &mut self.budget).map_err(too_much)?;
        self.documents.insert(address.into(), Document::Outside { waiting, step: Step::NoToken });
        Ok(())
    }

    /// The client has sent its token for an address; an empty one is none.
    fn token(&mut self, address: &str, token: &str) -> Result<(), Ending> {
        if self.under_way.len() >= self.parts.max_documents + MOST_CHECKS {
            return Err(Ending::Reset("too many tokens are looked at"));
        }
        if token.len() > auth::LONGEST_TOKEN {
            return Err(Ending::Reset("a token is longer than one can be"));
        }
        let is_full =
            self.documents.values().filter(|document| !document.is_unknown()).count() >= self.parts.max_documents;
        match self.documents.get_mut(address) {
            Some(Document::Inside(_)) => {
                self.check(address, token);
                return Ok(());
            }
            // It has said so already.
            Some(Document::Outside { step: Step::Entering, .. }) => return Ok(()),
            Some(Document::Outside { step: Step::Leaving(again), .. }) => {
                *again = Some(token.into());
                return Ok(());
            }
            _ if is_full => {
                self.forget(address);
                self.parts.connections.refused(Limit::ConnectionsMaxDocuments);
                self.say(address, &Message::Refused("this connection has too many documents"));
                return Ok(());
            }
            Some(Document::Outside { step, .. }) => *step = Step::Entering,
            None => {
                let outside = Document::Outside { waiting: Waiting::default(), step: Step::Entering };
                self.documents.insert(address.into(), outside);
            }
        }
        self.begin(address, token);
        Ok(())
    }

    /// Begins an attempt to enter a room.
    fn begin(&mut self, address: &str, token: &str) {
        let doc = match wire::place(address) {
            Ok(doc) => doc,
            Err(error) => {
                self.forget(address);
                return self.say(address, &Message::Refused(&error.to_string()));
            }
        };
        let attempt = Attempt {
            parts: Arc::clone(&self.parts),
            outbox: Arc::clone(&self.outbox),
            caller: Arc::clone(&self.caller),
            doc,
            credentials: self.credentials(token),
        };
        let (token, address) = (Box::from(token), Box::from(address));
        self.under_way.push(Box::pin(async move {
            let outcome = attempt.enter(&address).await;
            Happened { address, what: What::Entered { token, outcome } }
        }));
    }

    /// Looks at another token of somebody who is inside.
    fn check(&mut self, address: &str, token: &str) {
        let Ok(doc) = wire::place(address) else { return };
        let Some(Document::Inside(inside)) = self.documents.get_mut(address) else { return };
        inside.tokens += 1;
        let number = inside.tokens;
        let access = self.parts.access.clone();
        let (credentials, address) = (self.credentials(token), Box::from(address));
        self.under_way.push(Box::pin(async move {
            let outcome = access.enter(&credentials, &doc).await.map(|(pass, _)| pass);
            Happened { address, what: What::Checked { number, outcome } }
        }));
    }

    fn credentials(&self, token: &str) -> Credentials {
        let brought = &self.caller.brought;
        if token.is_empty() { brought.clone() } else { brought.with_token(Some(token)) }
    }

    /// Another token counts from now on. One that is not good ends the session.
    fn renew(&mut self, address: &str, number: u64, outcome: Result<Pass, Refusal>) -> Result<(), Ending> {
        // Of several, the newest counts, whichever was looked at first.
        let is_newest = |inside: &&Inside| inside.tokens == number;
        let inside = self.documents.get(address).and_then(Document::inside).filter(is_newest);
        let Some(inside) = inside else { return Ok(()) };
        match outcome {
            Err(Refusal::Unavailable) => return Err(Refusal::Unavailable.into()),
            Ok(pass) => {
                inside.session.renew(&self.parts.access, &pass);
                // Providers take themselves for not let in until they hear so.
                if let Some(grant) = inside.session.standing() {
                    self.say(address, &Message::Granted(grant));
                }
            }
            Err(refusal) => {
                self.documents.remove(address);
                self.say(address, &Message::Refused(&refusal.to_string()));
            }
        }
        Ok(())
    }

    /// The client is in a room, or not; what waited for that has its turn.
    async fn enter(&mut self, address: Box<str>, token: &str, entered: Result<Inside, Ending>) -> Result<(), Ending> {
        let Some(Document::Outside { mut waiting, step }) = self.documents.remove(&address) else { return Ok(()) };
        match step {
            // It has come back with the same token.
            Step::Leaving(Some(again)) if *again == *token => {
                if let Some(grant) = entered.as_ref().ok().and_then(|inside| inside.session.standing()) {
                    self.say(&address, &Message::Granted(grant));
                }
            }
            Step::Leaving(again) => {
                // Out of the room before it is entered again.
                drop(entered);
                let step = if again.is_some() { Step::Entering } else { Step::NoToken };
                if again.is_some() || !waiting.is_empty() {
                    // What came after it had detached waits for the next token.
                    self.documents.insert(address.clone(), Document::Outside { waiting, step });
                }
                if let Some(token) = again {
                    self.begin(&address, &token);
                }
                return Ok(());
            }
            Step::NoToken | Step::Entering => {}
        }
        let mut inside = match entered {
            Ok(inside) => inside,
            Err(ending) => {
                waiting.clear(&mut self.budget);
                if may_try_again(&ending) {
                    // Providers come back when the socket goes, and not before.
                    return Err(ending);
                }
                self.say(&address, &Message::Refused(&ending.to_string()));
                return Ok(());
            }
        };
        tracing::debug!(conn = self.caller.conn.0, %address, front = %Front::Hocuspocus, "a session began");
        self.deadline = None;
        let mut stays = true;
        while let Some(frame) = waiting.pop(&mut self.budget) {
            stays = stays && !inside.has_parted();
            if stays {
                let message = wire::address(&frame).and_then(|(_, rest)| wire::message(rest));
                stays = inside.hear(&self.lane, message).await?;
            }
        }
        if stays {
            self.documents.insert(address, Document::Inside(inside));
        }
        Ok(())
    }

    /// Says something under an address that has no session.
    fn say(&self, address: &str, message: &Message<'_>) {
        if let Some(frame) = HocuspocusDialect::new(address).encode(message) {
            self.lane.reply(frame);
        }
    }

    /// The client detaches from a document that it is not in.
    fn detach(&mut self, address: &str) {
        match self.documents.get_mut(address) {
            Some(Document::Outside { waiting, step: step @ (Step::Entering | Step::Leaving(_)) }) => {
                *step = Step::Leaving(None);
                std::mem::take(waiting).clear(&mut self.budget);
            }
            _ => self.forget(address),
        }
        self.lane.reply(HocuspocusDialect::new(address).close(DETACHED));
    }

    fn forget(&mut self, address: &str) {
        if let Some(Document::Outside { waiting, .. }) = self.documents.remove(address) {
            waiting.clear(&mut self.budget);
        }
    }
}

impl Protocol for Conversation {
    async fn frame(&mut self, frame: &[u8], more: bool) -> Result<(), Ending> {
        let (address, rest) = wire::address(frame).map_err(|error| Ending::Malformed(error.to_string()))?;
        if wire::name_in(address).is_empty() {
            // What every client of y-websocket sends first looks so.
            return Err(Ending::Malformed(
                "a message names no document; y-websocket clients belong at /yjs/".to_owned(),
            ));
        }
        if *address != *self.announced {
            self.pause();
        }
        if let Some(Document::Inside(inside)) = self.documents.get(address)
            && inside.has_parted()
        {
            self.documents.remove(address);
        }
        let message = wire::message(rest);
        if let Ok(Incoming::Token(token)) = message {
            return self.token(address, token);
        }
        if let Some(Document::Inside(inside)) = self.documents.get_mut(address) {
            inside.session.expect_more(more);
            if more && self.announced.is_empty() {
                self.announced.push_str(address);
            }
            if !inside.hear(&self.lane, message).await? {
                self.documents.remove(address);
            }
            return Ok(());
        }
        match message {
            Ok(Incoming::Detach) => {
                self.detach(address);
                Ok(())
            }
            // What is wrong with it is said when the client is inside.
            _ => self.let_wait(address, frame),
        }
    }

    fn pause(&mut self) {
        if let Some(inside) = self.documents.get(&*self.announced).and_then(Document::inside) {
            inside.session.finish();
        }
        self.announced.clear();
    }

    async fn event(&mut self) {
        if self.happened.is_some() || self.is_late {
            return;
        }
        let deadline = async {
            match self.deadline {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(happened) = self.under_way.next() => self.happened = Some(happened),
            () = deadline => self.is_late = true,
        }
    }

    async fn act(&mut self) -> Result<(), Ending> {
        if std::mem::take(&mut self.is_late) {
            if self.under_way.is_empty() {
                return Err(Ending::NoToken);
            }
            // It waits for a room, and not the server for it.
            self.deadline = Some(Instant::now() + self.parts.enter_within);
        }
        match self.happened.take() {
            Some(Happened { address, what: What::Entered { token, outcome } }) => {
                self.enter(address, &token, outcome).await
            }
            Some(Happened { address, what: What::Checked { number, outcome } }) => {
                self.renew(&address, number, outcome)
            }
            None => Ok(()),
        }
    }

    fn keep_alive(&self) -> Bytes {
        // Awareness without entries under an address of nobody: any message resets the client's silence timer, this one
        // changes nothing.
        websocket::frame(Opcode::Binary, &[&[0, 1, 1, 0]])
    }
}

/// So many tokens of documents that the client is in are looked at at once.
const MOST_CHECKS: usize = 16;

/// Whether another attempt may help with nothing changed.
fn may_try_again(ending: &Ending) -> bool {
    !Close::from(ending).is_permanent()
}
