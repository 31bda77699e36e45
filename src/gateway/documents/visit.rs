//! One client in one document: the task that is its member of the room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::dialect::DocumentsDialect;
use super::ears::{Ears, tell};
use super::tie::Documents;
use crate::access::Role;
use crate::auth::Refusal;
use crate::connection::{Close, Entrance, Session, Visitor};
use crate::delivery::{Batch, Ending, Outbox};
use crate::doc_rooms::{RoomEnded, Seat};
use crate::gateway::client::Client;
use crate::hooks::Front;
use crate::ids::{ClientId, DocName};
use crate::lib0::{write_text, write_var_uint};
use crate::sync::SyncMessage;

/// A client's hold on its task in one document; dropping it ends the task.
#[derive(Debug)]
pub(super) struct Visit {
    number: u64,
    wishes: watch::Sender<Wishes>,
    may_type: Arc<AtomicBool>,
    _end: DropGuard,
}

/// What the others are to see; the newest counts.
#[derive(Debug, Clone)]
pub(super) struct Wishes {
    who: Who,
    typing: bool,
    place: Box<str>,
    /// How often typing was said, so that it can be refreshed.
    said: u64,
    /// How often the client has brought a newer token.
    renewed: u64,
}

/// Whom the others are to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) name: Arc<str>,
    /// The Yjs client id of the same person's editor.
    pub(super) beside: Option<ClientId>,
}

/// The task of one client in one document.
#[derive(Debug)]
pub(super) struct Stay {
    documents: Documents,
    doc: DocName,
    ended: Ended,
    wishes: watch::Receiver<Wishes>,
    may_type: Arc<AtomicBool>,
    left: CancellationToken,
}

/// Which visit has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) topic: Arc<str>,
    number: u64,
}

impl Wishes {
    pub(super) fn of(who: Who) -> Self {
        Self { who, typing: false, place: "".into(), said: 0, renewed: 0 }
    }
}

impl Visit {
    pub(super) fn new(documents: Documents, doc: DocName, topic: Arc<str>, wishes: Wishes) -> (Self, Stay) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (sender, wishes) = watch::channel(wishes);
        let left = CancellationToken::new();
        let may_type = Arc::new(AtomicBool::new(true));
        let visit = Self { number, wishes: sender, may_type: Arc::clone(&may_type), _end: left.clone().drop_guard() };
        (visit, Stay { documents, doc, ended: Ended { topic, number }, wishes, may_type, left })
    }

    pub(super) fn is(&self, ended: &Ended) -> bool {
        self.number == ended.number
    }

    pub(super) fn show(&self, who: &Who) {
        self.wishes.send_modify(|wishes| wishes.who = who.clone());
    }

    pub(super) fn renew(&self) {
        self.wishes.send_modify(|wishes| wishes.renewed += 1);
    }

    /// Whether the others would see it typing, as far as that is known by now.
    pub(super) fn may_type(&self) -> bool {
        self.may_type.load(Ordering::Relaxed)
    }

    pub(super) fn typing(&self, typing: bool, place: &str) {
        self.wishes.send_modify(|wishes| {
            wishes.typing = typing;
            wishes.place = place.into();
            wishes.said += 1;
        });
    }
}

impl Stay {
    /// Runs until the visit is dropped, the document is deleted, or its room cannot be reached any more.
    pub(super) async fn run(mut self, client: Client) {
        let left = self.left.clone();
        tokio::select! {
            biased;
            () = left.cancelled() => {}
            last = self.stay(&client) => {
                // First out of the topic, so that a client that joins again because of the event is in it.
                client.visits().ended(&client, &self.ended);
                if let Some(Last { event, value }) = last {
                    tell(&client, event, &value).await;
                }
            }
        }
    }

    /// Is in the room, again after interruptions; gives what the client is told at the end.
    async fn stay(&mut self, client: &Client) -> Option<Last> {
        let room = Arc::clone(&self.ended.topic);
        let mut failures = 0;
        loop {
            let began = Instant::now();
            let ending = self.once(client).await;
            if began.elapsed() >= LONG {
                failures = 0;
            }
            if ending == Ending::Deleted {
                return Some(Last { event: "deleted", value: json!({ "room": room }) });
            }
            if self.documents.tasks.is_stopping() {
                return None;
            }
            let retrying = failures < RETRIES && !Close::from(&ending).is_permanent();
            let value = json!({ "room": room, "reason": ending.to_string(), "retrying": retrying });
            if !retrying {
                return Some(Last { event: "unavailable", value });
            }
            if failures == 0 {
                tell(client, "unavailable", &value).await;
            }
            sleep(FIRST_PAUSE * 2_u32.pow(failures)).await;
            failures += 1;
        }
    }

