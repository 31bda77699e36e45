//! The settings of a store.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where and how documents are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The engine: `redb` and `sled` keep documents on disk, `memory` loses them with the process. Default `redb`.
    pub kind: StoreKind,
    /// The data directory, created when missing; one process at a time. Default `./ydock-data`. `memory` ignores it.
    pub data: PathBuf,
    /// The longest single update, in bytes. Default 8 MiB. Too small refuses large pastes and initial imports; too
    /// large lets one commit take long and delay the others that wait for it.
    pub max_update: ByteSize,
    /// The longest snapshot, in bytes. Default 256 MiB. Too small and large documents are never compacted, so that
    /// their tails grow without end; too large lets two compactions at once take twice this much memory.
    pub max_snapshot: ByteSize,
    /// The updates that may wait for the disk, in bytes; whoever brings more waits. Default 32 MiB, at least 64 KiB.
    /// Too small and commits stay small and slow under load; too large costs memory while the disk stands still.
    pub queue: ByteSize,
    /// The engine's page cache, in bytes. Default 64 MiB. Too small and each commit reads the disk; too large only
    /// costs memory.
    pub cache: ByteSize,
    /// The reads that run at once, each on a blocking thread. Default 16, at least 1. Too small and one large
    /// document delays the opening of others; too large and as many whole documents are held in memory at once.
    pub readers: usize,
    /// The room on the disk, in bytes, that is kept for the moment when the disk is full: then nothing more is acknowledged,
    /// and compactions and deletions use it to free space. Default 32 MiB, at most an eighth of what is free at the
    /// start; 0 keeps none. Too small for the largest snapshot, and that document is not compacted on a full disk.
    pub reserve: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kind: StoreKind::Redb,
            data: PathBuf::from("./ydock-data"),
            max_update: ByteSize::mib(8),
            max_snapshot: ByteSize::mib(256),
            queue: ByteSize::mib(32),
            cache: ByteSize::mib(64),
            readers: 16,
            reserve: ByteSize::mib(32),
        }
    }
}

/// The engine of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StoreKind {
    /// One file, durable on return.
    Redb,
    /// A directory of log segments, behind shields: see `docs/storage.md` for what they do not hold.
    Sled,
    /// Gone with the process: for tests and trials.
    Memory,
}

/// A text that names no engine.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a store: expected \"redb\", \"sled\" or \"memory\"")]
pub struct UnknownStoreKind(pub String);

impl FromStr for StoreKind {
    type Err = UnknownStoreKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "redb" => Ok(Self::Redb),
            "sled" => Ok(Self::Sled),
            "memory" => Ok(Self::Memory),
            other => Err(UnknownStoreKind(other.to_owned())),
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redb => "redb",
            Self::Sled => "sled",
            Self::Memory => "memory",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_reads_back_as_it_is_written() {
        for kind in [StoreKind::Redb, StoreKind::Sled, StoreKind::Memory] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("sqlite".parse::<StoreKind>(), Err(UnknownStoreKind("sqlite".into())));
    }

    #[test]
    fn a_file_may_leave_out_settings_but_not_misspell_them() {
        let config: Config = toml::from_str("kind = \"memory\"\nmax_update = \"1 MiB\"").unwrap();
        assert_eq!(config, Config { kind: StoreKind::Memory, max_update: ByteSize::mib(1), ..Config::default() });
        assert!(toml::from_str::<Config>("max_updates = \"1 MiB\"").is_err());
    }
}
