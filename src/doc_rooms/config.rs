//! The settings of rooms.

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use crate::awareness;

/// How rooms live, and what bounds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// When an update reaches the other members: `before_save`, at once, or `after_save`, only once it is durable, which
    /// adds the time of a commit. Acknowledgements always wait for the commit. Default `before_save`.
    pub broadcast: Broadcast,
    /// How long a room stays in memory after its last member left. Too short and a page that reloads loads the document
    /// from disk; too long costs memory. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub idle_after: Duration,
    /// How many rooms may be open at once; joins beyond are refused for the time being. Default 65 536.
    pub max_open: usize,
    /// How many members one room may have; joins beyond are refused for the time being. Default 10 000.
    pub max_members: usize,
    /// The largest document, in bytes of its updates. Updates that would exceed it are refused. Default 256 MiB.
    pub max_document: ByteSize,
    /// Updates that nobody waits for may wait so long to be saved together with others, of other documents too. What a
    /// client or a caller wants acknowledged never waits. Too long, and a kill takes more of what was typed last, which
    /// clients bring again when they come back; too short costs a commit for nearly every update. 0 saves everything at
    /// once. Default 250 ms.
    #[serde(with = "humantime_serde")]
    pub save_window: Duration,
    /// Updates of one room that may wait for the disk. When it is reached, the room stops reading from its members until
    /// the disk has caught up; nothing is dropped. Default 8 MiB.
    pub max_unsaved: ByteSize,
    /// Received updates of one room that may wait for their turn; senders beyond wait. Default 32 MiB.
    pub max_queued: ByteSize,
    /// Updates of one room that wait for something missing before them. The oldest is given up for the newest: nobody was
    /// told that it is saved, and its sender is asked again. Default 2 MiB.
    pub max_parked: ByteSize,
    /// What a compaction does with deleted content: `collect` forgets it, as Yjs does with `gc: true`, so that a document
    /// does not grow for ever, and an undo or a comparison of versions that needs it finds only that something was there; `keep`
    /// keeps every letter that was ever typed, for programs that show versions or take Yjs snapshots with `gc: false`.
    /// What was collected does not come back when this is set to `keep`. Default `collect`.
    pub history: History,
    /// A document is compacted when this many updates lie after its snapshot. Too small writes much, too large makes
    /// joins slow. Default 500.
    pub compact_updates: usize,
    /// One document is compacted at most once in this time, and not in the first 5 s after it was opened. Default 30 s.
    #[serde(with = "humantime_serde")]
    pub compact_interval: Duration,
    /// Presence and typing.
    pub awareness: awareness::Config,
}

/// When an update reaches the other members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Broadcast {
    /// At once.
    BeforeSave,
    /// Once it is durable.
    AfterSave,
}

/// What becomes of deleted content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// It is forgotten when a document is compacted.
    Collect,
    /// It is kept.
    Keep,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            broadcast: Broadcast::BeforeSave,
            idle_after: Duration::from_secs(10),
            max_open: 65_536,
            max_members: 10_000,
            max_document: ByteSize::mib(256),
            save_window: Duration::from_millis(250),
            max_unsaved: ByteSize::mib(8),
            max_queued: ByteSize::mib(32),
            max_parked: ByteSize::mib(2),
            history: History::Collect,
            compact_updates: 500,
            compact_interval: Duration::from_secs(30),
            awareness: awareness::Config::default(),
        }
    }
}
