//! What a store has acknowledged, as heard from the process that used it, line by line.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::content::{Life, Script};

/// A line that a process says about its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// So many updates are kept, up to this number.
    Appended { life: Life, head: u64, count: u64 },
    /// A snapshot is kept in the place of the updates up to this number.
    Compacted { life: Life, upto: u64 },
    /// A deletion begins: it may happen from now on.
    Deleting { life: Life },
    /// The life before this one is over.
    Deleted { life: Life },
}

impl Word {
    pub(crate) fn line(self) -> String {
        let (word, life, numbers) = match self {
            Self::Appended { life, head, count } => ("appended", life, [head, count]),
            Self::Compacted { life, upto } => ("compacted", life, [upto, 0]),
            Self::Deleting { life } => ("deleting", life, [0, 0]),
            Self::Deleted { life } => ("deleted", life, [0, 0]),
        };
        format!("{word} {} {} {} {}\n", life.doc, life.generation, numbers[0], numbers[1])
    }

    /// `None` for anything else, and for a line that is not whole.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_suffix('\n')?.split(' ');
        let word = parts.next()?;
        let numbers: Vec<u64> = parts.map_while(|part| part.parse().ok()).collect();
        let [doc, generation, first, second] = numbers[..] else { return None };
        let life = Life { doc, generation };
        Some(match word {
            "appended" => Self::Appended { life, head: first, count: second },
            "compacted" => Self::Compacted { life, upto: first },
            "deleting" => Self::Deleting { life },
            "deleted" => Self::Deleted { life },
            _ => return None,
        })
    }
}

/// What was promised about one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Promised {
    pub(crate) generation: u64,
    pub(crate) head: u64,
    pub(crate) upto: u64,
    /// Whether a deletion had begun and was not acknowledged.
    pub(crate) may_be_deleted: bool,
}

impl Promised {
    const NOTHING: Self = Self { generation: 1, head: 0, upto: 0, may_be_deleted: false };
}

/// All that was promised.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    documents: BTreeMap<u64, Promised>,
    acknowledged: u64,
}

impl Ledger {
    pub(crate) fn hear(&mut self, word: Word) {
        match word {
            Word::Appended { life, head, count } => {
                let document = self.at(life);
                document.head = document.head.max(head);
                document.may_be_deleted = false;
                self.acknowledged += count;
            }
            Word::Compacted { life, upto } => {
                let document = self.at(life);
                document.upto = document.upto.max(upto);
            }
            Word::Deleting { life } => self.at(life).may_be_deleted = true,
            Word::Deleted { life } => _ = self.at(life),
        }
    }

    pub(crate) fn read(text: &str) -> Self {
        let mut ledger = Self::default();
        text.split_inclusive('\n').filter_map(Word::parse).for_each(|word| ledger.hear(word));
        ledger
    }

    /// A text from which [`Ledger::read`] makes the same promises.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (doc, promised) in &self.documents {
            let life = Life { doc: *doc, generation: promised.generation };
            let words =
                [Word::Appended { life, head: promised.head, count: 0 }, Word::Compacted { life, upto: promised.upto }];
            for word in &words {
                text.write_str(&word.line()).unwrap();
            }
            if promised.may_be_deleted {
                text.push_str(&Word::Deleting { life }.line());
            }
        }
        text
    }

    /// How many updates were acknowledged, of all lives.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub(crate) fn of(&self, doc: u64) -> Promised {
        self.documents.get(&doc).copied().unwrap_or(Promised::NOTHING)
    }

    /// Forgets the lives that came before and starts a later one, if this is one.
    fn at(&mut self, life: Life) -> &mut Promised {
        let document = self.documents.entry(life.doc).or_insert(Promised::NOTHING);
        if document.generation < life.generation {
            *document = Promised { generation: life.generation, ..Promised::NOTHING };
        }
        document
    }
}

/// Who writes and checks the same documents.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) struct Documents {
    pub(crate) script: Script,
    pub(crate) count: u64,
}
