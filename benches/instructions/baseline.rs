//! What each case took when somebody last looked: `baseline.toml`, beside this file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The instructions of each case, and what they were counted with.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    /// The version of the compiler.
    pub(crate) rustc: String,
    /// The target that it compiled for.
    pub(crate) target: String,
    /// Instructions by case.
    instructions: BTreeMap<String, u64>,
}

/// How a count compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    Worse,
    Better,
    /// There is nothing to compare with.
    New,
}

impl Baseline {
    /// What was counted just now.
    pub(crate) fn of_this_compiler(instructions: BTreeMap<String, u64>) -> Self {
        let told = Command::new("rustc").arg("-vV").output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let line = |key: &str| told.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned();
        Self { rustc: line("release: "), target: line("host: "), instructions }
    }

    /// The committed one; empty when there is none.
    pub(crate) fn read() -> Self {
        fs::read_to_string(path()).map_or_else(|_| Self::default(), |text| toml::from_str(&text).unwrap())
    }

    /// Replaces the committed one.
    pub(crate) fn write(&self) {
        let head = "# What `make instructions-baseline` counted; a change of it says in its commit why.\n";
        fs::write(path(), [head, &toml::to_string(self).unwrap()].concat()).unwrap();
    }

    /// Another compiler makes other instructions of the same code, and another processor has others.
    pub(crate) fn is_comparable_to(&self, other: &Self) -> bool {
        (&self.rustc, &self.target) == (&other.rustc, &other.target)
    }

    pub(crate) fn count(&self, case: &str) -> Option<u64> {
        self.instructions.get(case).copied()
    }

    /// How one case does against an earlier baseline.
    pub(crate) fn verdict(&self, before: &Self, case: &str) -> Verdict {
        let (Some(old), Some(now)) = (before.count(case), self.count(case)) else { return Verdict::New };
        match change(old, now) {
            change if change > TOLERANCE => Verdict::Worse,
            change if change < -TOLERANCE => Verdict::Better,
            _ => Verdict::Same,
        }
    }
}

impl Verdict {
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Worse => "WORSE",
            Self::Better => "better",
            Self::New => "NOT IN THE BASELINE",
        }
    }
}

/// By how many per cent it changed.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn change(old: u64, now: u64) -> f64 {
    (now as f64 / old as f64 - 1.0) * 100.0
}

fn path() -> PathBuf {
    PathBuf::from(option_env!("CARGO_MANIFEST_DIR").unwrap_or(".")).join("benches/instructions/baseline.toml")
}

/// A change counts beyond so many per cent. Runs differ by less than half of one, where the keys of hash maps are random; an
/// unrelated change that makes the compiler inline otherwise, by up to eight.
pub(crate) const TOLERANCE: f64 = 15.0;
