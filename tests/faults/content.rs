//! What the documents hold: every byte follows from a seed, a document, a generation and a number, so that whoever checks
//! needs nothing but the numbers.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ydock::DocName;

use crate::random::Random;

/// How large updates and snapshots are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sizes {
    /// All that real documents do: batches of up to 300, updates of up to 1 MiB, snapshots from 2 KB to 2 MB.
    Mixed,
    /// The same kinds of records in less space, where every byte written costs time.
    Small,
}

/// The content of all documents of one trial.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Script {
    pub(crate) seed: u64,
    pub(crate) sizes: Sizes,
}

/// A document, and which of its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Life {
    pub(crate) doc: u64,
    pub(crate) generation: u64,
}

impl Script {
    /// How many updates the batch has that begins with this number. Batches follow each other from 1.
    pub(crate) fn batch(self, life: Life, first: u64) -> u64 {
        let mut random = self.random("batch", life, first);
        match self.sizes {
            Sizes::Mixed if random.one_in(12) => random.between(9, 300),
            _ => random.between(1, 8),
        }
    }

    /// Whether a batch ends with this number.
    pub(crate) fn is_end_of_batch(self, life: Life, seq: u64) -> bool {
        let mut end = 0;
        while end < seq {
            end += self.batch(life, end + 1);
        }
        end == seq
    }

    pub(crate) fn update(self, life: Life, seq: u64) -> Bytes {
        let mut random = self.random("update", life, seq);
        let len = match random.below(200) {
            0 if self.sizes == Sizes::Mixed => random.between(200_000, 1 << 20),
            0..=2 => random.between(65_001, 90_000),
            3..=20 => random.between(1000, 9000),
            _ => random.between(8, 300),
        };
        fill(&mut random, len)
    }

    pub(crate) fn snapshot(self, life: Life, upto: u64) -> Bytes {
        let mut random = self.random("snapshot", life, upto);
        let len = match (self.sizes, random.below(3)) {
            (Sizes::Mixed, 0) => random.between(200_000, 2_000_000),
            (Sizes::Small, 0) => random.between(66_000, 200_000),
            _ => random.between(2000, 50_000),
        };
        fill(&mut random, len)
    }

    /// What a deletion leaves of a life.
    pub(crate) fn ancestors(self, life: Life) -> Bytes {
        let mut random = self.random("ancestors", life, 0);
        let len = random.between(3, 3000);
        fill(&mut random, len)
    }

    /// How many more updates a document takes before its next compaction.
    pub(crate) fn compacts_after(self, life: Life, upto: u64) -> u64 {
        self.random("compaction", life, upto).between(10, 150)
    }

    /// The number of updates after which a life ends.
    pub(crate) fn lives_until(self, life: Life) -> u64 {
        let range = if self.sizes == Sizes::Mixed { (300, 4000) } else { (40, 400) };
        self.random("deletion", life, 0).between(range.0, range.1)
    }

    fn random(self, what: &str, life: Life, number: u64) -> Random {
        Random::of(&[self.seed, Random::hash(what.as_bytes()), life.doc, life.generation, number])
    }
}

/// The name of a document.
pub(crate) fn name(doc: u64) -> DocName {
    DocName::parse(&format!("notes/board-{doc:02}")).unwrap()
}

/// The numbers after one, up to and with another.
pub(crate) fn following(seq: u64, last: u64) -> RangeInclusive<u64> {
    seq + 1..=last
}

/// Bytes without a pattern: a window that slides over a ring, because making each of them anew takes long.
fn fill(random: &mut Random, len: u64) -> Bytes {
    static RING: OnceLock<Vec<u8>> = OnceLock::new();
    let ring = RING.get_or_init(|| {
        let mut random = Random::of(&[7]);
        (0..RING_LEN / 8).flat_map(|_| random.next().to_le_bytes()).collect()
    });
    let len = usize::try_from(len).unwrap();
    let mut bytes = Vec::with_capacity(len + RING_LEN);
    bytes.extend_from_slice(&random.next().to_le_bytes());
    bytes.extend_from_slice(&ring[random.index(RING_LEN)..]);
    while bytes.len() < len {
        bytes.extend_from_slice(ring);
    }
    bytes.truncate(len);
    bytes.into()
}

const RING_LEN: usize = 1 << 16;
