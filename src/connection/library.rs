//! What the WebSocket library says of a client, for the fronts that still use it.

use crate::delivery::Ending;

/// Tells a client that sent too much or nonsense from one that is just gone.
pub(crate) fn read_error(error: &axum::Error) -> Option<Ending> {
    use std::error::Error;
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    if source.contains("Space limit exceeded") {
        return Some(Ending::TooLarge("a message is larger than allowed".to_owned()));
    }
    if source.contains("WebSocket protocol error") && !source.contains("without closing handshake") {
        return Some(Ending::Malformed("the frames break the WebSocket protocol".to_owned()));
    }
    None
}
