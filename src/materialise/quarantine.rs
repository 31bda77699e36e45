//! What is known about documents that harmed workers: which updates to leave out, and which exports not to try again yet.
//!
//! Pure and bounded: the documents that were looked up longest ago are forgotten first, and are then found out anew.

use std::time::Duration;

use tokio::time::Instant;

use super::export::{DocumentKey, MaterialiseError, Refusal, Source};

/// Records of harmful documents.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    /// Least recently used first.
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    key: DocumentKey,
    updates: Vec<Fingerprint>,
    failure: Option<Failure>,
}

/// Identifies an update among those of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    crc: u32,
    length: usize,
}

/// A failed export, which would fail again.
#[derive(Debug)]
struct Failure {
    snapshot_upto: u64,
    head: u64,
    verdict: Verdict,
    until: Instant,
}

/// How an export failed, in a form that can be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Timeout,
    Crashed,
    Refused(Refusal),
}

impl Fingerprint {
    /// Of an update's bytes.
    pub(super) fn of(update: &[u8]) -> Self {
        Self { crc: crc32c::crc32c(update), length: update.len() }
    }
}

impl From<Verdict> for MaterialiseError {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Timeout => Self::Timeout,
            Verdict::Crashed => Self::Crashed,
            Verdict::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl Quarantine {
    /// The updates of a document that are to be left out.
    pub(super) fn of(&mut self, key: &DocumentKey) -> Vec<Fingerprint> {
        self.touch(key).map(|record| record.updates.clone()).unwrap_or_default()
    }

    /// Remembers an update; `false` when it was known, or when the document has too many to remember another.
    pub(super) fn add(&mut self, key: &DocumentKey, update: Fingerprint) -> bool {
        let record = self.record(key);
        if record.updates.contains(&update) || record.updates.len() >= UPDATES_PER_DOCUMENT {
            return false;
        }
        record.updates.push(update);
        true
    }

    /// The verdict on this version of the document, if it was reached lately.
    pub(super) fn verdict(&mut self, source: &Source, now: Instant) -> Option<Verdict> {
        let failure = self.touch(&source.key)?.failure.as_ref()?;
        let same = failure.snapshot_upto == source.snapshot_upto
            && (failure.head == source.head || failure.verdict == Verdict::Crashed);
        (same && now < failure.until).then(|| failure.verdict.clone())
    }

    /// Remembers that this version of the document failed. Crashes are the snapshot's and hold for every tail.
    pub(super) fn fail(&mut self, source: &Source, verdict: Verdict, until: Instant) {
        let failure = Failure { snapshot_upto: source.snapshot_upto, head: source.head, verdict, until };
        self.record(&source.key).failure = Some(failure);
    }

    fn touch(&mut self, key: &DocumentKey) -> Option<&mut Record> {
        let index = self.records.iter().position(|record| record.key == *key)?;
        let record = self.records.remove(index);
        self.records.push(record);
        self.records.last_mut()
    }

    fn record(&mut self, key: &DocumentKey) -> &mut Record {
        let index = self.records.iter().position(|record| record.key == *key);
        let record = match index {
            Some(index) => self.records.remove(index),
            None => Record { key: key.clone(), updates: Vec::new(), failure: None },
        };
        if self.records.len() >= DOCUMENTS {
            self.records.remove(0);
        }
        self.records.push_mut(record)
    }
}

/// How long a failure stands before the document is tried again.
pub(super) const RETRY_AFTER: Duration = Duration::from_mins(1);

const DOCUMENTS: usize = 256;
const UPDATES_PER_DOCUMENT: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DocName, Generation};
    use crate::sync::DocumentBytes;

    fn source(name: &str, snapshot_upto: u64, head: u64) -> Source {
        let key = DocumentKey { name: DocName::parse(name).expect("a name"), generation: Generation::FIRST };
        Source { key, bytes: DocumentBytes::default(), snapshot_upto, head }
    }

    #[test]
    fn an_update_is_remembered_once_and_for_its_document_only() {
        let mut quarantine = Quarantine::default();
        let (a, b) = (source("a", 0, 1).key, source("b", 0, 1).key);
        let poison = Fingerprint::of(b"poison");
        assert!(quarantine.add(&a, poison));
        assert!(!quarantine.add(&a, poison));
        assert_eq!(quarantine.of(&a), [poison]);
        assert_eq!(quarantine.of(&b), []);
    }

    #[test]
    fn a_failure_stands_for_its_version_and_a_crash_for_its_snapshot_until_the_time_is_up() {
        let mut quarantine = Quarantine::default();
        let now = Instant::now();
        quarantine.fail(&source("a", 3, 5), Verdict::Timeout, now + RETRY_AFTER);
        assert_eq!(quarantine.verdict(&source("a", 3, 5), now), Some(Verdict::Timeout));
        assert_eq!(quarantine.verdict(&source("a", 3, 6), now), None);
        quarantine.fail(&source("a", 3, 5), Verdict::Crashed, now + RETRY_AFTER);
        assert_eq!(quarantine.verdict(&source("a", 3, 6), now), Some(Verdict::Crashed));
        assert_eq!(quarantine.verdict(&source("a", 4, 6), now), None);
        assert_eq!(quarantine.verdict(&source("a", 3, 6), now + RETRY_AFTER), None);
    }

    #[test]
    fn the_document_that_was_asked_for_longest_ago_is_forgotten_first() {
        let mut quarantine = Quarantine::default();
        let poison = Fingerprint::of(b"poison");
        for index in 0..DOCUMENTS {
            assert!(quarantine.add(&source(&index.to_string(), 0, 0).key, poison));
        }
        assert_eq!(quarantine.of(&source("0", 0, 0).key), [poison]);
        assert!(quarantine.add(&source("new", 0, 0).key, poison));
        assert_eq!(quarantine.of(&source("0", 0, 0).key), [poison]);
        assert_eq!(quarantine.of(&source("1", 0, 0).key), []);
    }
}
