//! What holds for any frame of a client, whoever made it: reading it ends, and what is said under its address is read back under
//! the same.

use super::dialect::HocuspocusDialect;
use super::wire::{self, Incoming};
use crate::sync::{StateVector, SyncMessage, UpdateRef};

/// Reads a frame as the conversation does.
///
/// # Panics
/// When a law is broken.
pub fn check(frame: &[u8]) {
    let Ok((address, rest)) = wire::address(frame) else { return };
    let name = wire::name_in(address);
    assert!(!name.contains('\0') && address.starts_with(name));
    assert!(wire::place(address).is_ok_and(|doc| doc.as_str() == name) || wire::place(address).is_err());
    let answer = HocuspocusDialect::new(address).close("gone");
    let payload = payload(&answer);
    let (heard, said) = wire::address(payload).map_or(("", payload), |(heard, said)| (heard, said.rest()));
    assert_eq!((heard, said), (address, &b"\x07\x04gone"[..]));
    match wire::message(rest) {
        Ok(Incoming::Sync(SyncMessage::Step1(state))) => {
            let _may_be_one = StateVector::decode(state, 1000).is_ok();
        }
        Ok(Incoming::Sync(SyncMessage::Step2(update) | SyncMessage::Update(update))) => {
            let _may_be_one = UpdateRef::parse(update).is_ok();
        }
        _ => {}
    }
}

/// What is in a frame of the server, behind its header.
fn payload(frame: &[u8]) -> &[u8] {
    let header = match frame.get(1) {
        Some(0..=125) => 2,
        Some(126) => 4,
        _ => 10,
    };
    frame.get(header..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_laws_hold_for_what_clients_send() {
        let long = [&b"\xac\x02"[..], &[b'x'; 300], b"\x03"].concat();
        for frame in
            [&b""[..], b"\x03doc\x02\x00\x01t", b"\x05doc\0a\x00\x00\x01\x00", b"\x00\x00\x02\x02\x00\x00", &long]
        {
            check(frame);
        }
    }
}
