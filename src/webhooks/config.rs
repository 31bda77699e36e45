//! The settings of webhooks.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whom events of documents are sent to, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The `http://` or `https://` address that events are posted to. Without one there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The file with the secret that signs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Which ones. Default all.
    pub events: Vec<EventName>,
    /// How long nothing more must have been saved before a document is said to be saved. Default 2 s.
    #[serde(with = "humantime_serde")]
    pub debounce: Duration,
    /// After so long it is said all the same. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub max_debounce: Duration,
    /// How long an answer may take. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long an event is tried again before it is put aside. Default 1 day.
    #[serde(with = "humantime_serde")]
    pub give_up_after: Duration,
    /// Events that may wait; further ones are put aside at once. So many may lie aside as well, the oldest go first. Default
    /// 10 000.
    pub max_waiting: usize,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventName {
    /// A document has content for the first time.
    #[serde(rename = "document.created")]
    Created,
    /// Edits of a document have begun to be saved, after a while without any.
    #[serde(rename = "document.changed")]
    Changed,
    /// Edits of a document are saved, and nothing more came for a while.
    #[serde(rename = "document.saved")]
    Saved,
    /// A document was deleted.
    #[serde(rename = "document.deleted")]
    Deleted,
    /// Somebody was let into a document.
    #[serde(rename = "member.connected")]
    Connected,
    /// Somebody has left a document.
    #[serde(rename = "member.disconnected")]
    Disconnected,
}

impl EventName {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Changed, Self::Saved, Self::Deleted, Self::Connected, Self::Disconnected];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "document.created",
            Self::Changed => "document.changed",
            Self::Saved => "document.saved",
            Self::Deleted => "document.deleted",
            Self::Connected => "member.connected",
            Self::Disconnected => "member.disconnected",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: None,
            key: None,
            events: EventName::ALL.to_vec(),
            debounce: Duration::from_secs(2),
            max_debounce: Duration::from_secs(10),
            timeout: Duration::from_secs(10),
            give_up_after: Duration::from_hours(24),
            max_waiting: 10_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_called_the_same_everywhere() {
        for name in EventName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
    }
}
