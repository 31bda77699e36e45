//! The stores that are put to the test, and which of the promises a run insists on.

use std::path::Path;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use ydock::storage::{Config, StoreKind};

/// A store under test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backend {
    pub(crate) kind: StoreKind,
    pub(crate) enforced: Enforced,
}

/// Which faults a store must stand for the run to succeed; what it does in the others is reported.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Enforced {
    /// Every one.
    All,
    /// Those with these names.
    Only(&'static [&'static str]),
}

/// All of them: a new store is a line here.
pub(crate) const BACKENDS: &[Backend] = &[
    Backend { kind: StoreKind::Redb, enforced: Enforced::All },
    // Of sled, what holds in every run is insisted on, and the rest is reported: docs/storage.md says what that is.
    Backend { kind: StoreKind::Sled, enforced: Enforced::Only(SLED) },
];

const SLED: &[&str] = &["kill", "kill under a herd", "second process", "read-only at start"];

impl Backend {
    pub(crate) fn enforces(&self, fault: &str) -> bool {
        match self.enforced {
            Enforced::All => true,
            Enforced::Only(faults) => faults.contains(&fault),
        }
    }
}

/// A kind of store and where it lies; passed on to child processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) kind: StoreKind,
    pub(crate) data: std::path::PathBuf,
}

impl Place {
    pub(crate) fn new(kind: StoreKind, data: &Path) -> Self {
        Self { kind, data: data.to_owned() }
    }

    pub(crate) fn config(&self) -> Config {
        // A large reserve would be most of what is copied again and again.
        Config { kind: self.kind, data: self.data.clone(), reserve: ByteSize::kib(256), ..Config::default() }
    }
}
