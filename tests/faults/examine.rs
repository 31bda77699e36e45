//! Opens a store after a fault, in a process of its own, and compares everything in it with what was promised.

use std::collections::{BTreeMap, BTreeSet};
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use ydock::Generation;
use ydock::storage::{Store, StoreError, StoreKind, StoredDocument, open};

use crate::backend::Place;
use crate::child::{self, Outcome, Role};
use crate::content::{Life, following, name};
use crate::ledger::{Documents, Ledger, Promised, Word};
use crate::load::{say, with_sources};
use crate::tally::Tally;

/// What to open and what must be in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Examine {
    pub(crate) place: Place,
    pub(crate) documents: Documents,
    pub(crate) ledger: String,
    /// Whether to append to every document then, and to read everything again, and once more after another opening.
    pub(crate) writes: bool,
}

/// What was found in a store.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// Where the store lies.
    data: String,
    /// The error with which the store, or a part of it that is no document, refused to be read.
    refusal: Option<String>,
    documents: BTreeMap<u64, Verdict>,
    /// Documents that are stored but not listed, or the other way round.
    listing: Vec<String>,
    /// What a write has made of documents that could be read before.
    spoiled: Vec<String>,
    /// Panics that the store caught and made errors of.
    caught: Vec<String>,
}

/// What was found of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Verdict {
    Intact,
    /// A typed error said that it cannot be read.
    Refused(String),
    /// No error, and not what was promised.
    Wrong {
        lost: u64,
        torn: u64,
        what: String,
    },
}

/// What came of an examination.
#[derive(Debug)]
pub(crate) enum Examined {
    Found(Findings),
    Died(String),
    Hung,
}

