//! Yjs v1 updates, made and read by hand: writers type letters, each after its own last one, into the text `t`.

use ydock::lib0::{DecodeError, Reader, write_text, write_var_uint};

/// Consecutive letters of one client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) client: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// Appends the update in which a client types a text after all that it typed before.
pub(crate) fn write_typed(out: &mut Vec<u8>, client: u64, clock: u64, text: &str) {
    out.extend_from_slice(&[1, 1]);
    write_var_uint(out, client);
    write_var_uint(out, clock);
    if clock == 0 {
        out.extend_from_slice(&[4, 1]); // a string, in a root
        write_text(out, "t");
    } else {
        out.push(0x84); // a string with an origin
        write_var_uint(out, client);
        write_var_uint(out, clock - 1);
    }
    write_text(out, text);
    out.push(0);
}

/// The update in which a client inserts pieces of 25 letters from piece `first` on, each before all earlier ones, so that no
/// two become one.
pub(crate) fn pieces(client: u64, first: u64, count: u64) -> Vec<u8> {
    let mut out = vec![1];
    write_var_uint(&mut out, count);
    write_var_uint(&mut out, client);
    write_var_uint(&mut out, first * PIECE.len() as u64);
    for piece in first..first + count {
        if piece == 0 {
            out.extend_from_slice(&[4, 1]);
            write_text(&mut out, "t");
        } else {
            out.push(0x44); // a string with a right origin
            write_var_uint(&mut out, client);
            write_var_uint(&mut out, (piece - 1) * PIECE.len() as u64);
        }
        write_text(&mut out, PIECE);
    }
    out.push(0);
    out
}

pub(crate) const PIECE: &str = "twenty-five characters...";

/// Hands over what an update brings: text in ASCII, and nothing else.
pub(crate) fn runs(update: &[u8], mut take: impl FnMut(Run)) -> Result<(), DecodeError> {
    let mut reader = Reader::new(update);
    for _ in 0..reader.var_uint()? {
        let blocks = reader.var_uint()?;
        let client = reader.var_uint()?;
        let mut start = reader.var_uint()?;
        let mut end = start;
        for _ in 0..blocks {
            match block(&mut reader)? {
                Block::Content(length) => end += length,
                Block::Skip(length) => {
                    take(Run { client, start, end });
                    (start, end) = (end + length, end + length);
                }
            }
        }
        take(Run { client, start, end });
    }
    Ok(())
}

/// The clocks of a state vector.
pub(crate) fn clocks(state_vector: &[u8], mut take: impl FnMut(u64, u64)) -> Result<(), DecodeError> {
    let mut reader = Reader::new(state_vector);
    for _ in 0..reader.var_uint()? {
        take(reader.var_uint()?, reader.var_uint()?);
    }
    Ok(())
}

enum Block {
    Content(u64),
    Skip(u64),
}

fn block(reader: &mut Reader<'_>) -> Result<Block, DecodeError> {
    let info = reader.byte()?;
    match info & 0x1f {
        0 => return Ok(Block::Content(reader.var_uint()?)),
        10 => return Ok(Block::Skip(reader.var_uint()?)),
        _ => {}
    }
    let is_linked = info & 0xc0 != 0;
    for _ in 0..(info >> 7) + (info >> 6 & 1) {
        id(reader)?;
    }
    if !is_linked {
        if reader.var_uint()? == 1 {
            reader.buffer()?;
        } else {
            id(reader)?;
        }
        if info & 0x20 != 0 {
            reader.buffer()?;
        }
    }
    match info & 0x1f {
        1 => Ok(Block::Content(reader.var_uint()?)),
        4 => Ok(Block::Content(reader.buffer()?.len() as u64)),
        _ => Err(DecodeError::Truncated),
    }
}

fn id(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    reader.var_uint()?;
    reader.var_uint()?;
    Ok(())
}
