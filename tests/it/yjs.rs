//! Yjs v1 updates, made by hand: one client types letters into the text `t`.

use ydock::lib0::{write_text, write_var_uint};

/// The update in which `client` types its `clock`-th letter after its previous one.
pub(crate) fn letter(client: u64, clock: u64) -> Vec<u8> {
    typed(client, clock, "a")
}

/// The update in which `client` types a text after what it typed before.
pub(crate) fn typed(client: u64, clock: u64, text: &str) -> Vec<u8> {
    let mut out = vec![1, 1];
    write_var_uint(&mut out, client);
    write_var_uint(&mut out, clock);
    if clock == 0 {
        out.push(4); // a string, in a root
        out.push(1);
        write_text(&mut out, "t");
    } else {
        out.push(0x84); // a string with an origin
        write_var_uint(&mut out, client);
        write_var_uint(&mut out, clock - 1);
    }
    write_text(&mut out, text);
    out.push(0);
    out
}

/// What is in a frame as a server sends it, behind its header.
pub(crate) fn payload(frame: &[u8]) -> &[u8] {
    let header = match frame.get(1) {
        Some(0..=125) => 2,
        Some(126) => 4,
        _ => 10,
    };
    frame.get(header..).unwrap()
}
