//! Updates in sequence, each after its length in one byte: what the gate accepts, it accepts again when merged.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (mut index, mut accepted, mut rest) = (ydock::sync::DocumentIndex::new(), Vec::new(), bytes);
    while let Some((update, later)) = rest.split_first().and_then(|(len, rest)| rest.split_at_checked((*len).into())) {
        rest = later;
        ydock_fuzz::put(&mut index, update, &mut accepted);
    }
    ydock_fuzz::check(&index, &accepted);
});
