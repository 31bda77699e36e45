//! What holds for any message of a client, whoever made it: it is read or refused in words, and what was read of it is read again
//! as the same when it is written.

use serde::de::IgnoredAny;

use super::message::{self, Incoming};
use crate::gateway::{AckId, Content};

/// Reads a message as the socket does.
///
/// # Panics
/// When a law is broken.
pub fn check(text: &[u8]) {
    match message::read(text) {
        Ok(Incoming::Event { name, data, ack }) => {
            let _may_be_of_the_type = data.decode::<(u64, String)>().is_ok();
            let event = Content::Event { name: name.as_ref().into(), data: data.clone(), ack: None };
            assert_eq!(said(message::write(&event).as_bytes()), Some((name.into_owned(), None, data.to_json())));
            if let Some(ack) = ack {
                let answer = message::write(&Content::Ack { id: ack, data });
                assert!(serde_json::from_str::<IgnoredAny>(&answer).is_ok(), "{answer}");
            }
        }
        Ok(Incoming::Ack { id, data }) => {
            let answer = message::write(&Content::Ack { id: AckId::Json(id.to_string().into()), data: data.clone() });
            assert_eq!(said(answer.as_bytes()), Some(("ack".to_owned(), Some(id), data.to_json())));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The name of a message, the number that it acknowledges, and its data.
fn said(text: &[u8]) -> Option<(String, Option<u64>, String)> {
    match message::read(text).ok()? {
        Incoming::Event { name, data, ack: None } => Some((name.into_owned(), None, data.to_json())),
        Incoming::Event { .. } => None,
        Incoming::Ack { id, data } => Some(("ack".to_owned(), Some(id), data.to_json())),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_laws_hold_for_what_clients_send() {
        let texts = [
            "",
            r#"{"event":"message","data":{"a":[1,2.50,"\u00e9"]},"id":{"x":1}}"#,
            r#"{"event":"ack","id":7,"data":null}"#,
            r#"{"event":"ack","id":-7}"#,
            r#" {"id":1e400,"event":"","data":18446744073709551616}"#,
        ];
        for text in texts {
            check(text.as_bytes());
        }
    }
}
