//! The settings of exports.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// How documents are materialised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Worker processes that serve exports at the same time; default 2, at least 1. One more is started while a document
    /// that ended or stalled a worker is examined. Too few make exports wait, too many take cores from the rooms.
    pub workers: usize,
    /// The longest time from asking for an export to its answer, waiting included; default 5 s. Too short and large
    /// documents cannot be exported (about 50 ms a megabyte), too long and hostile ones hold a worker for as long.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Memory that the documents in one worker may take; default 1 GiB. A document takes about 9 times its encoded size. Too
    /// small and large documents cannot be exported, too large and hostile ones can press the machine.
    pub memory: ByteSize,
    /// The stack of the thread that integrates, in each worker; default 256 MiB, of which only what is used takes memory.
    /// Too small and deeply nested documents end the worker.
    pub stack: ByteSize,
    /// The largest update, snapshot and export; default 256 MiB. Bounds what one export can make the server itself hold.
    pub max_frame: ByteSize,
    /// Memory in which workers together keep documents loaded for the next export; default 256 MiB, 0 keeps none. More than
    /// the workers' `memory` has no effect.
    pub cache: ByteSize,
    /// Exports that may wait for a worker; default 64. Further ones are refused at once.
    pub queue: usize,
    /// The program that runs as a worker, started as `PROGRAM worker`; default the running program itself.
    pub program: Option<PathBuf>,
    /// Integrates in the server's own process instead; default false. One hostile update can then end or stop the server: only
    /// for programs that trust every client.
    pub in_process: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            workers: 2,
            timeout: Duration::from_secs(5),
            memory: ByteSize::gib(1),
            stack: ByteSize::mib(256),
            max_frame: ByteSize::mib(256),
            cache: ByteSize::mib(256),
            queue: 64,
            program: None,
            in_process: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_left_out_has_its_default_and_an_unknown_one_is_an_error() {
        let config: Config = toml::from_str("workers = 3\ntimeout = \"2s\"\nmemory = \"2 GiB\"").expect("settings");
        let expected =
            Config { workers: 3, timeout: Duration::from_secs(2), memory: ByteSize::gib(2), ..Config::default() };
        assert_eq!(config, expected);
        assert!(toml::from_str::<Config>("worker = 3").is_err());
    }
}
