//! Bytes from a client: the scanner never panics, and walks what it accepts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(update) = ydock::sync::UpdateRef::parse(bytes) {
        assert!(update.blocks().count() + update.deletes().count() <= bytes.len());
    }
});