/// What panics said.
static CAUGHT: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Examine {
    pub(crate) fn run(self) -> ExitCode {
        // A decoder that believes a damaged length would take everything that the machine has.
        let most = Some(MEMORY);
        setrlimit(Resource::As, Rlimit { current: most, maximum: most }).unwrap();
        panic::set_hook(Box::new(|what| {
            let stage = *STAGE.lock().unwrap();
            CAUGHT.lock().unwrap().push(format!("{stage}: {}", of_a_crate(&what.to_string().replace('\n', " "))));
        }));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| runtime.block_on(self.findings())));
        let caught = CAUGHT.lock().unwrap().clone();
        let Ok(mut findings) = outcome else {
            say(&format!("panicked: {}\n", caught.join(" / ")));
            return ExitCode::FAILURE;
        };
        findings.caught = caught;
        say(&serde_json::to_string(&findings).unwrap());
        say("\n");
        ExitCode::SUCCESS
    }

    async fn findings(&self) -> Findings {
        let mut ledger = Ledger::read(&self.ledger);
        enter("opening");
        let mut findings = Findings { data: self.place.data.display().to_string(), ..Findings::default() };
        let store = match open(&self.place.config()) {
            Ok(store) => store,
            Err(error) => return Findings { refusal: Some(with_sources(&error)), ..findings },
        };
        enter("reading");
        findings.documents = self.read(&*store, &ledger).await;
        enter("listing");
        self.check_listing(&*store, &mut findings).await;
        if self.writes {
            let before = findings.documents.clone();
            enter("writing");
            self.append_everywhere(&store, &mut ledger, &mut findings).await;
            findings.compare(&before, &self.read(&*store, &ledger).await, "after a write");
            enter("closing");
            let closed = store.close().await;
            drop(store);
            enter("opening again");
            match closed.and_then(|()| open(&self.place.config())) {
                Ok(store) => {
                    findings.compare(&before, &self.read(&*store, &ledger).await, "after a write and a restart");
                    let _damage_was_seen_before = store.close().await.is_err();
                }
                Err(error) => {
                    findings.spoiled.push(format!("after a write and a restart: {}", with_sources(&error)));
                }
            }
        }
        findings
    }

    async fn read(&self, store: &dyn Store, ledger: &Ledger) -> BTreeMap<u64, Verdict> {
        let mut verdicts = BTreeMap::new();
        for doc in 0..self.documents.count {
            let verdict = match store.load(&name(doc)).await {
                Ok(stored) => self.judge(doc, ledger.of(doc), &stored),
                Err(error) => Verdict::Refused(with_sources(&error)),
            };
            verdicts.insert(doc, verdict);
        }
        verdicts
    }

    /// Compares a document with what was promised and, beyond that, with the script.
    fn judge(&self, doc: u64, promised: Promised, stored: &StoredDocument) -> Verdict {
        let script = self.documents.script;
        let life = Life { doc, generation: stored.generation.0 };
        let wrong = |lost, torn, what: String| Verdict::Wrong { lost, torn, what };
        let expected = match stored.generation.0.checked_sub(promised.generation) {
            Some(0) => promised,
            Some(1) if promised.may_be_deleted => {
                Promised { generation: life.generation, head: 0, upto: 0, ..promised }
            }
            _ => {
                let what = format!("generation {} instead of {}", stored.generation.0, promised.generation);
                return wrong(promised.head, 0, what);
            }
        };
        let previous = life.generation.checked_sub(1).filter(|previous| *previous > 0);
        let ancestors = previous.map(|generation| script.ancestors(Life { doc, generation })).unwrap_or_default();
        if stored.ancestors != ancestors {
            return wrong(0, 0, "other ancestors".to_owned());
        }
        if stored.head < expected.head {
            let what = format!("ends at {} instead of {}", stored.head, expected.head);
            return wrong(expected.head - stored.head, 0, what);
        }
        if stored.snapshot_upto < expected.upto {
            let what = format!("its snapshot reaches to {} instead of {}", stored.snapshot_upto, expected.upto);
            return wrong(0, 0, what);
        }
        let snapshot = (stored.snapshot_upto > 0).then(|| script.snapshot(life, stored.snapshot_upto));
        if stored.bytes.snapshot != snapshot {
            return wrong(stored.snapshot_upto, 0, format!("another snapshot at {}", stored.snapshot_upto));
        }
        if stored.snapshot_upto + stored.bytes.tail.len() as u64 != stored.head {
            return wrong(0, 1, format!("{} updates for {}", stored.bytes.tail.len(), stored.head));
        }
        let mut tail = following(stored.snapshot_upto, stored.head).zip(&stored.bytes.tail);
        if let Some((seq, _)) = tail.find(|(seq, update)| script.update(life, *seq) != **update) {
            return wrong(1, 0, format!("another update {seq}"));
        }
        if !script.is_end_of_batch(life, stored.head) {
            return wrong(0, 1, format!("ends within a batch, at {}", stored.head));
        }
        Verdict::Intact
    }

    /// What can be read must be listed, and what is listed must be one of ours.
    async fn check_listing(&self, store: &dyn Store, findings: &mut Findings) {
        let mut listed = BTreeSet::new();
        match store.names(None, usize::MAX).await {
            Ok(names) => listed.extend(names.into_iter().map(|entry| entry.name().clone())),
            Err(error) => {
                findings.refusal = Some(format!("the list of names: {}", with_sources(&error)));
                return;
            }
        }
        for (doc, verdict) in &findings.documents {
            let is_listed = listed.remove(&name(*doc));
            let is_stored = match store.stat(&name(*doc)).await {
                Ok(info) => info.is_some_and(|info| info.head > 0),
                Err(_) => continue,
            };
            if *verdict == Verdict::Intact && is_stored && !is_listed {
                findings.listing.push(format!("{} is stored and not listed", name(*doc)));
            }
        }
    }

    /// Appends a batch to every document, whatever state it is in.
    async fn append_everywhere(&self, store: &Arc<dyn Store>, ledger: &mut Ledger, findings: &mut Findings) {
        let script = self.documents.script;
        for doc in 0..self.documents.count {
            let (generation, head) = match store.load(&name(doc)).await {
                Ok(stored) => (stored.generation.0, stored.head),
                Err(_) => (ledger.of(doc).generation, ledger.of(doc).head),
            };
            let life = Life { doc, generation };
            let count = script.batch(life, head + 1);
            let updates = following(head, head + count).map(|seq| script.update(life, seq)).collect();
            match store.append(&name(doc), Generation(generation), updates).await {
                Ok(head) => ledger.hear(Word::Appended { life, head, count }),
                Err(StoreError::Corrupt { .. }) => {}
                Err(error) => {
                    let what = format!("an append to {} fails: {}", name(doc), with_sources(&error));
                    findings.refusal.get_or_insert(what);
                }
            }
        }
    }
}

/// Compares everything in an open store with what was promised.
pub(crate) async fn read_all(store: &dyn Store, documents: Documents, ledger: &Ledger) -> Examined {
    let place = Place::new(StoreKind::Memory, Path::new(""));
    let examine = Examine { place, documents, ledger: String::new(), writes: false };
    Examined::Found(Findings { documents: examine.read(store, ledger).await, ..Findings::default() })
}

