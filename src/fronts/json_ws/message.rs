//! Messages as this wire writes them, both ways.

use std::borrow::Cow;

use axum::extract::ws::Utf8Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::gateway::{AckId, Content, Data, json_text};

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming<'a> {
    /// An event; with an id, its acknowledgement is waited for.
    Event { name: Cow<'a, str>, data: Data, ack: Option<AckId> },
    /// The acknowledgement of an event of the server.
    Ack { id: u64, data: Data },
}

/// What is no message of this protocol. The text is for the client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum MessageError {
    #[error("A message must be a JSON object with an \"event\"")]
    NoObject,
    #[error("The message is no JSON object with an \"event\": {0}")]
    Malformed(String),
    #[error("The \"id\" of an acknowledgement must be the number that came with the event")]
    UnknownAck,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
}

/// Reads a message. Its data stay JSON text until a handler wants them.
pub(super) fn read(text: &[u8]) -> Result<Incoming<'_>, MessageError> {
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(MessageError::NoObject);
    }
    let message: Message<'_> =
        serde_json::from_slice(text).map_err(|error| MessageError::Malformed(error.to_string()))?;
    let Message { event, data, id } = message;
    let data = data.map_or_else(Data::none, |data| Data::of_json(data.get()));
    match id {
        None => Ok(Incoming::Event { name: event, data, ack: None }),
        Some(id) if event == ACK => {
            let id = id.get().parse().map_err(|_no_number: std::num::ParseIntError| MessageError::UnknownAck)?;
            Ok(Incoming::Ack { id, data })
        }
        Some(id) => Ok(Incoming::Event { name: event, data, ack: Some(AckId::Json(id.get().into())) }),
    }
}

/// Writes what goes to a client; nothing for a value that is none.
pub(super) fn write(content: &Content) -> Utf8Bytes {
    let text = match content {
        Content::Event { name, data, ack: None } => {
            format!(r#"{{"event":{},"data":{}}}"#, json_text(name), json(data))
        }
        Content::Event { name, data, ack: Some(id) } => {
            format!(r#"{{"event":{},"data":{},"id":{id}}}"#, json_text(name), json(data))
        }
        Content::Ack { id, data } => {
            let id: Cow<'_, str> = match id {
                AckId::Number(number) => number.to_string().into(),
                AckId::Json(text) => text.as_ref().into(),
            };
            format!(r#"{{"event":"{ACK}","id":{id},"data":{}}}"#, json(data))
        }
        Content::Value { data } => {
            let value = json(data);
            if value == "null" { String::new() } else { value }
        }
    };
    text.into()
}

/// What a client that is not let in is told.
pub(super) fn connect_error(message: &str) -> Utf8Bytes {
    format!(r#"{{"event":"connect_error","data":{{"message":{}}}}}"#, json_text(message)).into()
}

/// Values as JSON, binary ones as Node writes a `Buffer`.
fn json(data: &Data) -> String {
    let text = data.to_json();
    let attachments: Vec<_> = data.attachments().collect();
    if attachments.is_empty() {
        return text;
    }
    let Ok(mut value) = serde_json::from_str(&text) else { return text };
    put_back(&mut value, &attachments);
    value.to_string()
}

/// Puts attachments where their placeholders are.
fn put_back(value: &mut Value, attachments: &[&bytes::Bytes]) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| put_back(value, attachments)),
        Value::Object(fields) if fields.get("_placeholder") == Some(&Value::Bool(true)) => {
            let number = fields.get("num").and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
            if let Some(bytes) = number.and_then(|number| attachments.get(number)) {
                *value = serde_json::json!({ "type": "Buffer", "data": bytes.as_ref() });
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|value| put_back(value, attachments)),
        _ => {}
    }
}

/// The event that carries acknowledgements.
const ACK: &str = "ack";

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn event(text: &str) -> (String, String, Option<AckId>) {
        match read(text.as_bytes()) {
            Ok(Incoming::Event { name, data, ack }) => (name.into_owned(), data.to_json(), ack),
            other => panic!("{text} was read as {other:?}"),
        }
    }

    #[test]
    fn an_event_has_a_name_and_may_have_data_and_an_id() {
        assert_eq!(event(r#"{"event":"a\"b","data":{"x":[1]}}"#), ("a\"b".into(), r#"{"x":[1]}"#.into(), None));
        assert_eq!(event(r#" {"more":1,"event":"a"}"#), ("a".into(), "null".into(), None));
        let id = |id: &str| Some(AckId::Json(id.into()));
        assert_eq!(event(r#"{"id":{"a":1},"event":"a","data":[1,2]}"#), ("a".into(), "[1,2]".into(), id(r#"{"a":1}"#)));
        assert_eq!(event(r#"{"event":"ack","data":1}"#), ("ack".into(), "1".into(), None));
    }

    #[test]
    fn an_ack_with_an_id_is_an_acknowledgement() {
        let ack = read(br#"{"event":"ack","id":3,"data":"yes"}"#);
        let Ok(Incoming::Ack { id: 3, data }) = ack else { panic!("read as {ack:?}") };
        assert_eq!(data.to_json(), r#""yes""#);
        assert_eq!(read(br#"{"event":"ack","id":"x"}"#), Err(MessageError::UnknownAck));
    }

    #[test]
    fn what_is_no_message_is_told_in_words() {
        for text in ["", "3", "[\"event\",1]", "null", "hello"] {
            assert_eq!(read(text.as_bytes()), Err(MessageError::NoObject), "{text}");
        }
        let why = |text: &[u8]| read(text).unwrap_err().to_string();
        assert!(why(b"{}").contains("missing field `event`"), "{}", why(b"{}"));
        assert!(why(b"{\"event\":1}").contains("invalid type: integer `1`"));
        assert!(why(b"{\"event\":").contains("EOF while parsing"));
        assert!(why(b"{\"event\":\"\xff\"}").contains("invalid unicode"));
    }

    #[test]
    fn a_placeholder_of_a_client_without_attachments_is_an_object_like_others() {
        let data = Data::of_json(r#"{"_placeholder":true,"num":0}"#);
        assert!(data.decode::<Bytes>().is_err());
        assert_eq!(json(&data), r#"{"_placeholder":true,"num":0}"#);
    }

    #[test]
    fn packets_are_written_as_nest_writes_them_and_acknowledgements_beside() {
        let data = |value: Value| Data::of(&value).unwrap();
        let written = |content: Content| write(&content).to_string();
        let event = |data, ack| Content::Event { name: "m\"".into(), data, ack };
        assert_eq!(written(event(data(json!({ "a": 1 })), None)), r#"{"event":"m\"","data":{"a":1}}"#);
        assert_eq!(written(event(Data::none(), Some(7))), r#"{"event":"m\"","data":null,"id":7}"#);
        let several = Content::Ack { id: AckId::Json(r#""x""#.into()), data: Data::of(&(1, "b")).unwrap() };
        assert_eq!(written(several), r#"{"event":"ack","id":"x","data":[1,"b"]}"#);
        assert_eq!(written(Content::Value { data: data(json!("bare")) }), r#""bare""#);
        assert_eq!(written(Content::Value { data: data(Value::Null) }), "");
        assert_eq!(connect_error("no \"way\""), r#"{"event":"connect_error","data":{"message":"no \"way\""}}"#);
    }

    #[test]
    fn binary_values_are_written_as_node_writes_a_buffer() {
        let data = Data::of(&("a", Bytes::from_static(&[1, 255]))).unwrap();
        assert_eq!(json(&data), r#"["a",{"data":[1,255],"type":"Buffer"}]"#);
    }
}
