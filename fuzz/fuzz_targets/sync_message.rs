//! A sync message and the state vector in it, as every front reads them.
#![no_main]
use ydock::lib0::Reader;
use ydock::sync::{StateVector, SyncMessage};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(SyncMessage::Step1(state)) = SyncMessage::read(&mut Reader::new(bytes)) {
        let _ = StateVector::decode(state, 1000);
    }
});
