//! A message of a gateway client that speaks JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ydock::fronts::json_ws::laws::check(bytes));
