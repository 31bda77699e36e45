//! A frame of a Hocuspocus provider: its address, and the message after it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ydock::fronts::hocuspocus::laws::check(bytes));
