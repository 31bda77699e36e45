//! Socket.IO packets, read and written.

use std::collections::VecDeque;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use serde::de::IgnoredAny;
use socketioxide_core::packet::{Packet as Wired, PacketData};
use socketioxide_core::parser::{Parse, ParseConfig, ParseError, ParserState};
use socketioxide_core::{Str, Value};
use socketioxide_parser_common::CommonParser;
use thiserror::Error;

use super::engine::Packet;
use crate::gateway::{AckId, Content, Data};

/// A packet from a client.
#[derive(Debug)]
pub(super) struct Incoming {
    /// The path of the namespace.
    pub(super) path: String,
    pub(super) kind: Kind,
}

/// What a client says.
#[derive(Debug)]
pub(super) enum Kind {
    /// It wants to enter, with this `auth`.
    Connect(Data),
    Disconnect,
    Event {
        name: String,
        data: Data,
        ack: Option<i64>,
    },
    Ack {
        id: i64,
        data: Data,
    },
}

/// A packet that breaks the protocol: its connection is closed, as the reference server does.
#[derive(Debug, Error)]
pub(super) enum PacketError {
    #[error("malformed packet: {0}")]
    Parse(#[from] ParseError),
    #[error("a packet's values are no JSON array that begins with a name")]
    Values,
    #[error("`auth` is no object")]
    Auth,
    #[error("a client sends no such packet")]
    Direction,
}

/// Reads packets: one from each text, or from a text and the attachments after it.
#[derive(Debug, Default)]
pub(super) struct PacketReader {
    config: ParseConfig,
    state: ParserState,
}

impl PacketReader {
    pub(super) fn new(max_bytes: usize) -> Self {
        let config = ParseConfig {
            max_incoming_binary_buf_size: max_bytes,
            max_incoming_binaries: MOST_ATTACHMENTS,
            ..ParseConfig::default()
        };
        Self { config, state: ParserState::default() }
    }

    /// A packet, if the text is all of it.
    pub(super) fn text(&self, text: Str) -> Result<Option<Incoming>, PacketError> {
        complete(CommonParser.decode_str(&self.config, &self.state, text))
    }

    /// A packet, if this was its last attachment.
    pub(super) fn binary(&self, attachment: Bytes) -> Result<Option<Incoming>, PacketError> {
        complete(CommonParser.decode_bin(&self.config, &self.state, attachment))
    }
}

fn complete(decoded: Result<Wired, ParseError>) -> Result<Option<Incoming>, PacketError> {
    let packet = match decoded {
        Ok(packet) => packet,
        Err(ParseError::NeedsMoreBinaryData) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // A query after the path is of older clients.
    let path = packet.ns.split('?').next().unwrap_or("/").to_owned();
    let kind = match packet.inner {
        PacketData::Connect(auth) => Kind::Connect(auth_of(auth)?),
        PacketData::Disconnect => Kind::Disconnect,
        PacketData::Event(value, ack) | PacketData::BinaryEvent(value, ack) => {
            let (text, attachments) = array(value)?;
            let name = name_of(&text)?;
            Kind::Event { name, data: Data::from_wire(text, attachments, true), ack }
        }
        PacketData::EventAck(value, id) | PacketData::BinaryAck(value, id) => {
            let (text, attachments) = array(value)?;
            Kind::Ack { id, data: Data::from_wire(text, attachments, false) }
        }
        PacketData::ConnectError(_) => return Err(PacketError::Direction),
    };
    Ok(Some(Incoming { path, kind }))
}

fn auth_of(auth: Option<Value>) -> Result<Data, PacketError> {
    let text = match auth {
        None => "{}".to_owned(),
        Some(Value::Str(text, _)) => text.as_str().to_owned(),
        Some(Value::Bytes(_)) => return Err(PacketError::Auth),
    };
    let auth: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|_not_an_object| PacketError::Auth)?;
    Data::of(&auth).map_err(|_never_for_json| PacketError::Auth)
}

/// What is not valid here would make what is said of it to others invalid too.
fn array(value: Value) -> Result<(Str, Option<VecDeque<Bytes>>), PacketError> {
    let Value::Str(text, attachments) = value else { return Err(PacketError::Values) };
    serde_json::from_str::<Vec<IgnoredAny>>(&text).map_err(|_no_array| PacketError::Values)?;
    Ok((text, attachments))
}

fn name_of(array: &str) -> Result<String, PacketError> {
    let inner = array.trim().strip_prefix('[').unwrap_or_default();
    let mut names = serde_json::Deserializer::from_str(inner).into_iter::<String>();
    match names.next() {
        Some(Ok(name)) if !RESERVED.contains(&name.as_str()) => Ok(name),
        _ => Err(PacketError::Values),
    }
}

/// A text for the wire, as the transport carries it, and the attachments that follow it.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) text: Utf8Bytes,
    pub(super) attachments: VecDeque<Bytes>,
}

/// A packet for the clients of a namespace; `None` for what this wire does not say.
pub(super) fn write(path: &str, content: &Content) -> Option<Outgoing> {
    let path = Str::copy_from_slice(path);
    let packet = match content {
        Content::Event { data, ack, .. } => {
            let mut packet = Wired::event(path, value(data));
            if let Some(ack) = ack {
                packet.inner.set_ack_id(i64::try_from(*ack).ok()?);
            }
            packet
        }
        Content::Ack { id: AckId::Number(id), data } => Wired::ack(path, value(data), *id),
        // A value for which nobody waits is nothing to a client: events have names.
        Content::Ack { .. } | Content::Value { .. } => return None,
    };
    outgoing(packet)
}

