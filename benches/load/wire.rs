//! The frames of RFC 6455, by hand and for both sides, so that what is measured is the servers and not a library.

use std::io;

use rustix::io::read;
use tokio::io::Interest;
use tokio::net::TcpStream;

pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A whole frame; its payload is unmasked.
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
}

/// Finds the frames in what a socket gives, and keeps the beginning of one that is not whole yet.
#[derive(Default)]
pub(crate) struct Inbox {
    partial: Vec<u8>,
}

impl Inbox {
    /// Hands over every whole frame, those that began in earlier readings first.
    pub(crate) fn take(&mut self, bytes: &mut [u8], take: impl FnMut(&Frame<'_>)) {
        if self.partial.is_empty() {
            let used = frames(bytes, take);
            self.partial.extend_from_slice(&bytes[used..]);
            return;
        }
        self.partial.extend_from_slice(bytes);
        let used = frames(&mut self.partial, take);
        if used == self.partial.len() {
            self.partial.clear();
            self.partial.shrink_to(LITTLE);
        } else if used > 0 {
            self.partial.drain(..used);
        }
    }
}

/// Reads what there is, at most a buffer full. `WouldBlock` when there is nothing, 0 at the end.
///
/// A reading that does not fill the buffer has emptied the socket, and spares the second call that would say so.
pub(crate) fn read_ready(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut count = None;
    let outcome = stream.try_io(Interest::READABLE, || {
        let got = read(stream, &mut *buffer)?;
        count = Some(got);
        if got > 0 && got < buffer.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    match (count, outcome) {
        (Some(count), _) => Ok(count),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// Appends a frame as a server writes it.
pub(crate) fn write_server_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    write_head(out, opcode, 0, payload.len());
    out.extend_from_slice(payload);
}

/// Appends a frame as a client writes it.
pub(crate) fn write_client_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    write_head(out, opcode, 0x80, payload.len());
    // Any key will do, as long as the server has to unmask.
    let length = u32::try_from(payload.len() + out.len()).unwrap_or(1);
    let key = length.wrapping_mul(0x9e37_79b9).to_le_bytes();
    out.extend_from_slice(&key);
    let start = out.len();
    out.extend_from_slice(payload);
    mask(&mut out[start..], key);
}

fn write_head(out: &mut Vec<u8>, opcode: u8, masked: u8, length: usize) {
    out.push(0x80 | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 126 => out.push(masked | length),
        (_, Ok(length)) => {
            out.push(masked + 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(masked + 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

fn mask(bytes: &mut [u8], key: [u8; 4]) {
    let mut chunks = bytes.chunks_exact_mut(4);
    for chunk in &mut chunks {
        for (byte, key) in chunk.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// Hands over the whole frames; returns how many bytes they take.
fn frames(bytes: &mut [u8], mut take: impl FnMut(&Frame<'_>)) -> usize {
    let mut used = 0;
    while let Some(head) = Head::read(&bytes[used..]) {
        let start = used + head.length;
        let Some(payload) = bytes.get_mut(start..start + head.payload) else { break };
        if let Some(key) = head.key {
            mask(payload, key);
        }
        take(&Frame { opcode: head.opcode, payload });
        used = start + head.payload;
    }
    used
}

struct Head {
    opcode: u8,
    length: usize,
    payload: usize,
    key: Option<[u8; 4]>,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        // Neither side cuts messages, and no extension is agreed on.
        assert_eq!(first & 0xf0, 0x80, "a frame that is none of ours");
        let (payload, mut length) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
            127 => (usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?, 10),
            short => (usize::from(short), 2),
        };
        let mut key = None;
        if second & 0x80 != 0 {
            key = Some(bytes.get(length..length + 4)?.try_into().ok()?);
            length += 4;
        }
        Some(Self { opcode: first & 0x0f, length, payload, key })
    }
}

/// What a connection may keep between frames.
const LITTLE: usize = 4096;
