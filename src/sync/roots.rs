//! The kinds of top-level types, inferred from what they hold: on the wire a root has only a name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::{Content, TypeKind};
use super::gate::{DocumentIndex, Refusal};

/// What a top-level type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RootKind {
    /// `Y.Text`
    Text,
    /// `Y.Array`
    Array,
    /// `Y.Map`
    Map,
    /// `Y.XmlFragment`
    Xml,
}

/// The kinds of the top-level types of a document, by name.
///
/// Texts, formats and embeds make a text; XML types alone make an XML fragment, any other items an array; keys
/// without items make a map. Where only deleted content is left, an unkeyed root counts as a text. Updates that wait
/// for something missing do not count.
///
/// # Errors
/// When an update is refused; see [`DocumentIndex::integrate`].
pub fn root_kinds<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> Result<BTreeMap<String, RootKind>, Refusal> {
    let mut index = DocumentIndex::new();
    for update in updates {
        let _ = index.integrate(update)?;
    }
    Ok(index.root_kinds())
}

/// What has been seen in one list of a root.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RootEvidence {
    text: bool,
    xml: bool,
    other: bool,
}

impl RootEvidence {
    /// Takes in a content; whether it tells anything new.
    pub(super) fn add(&mut self, content: &Content<'_>) -> bool {
        let seen = match content {
            Content::Deleted => return false,
            Content::String(_) | Content::Embed | Content::Format => &mut self.text,
            Content::Type(TypeKind::XmlElement | TypeKind::XmlText | TypeKind::XmlHook) => &mut self.xml,
            Content::Json(_) | Content::Binary | Content::Any(_) | Content::Document | Content::Type(_) => {
                &mut self.other
            }
        };
        !std::mem::replace(seen, true)
    }
}

/// The kinds of roots in the making.
#[derive(Debug, Default)]
pub(super) struct RootKinds {
    kinds: BTreeMap<String, RootKind>,
}

impl RootKinds {
    /// Takes in one list of a root: its own, or one under a key.
    pub(super) fn add(&mut self, name: &str, seen: RootEvidence, keyed: bool) {
        let kind = match seen {
            _ if keyed => RootKind::Map,
            RootEvidence { text: true, .. } => RootKind::Text,
            RootEvidence { other: true, .. } => RootKind::Array,
            RootEvidence { xml: true, .. } => RootKind::Xml,
            _ => RootKind::Text,
        };
        // A root's own list tells more than its keys: texts have attributes too.
        if keyed {
            self.kinds.entry(name.to_owned()).or_insert(kind);
        } else {
            self.kinds.insert(name.to_owned(), kind);
        }
    }

    pub(super) fn into_map(self) -> BTreeMap<String, RootKind> {
        self.kinds
    }
}
