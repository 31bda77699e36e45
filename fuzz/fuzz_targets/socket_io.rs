//! A payload of a Socket.IO client: packets of the transport, and those of Socket.IO in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ydock::fronts::socket_io::laws::check(bytes));
