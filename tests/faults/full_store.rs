//! A disk that fills up below a store: appends say so, reads go on, and once there is room the same store goes on too.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use ydock::storage::{Health, Store, StoreError, open};

use crate::backend::Place;
use crate::content::{Script, Sizes};
use crate::examine::{Examine, Examined, read_all};
use crate::isolated;
use crate::ledger::{Documents, Ledger, Word};
use crate::load::{Writer, with_sources};
use crate::small_disk::SmallDisk;
use crate::tally::Tally;
use crate::trial::{self, Trial, Where};

const DOCUMENTS: u64 = 8;

pub(crate) fn run(trial: &Trial<'_>) -> Tally {
    if trial.place == Where::Table {
        return isolated::run(trial);
    }
    trial::block_on(Duration::from_mins(3), async {
        let mut tally = Tally::default();
        for round in 0..trial.plan.pick(1, 5) {
            if let Err(story) = one_round(trial, round, &mut tally).await {
                tally.breaks(round, story);
            }
            tally.rounds += 1;
        }
        tally
    })
}

async fn one_round(trial: &Trial<'_>, round: u64, tally: &mut Tally) -> Result<(), String> {
    let disk = SmallDisk::new(trial)?;
    if round == 0 {
        tally.note(disk.description());
    }
    let place = Place::new(trial.backend.kind, &disk.data());
    let script = Script { seed: trial.plan.seed ^ round, sizes: Sizes::Mixed };
    let documents = Documents { script, count: DOCUMENTS };
    let store = open(&place.config()).map_err(|error| with_sources(&error))?;
    let bench =
        Bench { store: Arc::clone(&store), documents, refusals: AtomicU64::new(0), stop: AtomicBool::new(false) };
    let ledger = Cell::new(Ledger::default());
    let writers = join_all((0..DOCUMENTS).map(|doc| bench.write(doc, &ledger)));
    let (all, told) = tokio::join!(writers, bench.fill_and_free(&disk, &ledger, tally));
    told?;
    all.into_iter().collect::<Result<Vec<()>, _>>()?;
    let ledger = ledger.take();
    tally.acknowledged += ledger.acknowledged();
    read_all(&*store, documents, &ledger).await.count_into(tally, round, "once there was room again");
    store.close().await.map_err(|error| with_sources(&error))?;
    drop(bench);
    drop(store);
    let examine = Examine { place, documents, ledger: ledger.text(), writes: true };
    let examined = Examined::of(examine);
    examined.count_into(tally, round, "opened again");
    examined.words().into_iter().for_each(|words| tally.breaks(round, words));
    Ok(())
}

struct Bench {
    store: Arc<dyn Store>,
    documents: Documents,
    /// How many appends were refused, or readings that go before one: sled is not opened again on a full disk.
    refusals: AtomicU64,
    stop: AtomicBool,
}

impl Bench {
    /// Appends until it is told to stop, and again whatever was refused.
    async fn write(&self, doc: u64, ledger: &Cell<Ledger>) -> Result<(), String> {
        let mut writer = None;
        while !self.stop.load(Ordering::SeqCst) {
            let outcome = match &mut writer {
                Some(writer) => self.append(writer, ledger).await,
                // What a refused append left behind is found out by reading.
                none => {
                    let resumed = Writer::resume(Arc::clone(&self.store), self.documents, doc).await;
                    resumed.map(|resumed| *none = Some(resumed))
                }
            };
            match outcome {
                Ok(()) => {}
                Err(error) if error.is_retryable() => {
                    self.refusals.fetch_add(1, Ordering::SeqCst);
                    writer = None;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error) => return Err(with_sources(&error)),
            }
        }
        Ok(())
    }

    async fn append(&self, writer: &mut Writer, ledger: &Cell<Ledger>) -> Result<(), StoreError> {
        let before = writer.head;
        writer.append().await?;
        hear(ledger, Word::Appended { life: writer.life, head: writer.head, count: writer.head - before });
        Ok(())
    }

    async fn fill_and_free(&self, disk: &SmallDisk, ledger: &Cell<Ledger>, tally: &mut Tally) -> Result<(), String> {
        let outcome = self.fill_and_free_in_time(disk, ledger, tally).await;
        self.stop.store(true, Ordering::SeqCst);
        outcome
    }

    async fn fill_and_free_in_time(
        &self,
        disk: &SmallDisk,
        ledger: &Cell<Ledger>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        self.until("something is acknowledged", || acknowledged(ledger) > 100).await?;
        disk.fail(None)?;
        self.until("appends are refused", || self.refusals.load(Ordering::SeqCst) > 3 * DOCUMENTS).await?;
        match self.store.health() {
            Health::Degraded { reason } if reason.contains("no space") => {}
            other => return Err(format!("while the disk is full, the store calls itself {other:?}")),
        }
        let promised = ledger.take();
        ledger.set(promised.clone());
        let read = read_all(&*self.store, self.documents, &promised).await;
        tally.note(format!("reads while it is full: {}", read.verdict()));
        tally.insist(tally.rounds, read.verdict() != "SILENT", || {
            "a read while the disk is full leaves something out".to_owned()
        });
        let before = acknowledged(ledger);
        disk.repair(None)?;
        self.until("the same store goes on", || acknowledged(ledger) > before + 100).await?;
        if self.store.health() == Health::Ok { Ok(()) } else { Err(format!("then: {:?}", self.store.health())) }
    }

    async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) -> Result<(), String> {
        let waiting = async {
            while !holds() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.or(Err(format!("waited in vain: {what}")))
    }
}

fn acknowledged(ledger: &Cell<Ledger>) -> u64 {
    let heard = ledger.take();
    let acknowledged = heard.acknowledged();
    ledger.set(heard);
    acknowledged
}

fn hear(ledger: &Cell<Ledger>, word: Word) {
    let mut heard = ledger.take();
    heard.hear(word);
    ledger.set(heard);
}
