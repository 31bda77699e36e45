//! The task that sends events: each until it is taken, or has been tried for too long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::config::Config;
use super::event::Event;
use super::queue::{Change, Kept, Queue, Shelf};
use crate::outbound::{self, Outbound, Target};
use crate::shutdown::Tasks;
use crate::telemetry::{ErrorChain, Metrics};

/// What the task is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Something has happened.
    Send(Event),
    /// What lies aside is to be tried again: one event, or all.
    Retry(Option<u64>),
    /// What lies aside is forgotten.
    Forget(Option<u64>),
}

/// The task.
pub(super) struct Courier {
    pub(super) queue: Queue,
    pub(super) outbound: Outbound,
    pub(super) target: Target,
    pub(super) secret: Option<Arc<[u8]>>,
    pub(super) config: Config,
    pub(super) tasks: Tasks,
    pub(super) metrics: Arc<Metrics>,
    pub(super) state: State,
}

/// What is on the shelves, as the file has it.
#[derive(Debug, Default)]
pub(super) struct State {
    waiting: BTreeMap<u64, Waiting>,
    aside: BTreeMap<u64, Kept>,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    kept: Kept,
    due: Instant,
    is_under_way: bool,
}

/// The end of an attempt.
struct Tried {
    number: u64,
    outcome: Result<(), Failure>,
}

/// Why an event was not taken.
struct Failure {
    why: String,
    /// It is not to be tried again.
    is_final: bool,
}

impl State {
    pub(super) fn read(queue: &Queue) -> Result<Self, super::QueueError> {
        let (waiting, aside) = (queue.read(Shelf::Waiting)?, queue.read(Shelf::Aside)?);
        let last = queue.last()?;
        let now = Instant::now();
        let due_now = |(number, kept)| (number, Waiting { kept, due: now, is_under_way: false });
        Ok(Self { waiting: waiting.into_iter().map(due_now).collect(), aside, next: last + 1 })
    }
}

