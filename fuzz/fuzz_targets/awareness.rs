//! Awareness updates of two members by turns, each after its length in one byte.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ydock_fuzz::presence::check(bytes));
