//! A frame of a y-websocket client, with as many messages as it holds.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ydock::fronts::y_websocket::laws::check(bytes));
