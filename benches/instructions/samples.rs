//! Updates and documents, the same in every run.

use ydock::lib0::{write_text, write_var_uint};
use ydock::sync::merge;

/// A random number after another: a linear congruential generator.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below a bound.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// The update in which a client types a text after a letter of somebody, or at the beginning of the document.
pub(crate) fn insertion((client, clock): (u64, u64), after: Option<(u64, u64)>, text: &str) -> Vec<u8> {
    let mut out = vec![1, 1];
    write_var_uint(&mut out, client);
    write_var_uint(&mut out, clock);
    if let Some((client, clock)) = after {
        out.push(0x84); // a string with an origin
        write_var_uint(&mut out, client);
        write_var_uint(&mut out, clock);
    } else {
        out.extend([4, 1]); // a string in a root
        write_text(&mut out, "t");
    }
    write_text(&mut out, text);
    out.push(0);
    out
}

/// The updates of one client that types so many letters, one after the other.
pub(crate) fn typing(client: u64, letters: u64) -> Vec<Vec<u8>> {
    let before = |clock: u64| clock.checked_sub(1).map(|before| (client, before));
    (0..letters).map(|clock| insertion((client, clock), before(clock), "a")).collect()
}

/// So many insertions of ten letters by 8 clients, each at a random place of what was there before.
pub(crate) fn scattered(count: u64) -> Vec<Vec<u8>> {
    let mut random = Random::new(42);
    let mut clocks = [0_u64; 8];
    let mut there: Vec<(u64, u64)> = Vec::new();
    let insert = |_| {
        let client = random.below(8);
        let clock = &mut clocks[usize::try_from(client).unwrap()];
        let at = there.len().checked_sub(1).map(|last| random.below(last as u64 + 1));
        let after = at.map(|at| there[usize::try_from(at).unwrap()]);
        let update = insertion((client + 1, *clock), after, "ten letter");
        there.extend((*clock..*clock + 10).map(|clock| (client + 1, clock)));
        *clock += 10;
        update
    };
    (0..count).map(insert).collect()
}

/// A document that was written so.
pub(crate) fn document(count: u64) -> Vec<u8> {
    merge(scattered(count).iter().map(Vec::as_slice)).unwrap()
}

/// A frame as a client sends it.
pub(crate) fn masked(payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut out = vec![0x82];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len), _) if len <= 125 => out.push(0x80 | len),
        (_, Ok(len)) => {
            out.push(0xfe);
            out.extend(len.to_be_bytes());
        }
        _ => {
            out.push(0xff);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}
