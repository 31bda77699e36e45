//! Typing among the texts of the application, for clients that ask for it: the wire has no message of its own.
//!
//! | from | text |
//! |---|---|
//! | a client | `{"type":"typing","typing":true,"place":"title"}`, where the place may be left out |
//! | the server | `{"type":"typing","clients":[{"clientId":7,"typing":true,"place":"title"}]}` |

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::awareness::TypingTable;
use crate::delivery::Typist;

/// A client says that it types, or has stopped.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Note<'a> {
    #[serde(rename = "type")]
    _kind: Kind,
    pub(super) typing: bool,
    #[serde(borrow, default)]
    pub(super) place: Cow<'a, str>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "typing")]
    Typing,
}

#[derive(Serialize)]
struct Notes<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    clients: Vec<Somebody<'a>>,
}

#[derive(Serialize)]
struct Somebody<'a> {
    #[serde(rename = "clientId")]
    client: u64,
    typing: bool,
    place: &'a str,
}

/// Reads a text as a typing note; `None` when it is another one.
pub(super) fn read(text: &str) -> Option<Note<'_>> {
    // No longer text is one, and most are told by their first letter.
    if text.len() > LONGEST || !text.trim_start().starts_with('{') {
        return None;
    }
    let note: Note<'_> = serde_json::from_str(text).ok()?;
    (note.place.len() <= TypingTable::MAX_PLACE).then_some(note)
}

/// Who began or stopped typing, as a text.
pub(super) fn write(typists: &[Typist<'_>]) -> String {
    let clients =
        typists.iter().map(|&Typist { client, typing, place }| Somebody { client: client.value(), typing, place });
    serde_json::to_string(&Notes { kind: Kind::Typing, clients: clients.collect() }).unwrap_or_default()
}

/// A place in escapes, and what stands around it.
const LONGEST: usize = 6 * TypingTable::MAX_PLACE + 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClientId;

    fn read_parts(text: &str) -> Option<(bool, String)> {
        read(text).map(|note| (note.typing, note.place.into_owned()))
    }

    #[test]
    fn notes_are_read_and_other_texts_are_none() {
        let place = "x".repeat(TypingTable::MAX_PLACE);
        assert_eq!(read_parts(r#"{"type":"typing","typing":true,"place":"a\"b"}"#), Some((true, "a\"b".to_owned())));
        assert_eq!(read_parts(r#" {"typing":false,"type":"typing","more":1}"#), Some((false, String::new())));
        let long = |place: &str| format!(r#"{{"type":"typing","typing":true,"place":"{place}"}}"#);
        assert_eq!(read_parts(&long(&place)), Some((true, place.clone())));
        for other in
            ["typing", "{}", r#"{"type":"typing"}"#, r#"{"type":"saved","typing":true}"#, &long(&format!("{place}x"))]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn who_types_is_written_as_json() {
        let client = ClientId::new(7).unwrap();
        let text = write(&[Typist { client, typing: true, place: "a\"b" }]);
        assert_eq!(text, r#"{"type":"typing","clients":[{"clientId":7,"typing":true,"place":"a\"b"}]}"#);
    }
}
