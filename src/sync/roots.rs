//! The shared types that a Yjs document names at its top.

use serde::{Deserialize, Serialize};

/// What a root holds. Updates do not say it: whoever asks for a root states it, as `ydoc.getText(name)` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RootKind {
    /// A `Y.Text`.
    Text,
    /// A `Y.Array`.
    Array,
    /// A `Y.Map`.
    Map,
    /// A `Y.XmlFragment`.
    Xml,
}
