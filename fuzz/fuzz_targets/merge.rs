//! Two halves of the input as updates: merge, diff and split never panic, and lose nothing of what they read.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((len, rest)) = bytes.split_first() else { return };
    if let Some((one, two)) = rest.split_at_checked((*len).into()) {
        ydock_fuzz::merge_both(one, two);
    }
});
