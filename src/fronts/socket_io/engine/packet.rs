//! Packets of the transport, and the payloads in which polling carries several of them.

use axum::extract::ws::Utf8Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use socketioxide_core::Str;
use thiserror::Error;

/// What goes to a client. A text is the whole packet with its type, so that it is written once for all whom it goes to.
#[derive(Debug, Clone)]
pub(in super::super) enum Packet {
    Text(Utf8Bytes),
    /// An attachment of the text before it.
    Binary(Bytes),
}

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Close,
    Pong,
    Message(Str),
    Binary(Bytes),
    /// It asks whether a WebSocket works.
    Probe,
    /// It has gone over to the WebSocket.
    Upgrade,
}

/// What is no packet of a client.
#[derive(Debug, Error)]
#[error("malformed packet of the transport")]
pub(super) struct Malformed;

/// What a client is told when its session opens.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Opening<'a> {
    pub(super) sid: &'a str,
    pub(super) upgrades: &'a [&'a str],
    pub(super) ping_interval: u64,
    pub(super) ping_timeout: u64,
    pub(super) max_payload: u64,
}

impl Packet {
    pub(super) const CLOSE: Self = Self::Text(Utf8Bytes::from_static("1"));
    pub(super) const PING: Self = Self::Text(Utf8Bytes::from_static("2"));
    pub(super) const NOOP: Self = Self::Text(Utf8Bytes::from_static("6"));
    pub(super) const PROBED: Self = Self::Text(Utf8Bytes::from_static("3probe"));

    /// The packet that carries a text.
    pub(in super::super) fn message(text: &str) -> Utf8Bytes {
        format!("4{text}").into()
    }

    pub(super) fn opening(opening: &Opening<'_>) -> Self {
        // Plain fields: there is nothing that could not be written.
        Self::Text(format!("0{}", serde_json::to_string(opening).unwrap_or_default()).into())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Said, Malformed> {
    match (text.as_bytes().first(), text) {
        (Some(b'4'), _) => Ok(Said::Message(Str::copy_from_slice(text.get(1..).unwrap_or_default()))),
        (_, "1") => Ok(Said::Close),
        (_, "3") => Ok(Said::Pong),
        (_, "5") => Ok(Said::Upgrade),
        (_, "2probe") => Ok(Said::Probe),
        _ => Err(Malformed),
    }
}

/// Reads the packets of a payload, one after the other: of many small ones, all at once would take many times its size.
pub(super) fn read_payload(payload: &[u8]) -> Result<impl Iterator<Item = Result<Said, Malformed>>, Malformed> {
    let payload = str::from_utf8(payload).map_err(|_no_text| Malformed)?;
    Ok(payload.split(SEPARATOR).map(read_one))
}

fn read_one(text: &str) -> Result<Said, Malformed> {
    match text.strip_prefix('b') {
        Some(base64) => STANDARD.decode(base64).map(|bytes| Said::Binary(bytes.into())).map_err(|_no_base64| Malformed),
        None => read(text),
    }
}

/// Writes packets as one payload.
pub(super) fn write_payload(packets: &[Packet]) -> String {
    let mut payload = String::with_capacity(packets.iter().map(|packet| in_payload(packet) + 1).sum());
    for (index, packet) in packets.iter().enumerate() {
        if index > 0 {
            payload.push(SEPARATOR);
        }
        match packet {
            Packet::Text(text) => payload.push_str(text.as_str()),
            Packet::Binary(bytes) => {
                payload.push('b');
                STANDARD.encode_string(bytes, &mut payload);
            }
        }
    }
    payload
}

/// How many bytes a packet takes in a payload.
pub(super) fn in_payload(packet: &Packet) -> usize {
    match packet {
        Packet::Text(text) => text.len(),
        Packet::Binary(bytes) => 1 + bytes.len().div_ceil(3) * 4,
    }
}

const SEPARATOR: char = '\u{1e}';

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(payload: &[u8]) -> Result<Vec<Said>, Malformed> {
        read_payload(payload)?.collect()
    }

    #[test]
    fn a_payload_carries_texts_and_binary_both_ways() {
        let packets = [Packet::Text(Packet::message("2[\"a\"]")), Packet::Binary(Bytes::from_static(&[1, 2, 3, 4]))];
        let payload = write_payload(&packets);
        assert_eq!(payload, "42[\"a\"]\u{1e}bAQIDBA==");
        assert_eq!(payload.len(), packets.iter().map(in_payload).sum::<usize>() + 1);
        let said = read_all(payload.as_bytes()).unwrap();
        assert_eq!(said, [Said::Message("2[\"a\"]".into()), Said::Binary(Bytes::from_static(&[1, 2, 3, 4]))]);
    }

    #[test]
    fn what_no_client_says_is_malformed() {
        for payload in ["", "0{}", "2", "abc", "6", "b*", "4a\u{1e}", "\u{1e}", "1 ", "3probe", "é"] {
            assert!(read_all(payload.as_bytes()).is_err(), "{payload:?}");
        }
        assert!(read_all(b"4\xff").is_err());
    }
}
