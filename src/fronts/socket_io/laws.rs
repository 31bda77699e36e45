//! What holds for any payload of a client, whoever made it: its packets are read or refused, what was read is valid JSON, and a
//! message that the server sends is what a client of the same rules reads.

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::engine::laws::{Heard, heard};
use super::packets::{Incoming, Kind, PacketReader};

/// Reads a payload as the transport does, and its packets as a connection does.
///
/// # Panics
/// When a law is broken.
pub fn check(payload: &[u8]) {
    let reader = PacketReader::new(MAX_BYTES);
    for heard in heard(payload) {
        let packet = match heard {
            Heard::Text(text) => reader.text(text),
            Heard::Binary(bytes) => reader.binary(bytes),
        };
        match packet {
            Ok(Some(Incoming { path, kind })) => {
                assert!(!path.contains('?'));
                check_values(&kind);
            }
            Ok(None) => {}
            // Its connection is closed.
            Err(_) => return,
        }
    }
}

fn check_values(kind: &Kind) {
    let (Kind::Connect(data) | Kind::Event { data, .. } | Kind::Ack { data, .. }) = kind else { return };
    let json = data.to_json();
    assert!(serde_json::from_str::<IgnoredAny>(&json).is_ok(), "{json}");
    let _may_be_of_the_type = data.decode::<(serde_json::Value, Option<Bytes>)>().is_ok();
}

/// So much may wait for the rest of its packet.
const MAX_BYTES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_laws_hold_for_what_clients_send() {
        let attached = "451-[\"p\",{\"b\":{\"_placeholder\":true,\"num\":0}}]\u{1e}beHl6";
        for payload in
            ["", "40", "3", "2probe", "42/chat,7[\"join\",\"a\"]\u{1e}41", attached, "40{\"a\":1}", "4\u{1e}b*"]
        {
            check(payload.as_bytes());
        }
    }
}
