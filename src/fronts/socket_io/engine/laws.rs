//! What holds for any payload of a client: what is read of it and sent back is read as the same.

use bytes::Bytes;
use socketioxide_core::Str;

use super::packet::{self, Packet, Said};

/// What is for those above the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Heard {
    Text(Str),
    Binary(Bytes),
}

/// What a payload says up to its end, or to what nobody says.
pub(in super::super) fn heard(payload: &[u8]) -> Vec<Heard> {
    let heard = read(payload);
    let sent: Vec<_> = heard.iter().map(sent_back).collect();
    let again = packet::write_payload(&sent);
    let expected: usize = sent.iter().map(|packet| packet::in_payload(packet) + 1).sum();
    assert_eq!(again.len(), expected.saturating_sub(1));
    assert_eq!(read(again.as_bytes()), heard);
    heard
}

fn read(payload: &[u8]) -> Vec<Heard> {
    let Ok(packets) = packet::read_payload(payload) else { return Vec::new() };
    let said = packets.map_while(Result::ok);
    let heard = said.filter_map(|said| match said {
        Said::Message(text) => Some(Heard::Text(text)),
        Said::Binary(bytes) => Some(Heard::Binary(bytes)),
        Said::Close | Said::Pong | Said::Probe | Said::Upgrade => None,
    });
    heard.collect()
}

fn sent_back(heard: &Heard) -> Packet {
    match heard {
        Heard::Text(text) => Packet::Text(Packet::message(text)),
        Heard::Binary(bytes) => Packet::Binary(bytes.clone()),
    }
}