/// Tells a client the id that it has in a namespace.
pub(super) fn connected(path: &str, id: &str) -> Option<Outgoing> {
    let value = Value::Str(serde_json::json!({ "sid": id }).to_string().into(), None);
    outgoing(Wired::connect(Str::copy_from_slice(path), Some(value)))
}

/// Tells a client why it may not enter.
pub(super) fn refused(path: &str, why: &str) -> Option<Outgoing> {
    outgoing(Wired::connect_error(Str::copy_from_slice(path), why))
}

/// Tells a client that it is out of a namespace.
pub(super) fn disconnected(path: &str) -> Option<Outgoing> {
    outgoing(Wired::disconnect(Str::copy_from_slice(path)))
}

fn value(data: &Data) -> Value {
    let (text, attachments) = data.wire();
    Value::Str(text.clone(), attachments.cloned())
}

fn outgoing(packet: Wired) -> Option<Outgoing> {
    match CommonParser.encode(packet) {
        Value::Str(text, attachments) => {
            Some(Outgoing { text: Packet::message(&text), attachments: attachments.unwrap_or_default() })
        }
        Value::Bytes(_) => None,
    }
}

/// `RESERVED_EVENTS` of socket.io-parser: a client that sends one is not one of Socket.IO.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
const MOST_ATTACHMENTS: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<Incoming>, PacketError> {
        PacketReader::new(1000).text(Str::copy_from_slice(text))
    }

    #[test]
    fn a_packet_names_its_namespace_its_event_and_its_acknowledgement() {
        let Ok(Some(Incoming { path, kind: Kind::Event { name, data, ack } })) = read(r#"2/chat,7["join","a"]"#) else {
            panic!("an event")
        };
        assert_eq!((path.as_str(), name.as_str(), ack), ("/chat", "join", Some(7)));
        assert_eq!(data.decode::<String>().as_deref(), Ok("a"));
        let Ok(Some(Incoming { path, kind: Kind::Connect(auth) })) = read("0/chat?x=1,") else { panic!("a connect") };
        assert_eq!((path.as_str(), auth.to_json().as_str()), ("/chat", "{}"));
    }

    #[test]
    fn what_no_client_sends_is_an_error_and_no_panic() {
        let texts =
            ["", "9", "2", "2{}", "2[]", "2[1]", r#"2["a""#, r#"2abc["a"]"#, r#"2["connect"]"#, "0[1]", "0x", "4{}"];
        for text in texts {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn attachments_complete_a_packet() {
        #[derive(serde::Deserialize)]
        struct Payload {
            b: Bytes,
        }
        let reader = PacketReader::new(1000);
        let text = r#"51-["p",{"b":{"_placeholder":true,"num":0}}]"#;
        assert!(matches!(reader.text(text.into()), Ok(None)));
        let Ok(Some(Incoming { kind: Kind::Event { data, .. }, .. })) = reader.binary(Bytes::from_static(b"xyz"))
        else {
            panic!("an event")
        };
        assert_eq!(data.decode::<Payload>().unwrap().b, "xyz");
        assert!(matches!(reader.binary(Bytes::from_static(b"more")), Err(PacketError::Parse(_))));
    }

    #[test]
    fn packets_are_written_as_the_reference_server_writes_them() {
        let text = |outgoing: Option<Outgoing>| outgoing.map(|outgoing| outgoing.text.as_str().to_owned());
        assert_eq!(text(connected("/", "abc")).as_deref(), Some(r#"40{"sid":"abc"}"#));
        assert_eq!(text(connected("/chat", "abc")).as_deref(), Some(r#"40/chat,{"sid":"abc"}"#));
        assert_eq!(
            text(refused("/x", "Invalid namespace")).as_deref(),
            Some(r#"44/x,{"message":"Invalid namespace"}"#)
        );
        assert_eq!(text(disconnected("/chat")).as_deref(), Some("41/chat,"));
        let ack = Content::Ack { id: AckId::Number(7), data: Data::of(&true).unwrap() };
        assert_eq!(text(write("/chat", &ack)).as_deref(), Some("43/chat,7[true]"));
    }

    proptest! {
        /// From pieces of which packets are made, in any order.
        #[test]
        fn whatever_a_client_sends_is_a_packet_or_an_error(
            pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..12),
            attachments in 0..3_usize,
            is_event in any::<bool>(),
        ) {
            let reader = PacketReader::new(100);
            let text = if is_event { format!("51-[\"e\",{}]", pieces.concat()) } else { pieces.concat() };
            let mut read = reader.text(text.into());
            for _ in 0..attachments {
                if let Ok(None) = read {
                    read = reader.binary(Bytes::from_static(b"xyz"));
                }
            }
            if let Ok(Some(Incoming { kind: Kind::Event { data, .. } | Kind::Ack { data, .. } | Kind::Connect(data), .. })) = read {
                prop_assert!(serde_json::from_str::<IgnoredAny>(&data.to_json()).is_ok(), "{data:?}");
                let _any = data.decode::<(serde_json::Value, Option<Bytes>)>();
            }
        }
    }

    const PIECES: &[&str] = &[
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "51-",
        "52-",
        "-",
        "/",
        "/a",
        ",",
        "7",
        "[",
        "]",
        "{",
        "}",
        "\"e\"",
        "\"a\\\"]\"",
        ":",
        "{\"_placeholder\":true,\"num\":0}",
        "{\"_placeholder\":true,\"num\":9}",
        "\u{e9}",
        " ",
        "null",
        "1e9",
        "\\",
    ];
}