    async fn once(&mut self, client: &Client) -> Ending {
        let parts = &self.documents.parts;
        let outbox = Outbox::new(&parts.delivery);
        let dialect = Arc::new(DocumentsDialect);
        let pass = match client.may_enter(&self.doc).await {
            Ok((pass, _)) => pass,
            Err(refusal) => return refusal.into(),
        };
        let remote = client.handshake().address;
        let visitor = Visitor { pass, at_most: Role::Admin, doc: None, front: Front::Gateway, remote };
        let doorman = client.gateways().doorman();
        let entrance = Entrance { access: &doorman.access, sessions: &doorman.sessions, rooms: &parts.rooms };
        let let_in = entrance.let_in((&self.doc, visitor), client.id(), &outbox, dialect.clone()).await;
        let (permission, admission) = match let_in {
            Ok(let_in) => let_in,
            Err(ending) => return ending,
        };
        let seat = || Seat {
            outbox: Arc::clone(&outbox),
            dialect: dialect.clone(),
            wants_acks: false,
            wants_typing: true,
            parted: None,
        };
        match parts.rooms.join(&self.doc, seat).await {
            Ok(membership) => {
                let session = Session::new(membership, permission, admission);
                let renew_after = parts.expiry / 2;
                let ears = Ears::new(client, &self.ended.topic, &self.may_type);
                tokio::select! {
                    ending = ears.hear(&outbox) => ending,
                    stopped = speak(session, (client, &self.doc), &mut self.wishes, renew_after) => match stopped {
                        // The outbox says why the room has ended.
                        Stopped::RoomEnded => said(&outbox).await,
                        Stopped::Refused(refusal) => refusal.into(),
                    },
                }
            }
            Err(error) => error.ending(),
        }
    }
}

/// Tells a client that it is not in a document.
pub(super) fn refuse(client: &Client, topic: &str, reason: &str) {
    client.leave(topic);
    let value = json!({ "room": topic, "reason": reason, "retrying": false });
    let _client_has_gone = client.emit("unavailable", &value).is_err();
}

/// What a client is told when its visit has ended by itself.
struct Last {
    event: &'static str,
    value: serde_json::Value,
}

/// Why a client is shown no longer.
enum Stopped {
    RoomEnded,
    /// Its newer token is not for this document.
    Refused(Refusal),
}

impl From<RoomEnded> for Stopped {
    fn from(RoomEnded: RoomEnded) -> Self {
        Self::RoomEnded
    }
}

/// Shows the others what the client wishes, until the room has ended.
async fn speak(
    mut session: Session,
    (client, doc): (&Client, &DocName),
    wishes: &mut watch::Receiver<Wishes>,
    renew_after: Duration,
) -> Stopped {
    let spoken = async {
        // Its answer comes after everybody who is there.
        session.sync(SyncMessage::Step1(EMPTY_STATE_VECTOR)).await?;
        let id = ClientId::random();
        let mut clock = 0;
        let mut shown = None;
        let mut said = 0;
        let mut renewed = wishes.borrow().renewed;
        let mut renew_at = Instant::now();
        loop {
            let newest = wishes.borrow_and_update().clone();
            if shown.as_ref() != Some(&newest.who) || renew_at <= Instant::now() {
                clock += 1;
                session.awareness(&entry(id, clock, &newest.who)).await?;
                renew_at = Instant::now() + renew_after;
                shown = Some(newest.who);
            }
            if renewed != newest.renewed {
                renewed = newest.renewed;
                let (pass, _) = client.may_enter(doc).await.map_err(Stopped::Refused)?;
                session.renew(&client.gateways().doorman().access, &pass);
            }
            if said != newest.said {
                session.typing(newest.typing, &newest.place).await?;
                said = newest.said;
            }
            tokio::select! {
                changed = wishes.changed() => {
                    if changed.is_err() {
                        // The visit is dropped: this task is about to be told.
                        std::future::pending::<()>().await;
                    }
                }
                () = sleep_until(renew_at) => {}
            }
        }
    };
    let Err(stopped): Result<std::convert::Infallible, Stopped> = spoken.await;
    stopped
}

/// Why a room has ended that takes nothing any more.
async fn said(outbox: &Outbox) -> Ending {
    let mut unheard = Vec::new();
    let said = async {
        loop {
            if let Batch::End(ending) = outbox.next(&mut unheard, usize::MAX).await {
                return ending;
            }
        }
    };
    tokio::time::timeout(SAID_WITHIN, said).await.unwrap_or(Ending::RoomFailed)
}

/// A presence state of one client, as an awareness update.
fn entry(id: ClientId, clock: u64, Who { name, beside }: &Who) -> Vec<u8> {
    let state = match beside {
        Some(beside) => json!({ "user": { "name": &**name }, "beside": beside.value() }),
        None => json!({ "user": { "name": &**name } }),
    };
    let mut update = vec![1];
    write_var_uint(&mut update, id.value());
    write_var_uint(&mut update, clock);
    write_text(&mut update, &state.to_string());
    update
}

const EMPTY_STATE_VECTOR: &[u8] = &[0];
/// A room that failed is joined again so many times, …
const RETRIES: u32 = 5;
/// … the first time after this pause, which doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// After a stay of this length, failures are counted anew.
const LONG: Duration = Duration::from_mins(1);
/// A room that has ended has said why by then, if it does.
const SAID_WITHIN: Duration = Duration::from_secs(5);
