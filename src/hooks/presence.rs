//! Presence as hooks see it: the entries of an awareness update, one by one.

use crate::ids::ClientId;
use crate::lib0::{DecodeError, Reader, write_text, write_var_uint};

/// What one Yjs client shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceEntry {
    /// The client.
    pub client: ClientId,
    /// Grows with each change; of an older one than is known nothing is taken.
    pub clock: u32,
    /// JSON text, or `None` when the client has gone.
    pub state: Option<Box<str>>,
}

/// The entries of an awareness update.
pub(super) fn read(update: &[u8]) -> Result<Vec<PresenceEntry>, DecodeError> {
    let mut reader = Reader::new(update);
    let mut entries = Vec::new();
    for _ in 0..reader.var_uint()? {
        let client = ClientId::new(reader.var_uint()?).ok_or(DecodeError::IntegerTooLarge)?;
        let clock = reader.var_u32()?;
        let text = reader.text()?;
        entries.push(PresenceEntry { client, clock, state: (text != GONE).then(|| text.into()) });
    }
    Ok(entries)
}

/// The awareness update of these entries.
pub(super) fn write(entries: &[PresenceEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    write_var_uint(&mut out, entries.len() as u64);
    for entry in entries {
        write_var_uint(&mut out, entry.client.value());
        write_var_uint(&mut out, u64::from(entry.clock));
        write_text(&mut out, entry.state.as_deref().unwrap_or(GONE));
    }
    out
}

/// The state of a client that has gone.
const GONE: &str = "null";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_update_comes_back_as_it_was() {
        let update = b"\x02\x07\x01\x02{}\x08\xac\x02\x04null";
        let entries = read(update).unwrap();
        let states: Vec<_> =
            entries.iter().map(|entry| (entry.client.value(), entry.clock, entry.state.as_deref())).collect();
        assert_eq!(states, [(7, 1, Some("{}")), (8, 300, None)]);
        assert_eq!(write(&entries), update);
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        assert!(read(b"\x02\x07\x01\x02{}").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
        }
    }
}
