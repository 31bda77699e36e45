//! The seat of a direct document: it keeps the room open, shows presence, and is taken again should the room fail.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::errors::JoinError;
use super::membership::{Membership, RoomEnded, Seat};
use super::registry::Rooms;
use crate::delivery::{self, Batch, Dialect, Ending, Message, Outbox};
use crate::ids::{ClientId, DocName};
use crate::lib0::{write_text, write_var_uint};

/// The task that holds the seat.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) rooms: Rooms,
    pub(super) name: DocName,
    pub(super) client: ClientId,
    /// The state that is to be shown; the newest counts.
    pub(super) wishes: watch::Receiver<Option<Box<str>>>,
    /// The document was closed.
    pub(super) left: CancellationToken,
    /// Cancelled when the document is deleted.
    pub(super) deleted: CancellationToken,
}

/// A seat that is taken.
#[derive(Debug)]
pub(super) struct Stay {
    outbox: Arc<Outbox>,
    membership: Membership,
}

/// The dialect of who listens to nothing but the end.
#[derive(Debug)]
struct Silent;

impl Stay {
    pub(super) async fn begin(rooms: &Rooms, name: &DocName) -> Result<Self, JoinError> {
        let outbox = Outbox::new(&delivery::Config::default());
        let seat = || Seat {
            outbox: Arc::clone(&outbox),
            dialect: Arc::new(Silent),
            wants_acks: false,
            wants_typing: false,
            parted: None,
        };
        let membership = rooms.join(name, seat).await?;
        Ok(Self { outbox, membership })
    }

    /// Why the room has ended.
    async fn end(&self) -> Ending {
        let mut nothing = Vec::new();
        loop {
            if let Batch::End(ending) = self.outbox.next(&mut nothing, usize::MAX).await {
                return ending;
            }
        }
    }
}

impl Keeper {
    /// Runs until the document is closed or deleted, or the server stops.
    pub(super) async fn run(mut self, first: Stay) {
        let (left, tasks) = (self.left.clone(), self.rooms.tasks().clone());
        tokio::select! {
            biased;
            () = left.cancelled() => {}
            () = tasks.stopped() => {}
            () = self.stay(first) => self.deleted.cancel(),
        }
    }

    /// Is in the room, again after interruptions, until the document is deleted.
    async fn stay(&mut self, mut stay: Stay) {
        let mut clock = 0;
        loop {
            let ending = tokio::select! {
                biased;
                ending = stay.end() => ending,
                RoomEnded = self.show(&stay, &mut clock) => stay.end().await,
            };
            if ending == Ending::Deleted {
                return;
            }
            tracing::warn!(doc = %self.name, error = %ending, "a direct document has lost its room, opening it again");
            drop(stay);
            stay = self.again().await;
        }
    }

    async fn again(&self) -> Stay {
        let mut pause = FIRST_PAUSE;
        loop {
            sleep(pause).await;
            match Stay::begin(&self.rooms, &self.name).await {
                Ok(stay) => return stay,
                Err(error) => tracing::debug!(doc = %self.name, error = %error, "a direct document has no room yet"),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Shows what is wished, and renews it, until the room has ended.
    async fn show(&mut self, stay: &Stay, clock: &mut u32) -> RoomEnded {
        let shown = async {
            let mut is_shown = false;
            loop {
                let state = self.wishes.borrow_and_update().clone();
                if state.is_some() || is_shown {
                    *clock += 1;
                    stay.membership.awareness(&entry(self.client, *clock, state.as_deref())).await?;
                    is_shown = state.is_some();
                }
                let renew_at = Instant::now() + self.rooms.presence_expiry() / 2;
                tokio::select! {
                    changed = self.wishes.changed() => {
                        if changed.is_err() {
                            // The document is closed: this task is about to be told.
                            std::future::pending::<()>().await;
                        }
                    }
                    () = sleep_until(renew_at), if is_shown => {}
                }
            }
        };
        let Err(ended): Result<Infallible, _> = shown.await;
        ended
    }
}

impl Dialect for Silent {
    fn encode(&self, _: &Message<'_>) -> Option<Bytes> {
        None
    }

    fn key(&self) -> &'static str {
        "silent"
    }
}

/// A presence state as an awareness update.
fn entry(client: ClientId, clock: u32, state: Option<&str>) -> Vec<u8> {
    let mut update = vec![1];
    write_var_uint(&mut update, client.value());
    write_var_uint(&mut update, u64::from(clock));
    write_text(&mut update, state.unwrap_or("null"));
    update
}

/// A room that was lost is opened again after this pause, which doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