impl Courier {
    /// Sends what comes, until the server stops; what is not sent by then waits for the next start.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut attempts: FuturesUnordered<BoxFuture<'static, Tried>> = FuturesUnordered::new();
        let mut batch = Vec::new();
        loop {
            self.begin(&mut attempts);
            let next_due =
                self.state.waiting.values().filter(|waiting| !waiting.is_under_way).map(|waiting| waiting.due).min();
            let has_room = attempts.len() < AT_ONCE;
            let due = async {
                match next_due {
                    Some(at) if has_room => sleep_until(at).await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.tasks.stopped() => break,
                count = orders.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    self.obey(batch.drain(..)).await;
                }
                Some(tried) = attempts.next(), if !attempts.is_empty() => self.note(tried).await,
                () = due => {}
            }
        }
        drop(attempts);
        // Rooms close now, and say what they have saved: until nobody else is there.
        loop {
            match timeout(LOOK_EVERY, orders.recv()).await {
                Ok(Some(order)) => self.obey([order]).await,
                Err(_) if self.tasks.len() > 1 => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Begins to send what is due.
    fn begin(&mut self, attempts: &mut FuturesUnordered<BoxFuture<'static, Tried>>) {
        let now = Instant::now();
        let due = self.state.waiting.iter_mut().filter(|(_, waiting)| !waiting.is_under_way && waiting.due <= now);
        for (number, waiting) in due.take(AT_ONCE.saturating_sub(attempts.len())) {
            waiting.is_under_way = true;
            let body = Bytes::from(waiting.kept.body.clone());
            let mut headers = vec![("x-ydock-event", waiting.kept.event.clone())];
            let signature = self.secret.as_ref().map(|secret| outbound::signature(secret, &body));
            headers.extend(signature.map(|signature| (outbound::SIGNATURE, signature)));
            let (outbound, target, number) = (self.outbound.clone(), self.target.clone(), *number);
            let bounds = (self.config.timeout, LONGEST_ANSWER);
            attempts.push(Box::pin(async move {
                let outcome = match outbound.post_json(&target, &headers, body, bounds).await {
                    Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
                    Ok(answer) => {
                        let why = format!("it was answered with status {}", answer.status);
                        Err(Failure { why, is_final: answer.status == GONE })
                    }
                    Err(error) => Err(Failure { why: ErrorChain(&error).to_string(), is_final: false }),
                };
                Tried { number, outcome }
            }));
        }
    }

    async fn obey(&mut self, orders: impl IntoIterator<Item = Order>) {
        let mut changes = Vec::new();
        for order in orders {
            match order {
                Order::Send(event) => changes.push(self.place(&event)),
                Order::Retry(number) => {
                    for (number, kept) in self.take_aside(number) {
                        let kept = Kept { attempts: 0, since: SystemTime::now(), ..kept };
                        changes.push(self.wait(number, kept));
                    }
                }
                Order::Forget(number) => {
                    changes.extend(self.take_aside(number).into_keys().map(|number| Change { number, to: None }));
                }
            }
        }
        changes.extend(self.forget_oldest());
        self.keep(changes).await;
    }

    /// A new event waits, or is put aside when too many do.
    fn place(&mut self, event: &Event) -> Change {
        let number = self.state.next;
        self.state.next += 1;
        let (body, name) = (event.body(number), event.name.as_str().to_owned());
        let kept = Kept { body, event: name, attempts: 0, since: SystemTime::now(), error: None };
        if self.state.waiting.len() < self.config.max_waiting {
            return self.wait(number, kept);
        }
        self.put_aside(number, Kept { error: Some("too many events waited".to_owned()), ..kept })
    }

    fn wait(&mut self, number: u64, kept: Kept) -> Change {
        let waiting = Waiting { kept: kept.clone(), due: Instant::now(), is_under_way: false };
        self.state.waiting.insert(number, waiting);
        Change { number, to: Some((Shelf::Waiting, kept)) }
    }

    fn put_aside(&mut self, number: u64, kept: Kept) -> Change {
        tracing::warn!(number, event = kept.event, error = kept.error, "an event of a webhook is put aside");
        self.state.aside.insert(number, kept.clone());
        Change { number, to: Some((Shelf::Aside, kept)) }
    }

    fn take_aside(&mut self, number: Option<u64>) -> BTreeMap<u64, Kept> {
        match number {
            Some(number) => self.state.aside.remove(&number).map(|kept| (number, kept)).into_iter().collect(),
            None => std::mem::take(&mut self.state.aside),
        }
    }

    fn forget_oldest(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        while self.state.aside.len() > self.config.max_waiting {
            if let Some((number, _)) = self.state.aside.pop_first() {
                changes.push(Change { number, to: None });
            }
        }
        changes
    }

    /// Notes what has come of an attempt.
    async fn note(&mut self, Tried { number, outcome }: Tried) {
        let Some(Waiting { mut kept, .. }) = self.state.waiting.remove(&number) else { return };
        let change = match outcome {
            Ok(()) => {
                self.metrics.webhooks_sent.increment(1);
                Change { number, to: None }
            }
            Err(Failure { why, is_final }) => {
                self.metrics.webhooks_failed.increment(1);
                kept.attempts += 1;
                kept.error = Some(why);
                let age = kept.since.elapsed().unwrap_or_default();
                if is_final || age >= self.config.give_up_after {
                    self.put_aside(number, kept)
                } else {
                    let due = Instant::now() + pause(kept.attempts, number);
                    self.state.waiting.insert(number, Waiting { kept: kept.clone(), due, is_under_way: false });
                    Change { number, to: Some((Shelf::Waiting, kept)) }
                }
            }
        };
        self.keep(vec![change]).await;
    }

    /// Writes changes down. What cannot be written is sent all the same, as long as this process lives.
    async fn keep(&self, changes: Vec<Change>) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        {
            self.metrics.webhooks_waiting.set(self.state.waiting.len() as f64);
            self.metrics.webhooks_aside.set(self.state.aside.len() as f64);
        }
        let queue = self.queue.clone();
        let written = self.tasks.run_blocking(move || queue.write(&changes)).await;
        if let Some(Err(error)) = written {
            tracing::error!(error = %ErrorChain(&error), "events of webhooks cannot be kept: a restart would forget them");
        }
    }
}

/// How long to wait after so many failures: 1 s, doubled each time, 5 minutes at most, and not the same for all.
fn pause(attempts: u32, number: u64) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    // Spread over a fifth, by a number that has nothing to do with time.
    let share = u32::try_from(number.wrapping_mul(0x9e37_79b9) % 100).unwrap_or(0);
    whole.saturating_sub(whole * share / 500)
}

const AT_ONCE: usize = 8;
const BATCH: usize = 256;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How often it is looked, while the server stops, whether anybody is left who may say something.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LONGEST_ANSWER: usize = 64 * 1024;
/// The receiver is there no more, RFC 9110, section 15.5.11.
const GONE: u16 = 410;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_differ() {
        let seconds = |attempts| pause(attempts, 0).as_secs();
        assert_eq!([1, 2, 3, 9, 10, 1000].map(seconds), [1, 2, 4, 256, 300, 300]);
        let different: std::collections::HashSet<_> = (0..20).map(|number| pause(5, number)).collect();
        assert!(different.len() > 10);
        assert!(different.iter().all(|pause| pause.as_millis() >= 12_800 && pause.as_millis() <= 16_000));
    }
}
