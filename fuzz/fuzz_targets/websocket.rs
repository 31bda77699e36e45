//! What a client sends, after how much of it is allowed and how it is cut: it says the same whole and in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(([allowed, cuts @ ..], stream)) = bytes.split_first_chunk::<5>() {
        ydock_fuzz::websocket::check(stream, usize::from(*allowed).pow(2), *cuts);
    }
});