impl Findings {
    fn compare(&mut self, before: &BTreeMap<u64, Verdict>, after: &BTreeMap<u64, Verdict>, when: &str) {
        for (doc, verdict) in before {
            let now = &after[doc];
            let is_worse = match verdict {
                Verdict::Intact => *now != Verdict::Intact,
                Verdict::Refused(_) => matches!(now, Verdict::Wrong { .. }),
                Verdict::Wrong { .. } => false,
            };
            if is_worse {
                self.spoiled.push(format!("{when}: {}: {now:?}", name(*doc)));
            }
        }
    }
}

impl Examined {
    /// Has another process open the place and compare it with the promises.
    pub(crate) fn of(examine: Examine) -> Self {
        let ended = child::run(&mut Role::Examine(examine).command(), LIMIT, None);
        if ended.outcome == Outcome::OutOfTime {
            return Self::Hung;
        }
        match ended.output.lines().last().and_then(|line| serde_json::from_str(line).ok()) {
            Some(findings) if ended.is_success() => Self::Found(findings),
            _ => Self::Died(format!("{} {}", ended.output.trim(), ended.story())),
        }
    }

    /// Adds the outcome of a round to the numbers, and says where it broke a promise.
    pub(crate) fn count_into(&self, tally: &mut Tally, round: u64, case: &str) {
        let findings = match self {
            Self::Hung => {
                tally.hangs += 1;
                return tally.breaks(round, format!("HANG: {case}"));
            }
            Self::Died(story) => {
                tally.panics += 1;
                return tally.breaks(round, format!("PANIC: {case}: {story}"));
            }
            Self::Found(findings) => findings,
        };
        let mut is_refused = findings.refusal.is_some();
        let mut silent: Vec<String> = findings.listing.clone();
        for (doc, verdict) in &findings.documents {
            match verdict {
                Verdict::Intact => {}
                Verdict::Refused(_) => is_refused = true,
                Verdict::Wrong { lost, torn, what } => {
                    tally.lost += lost;
                    tally.torn += torn;
                    silent.push(format!("{} {what}", name(*doc)));
                }
            }
        }
        tally.refused += u64::from(is_refused);
        tally.silent += u64::from(!silent.is_empty());
        if !silent.is_empty() {
            tally.breaks(round, format!("SILENT: {case}: {}", silent.join("; ")));
        }
        if !findings.spoiled.is_empty() {
            tally.breaks(round, format!("SPOILED: {case}: {}", findings.spoiled.join("; ")));
        }
    }

    /// In one word.
    pub(crate) fn verdict(&self) -> &'static str {
        let findings = match self {
            Self::Hung => return "HANG",
            Self::Died(_) => return "PANIC",
            Self::Found(findings) => findings,
        };
        let is = |matches: fn(&Verdict) -> bool| findings.documents.values().any(matches);
        if !findings.listing.is_empty() || is(|verdict| matches!(verdict, Verdict::Wrong { .. })) {
            return "SILENT";
        }
        if !findings.spoiled.is_empty() {
            return "SPOILED";
        }
        match &findings.refusal {
            Some(_) if findings.documents.is_empty() => "refused at opening",
            Some(_) => "refused in part",
            None if is(|verdict| matches!(verdict, Verdict::Refused(_))) => "refused by document",
            None => "intact",
        }
    }

    /// The errors and caught panics, for people.
    pub(crate) fn words(&self) -> Vec<String> {
        let Self::Found(findings) = self else { return Vec::new() };
        let refused = findings.documents.iter().filter_map(|(doc, verdict)| match verdict {
            Verdict::Refused(what) => Some(format!("{}: {what}", name(*doc))),
            _ => None,
        });
        let caught = findings.caught.iter().map(|what| format!("caught: {what}"));
        let all = findings.refusal.iter().cloned().chain(refused).chain(caught);
        match findings.data.as_str() {
            "" => all.collect(),
            data => all.map(|words| words.replace(data, "DATA")).collect(),
        }
    }
}

/// Remembers what the process is about to do, for the case that it panics.
fn enter(stage: &'static str) {
    *STAGE.lock().unwrap() = stage;
}

static STAGE: Mutex<&str> = Mutex::new("starting");

/// A panic's text without the place where this machine keeps the sources of crates.
fn of_a_crate(what: &str) -> String {
    match what.split_once("/registry/src/").and_then(|(before, after)| Some((before, after.split_once('/')?.1))) {
        Some((before, after)) => format!("{} {after}", before.rsplit_once(' ').map_or("", |(words, _)| words)),
        None => what.to_owned(),
    }
}

/// Longer than any opening and reading takes here.
const LIMIT: Duration = Duration::from_secs(40);
/// The address space of an examining process.
const MEMORY: u64 = 3 << 30;
