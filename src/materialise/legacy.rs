//! Updates that the engine would misread, rewritten so that it reads them.
//!
//! Before 2020 Yjs wrote plain values as JSON texts (content kind 2): they become blocks of kind 8, which hold the same
//! values in binary form. Hooks (type 5) are maps with a name, which the engine does not expect: they become plain maps, as
//! which Yjs exports them too. On the way every update is walked once, so that counts
//! and nesting that the bytes do not bear out are refused before the engine reserves memory or stack for them.

use std::borrow::Cow;

use serde_json::Value;
use thiserror::Error;

use crate::lib0::{DecodeError, Reader, write_text, write_var_uint};

/// Why an update does not go to the engine.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum UpdateFault {
    /// It is no update.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A block has a kind that does not exist.
    #[error("content of an unknown kind ({0})")]
    UnknownKind(u8),
    /// A value has a type that does not exist.
    #[error("a value of an unknown type ({0})")]
    UnknownValue(u8),
    /// A JSON text of an old block does not parse.
    #[error("a value that is not json: {0}")]
    NotJson(String),
    /// Values lie in each other beyond [`MAX_DEPTH`].
    #[error("values nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// It holds something that the engine does not implement.
    #[error("{0}, which exports do not support")]
    Unsupported(&'static str),
}

/// The deepest nesting of values and types that is integrated and exported; JavaScript's own stack ends at about the same.
pub(super) const MAX_DEPTH: u32 = 10_000;

/// Walks an update and replaces what the engine misreads; borrows when there is nothing of it.
///
/// # Errors
/// When the blocks are malformed. The deletions behind them are left to the engine.
pub(super) fn modernise(update: &[u8]) -> Result<Cow<'_, [u8]>, UpdateFault> {
    let mut walk = Walk { input: update, reader: Reader::new(update), copied: 0, output: Vec::new() };
    let clients = walk.reader.var_uint()?;
    for _ in 0..clients {
        let blocks = walk.reader.var_uint()?;
        walk.reader.var_uint()?;
        walk.reader.var_uint()?;
        for _ in 0..blocks {
            walk.block()?;
        }
    }
    if walk.copied == 0 {
        return Ok(Cow::Borrowed(update));
    }
    walk.copy_until(update.len());
    Ok(Cow::Owned(walk.output))
}

struct Walk<'a> {
    input: &'a [u8],
    reader: Reader<'a>,
    /// How much of the input is in the output.
    copied: usize,
    output: Vec<u8>,
}

impl Walk<'_> {
    fn block(&mut self) -> Result<(), UpdateFault> {
        let start = self.position();
        let info = self.reader.byte()?;
        if info == BLOCK_SKIP || info & KIND_MASK == 0 {
            self.reader.var_uint()?;
            return Ok(());
        }
        for flag in [HAS_ORIGIN, HAS_RIGHT_ORIGIN] {
            if info & flag != 0 {
                self.id()?;
            }
        }
        if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
            if self.reader.var_uint()? == 1 {
                self.reader.buffer()?;
            } else {
                self.id()?;
            }
            if info & HAS_PARENT_SUB != 0 {
                self.reader.buffer()?;
            }
        }
        self.content(start, info)
    }

    fn content(&mut self, start: usize, info: u8) -> Result<(), UpdateFault> {
        match info & KIND_MASK {
            1 => {
                self.reader.var_uint()?;
            }
            2 => self.json_values(start, info)?,
            3..=5 => {
                self.reader.buffer()?;
            }
            6 => {
                self.reader.buffer()?;
                self.reader.buffer()?;
            }
            7 => self.shared_type()?,
            8 => {
                let count = self.reader.var_uint()?;
                self.values(count)?;
            }
            9 => {
                self.reader.buffer()?;
                self.values(1)?;
            }
            11 => return Err(UpdateFault::Unsupported("moved items")),
            kind => return Err(UpdateFault::UnknownKind(kind)),
        }
        Ok(())
    }

    fn shared_type(&mut self) -> Result<(), UpdateFault> {
        let start = self.position();
        match self.reader.var_uint()? {
            3 => {
                self.reader.buffer()?;
            }
            5 => {
                self.reader.buffer()?;
                self.copy_until(start);
                self.output.push(1);
                self.copied = self.position();
            }
            7 => return Err(UpdateFault::Unsupported("weak links")),
            _ => {}
        }
        Ok(())
    }

    /// Passes over values without recursion: what remains to be read at each level lies on a heap stack.
    fn values(&mut self, count: u64) -> Result<(), UpdateFault> {
        let mut open = vec![(count, false)];
        while let Some((left, keyed)) = open.last_mut() {
            if *left == 0 {
                open.pop();
                continue;
            }
            *left -= 1;
            if *keyed {
                self.reader.buffer()?;
            }
            match self.reader.byte()? {
                120 | 121 | 126 | 127 => {}
                125 => while self.reader.byte()? >= 0x80 {},
                124 => {
                    self.reader.bytes(4)?;
                }
                122 | 123 => {
                    self.reader.bytes(8)?;
                }
                116 | 119 => {
                    self.reader.buffer()?;
                }
                kind @ (117 | 118) => {
                    if open.len() > MAX_DEPTH as usize {
                        return Err(UpdateFault::TooDeep);
                    }
                    open.push((self.reader.var_uint()?, kind == 118));
                }
                kind => return Err(UpdateFault::UnknownValue(kind)),
            }
        }
        Ok(())
    }

    fn json_values(&mut self, start: usize, info: u8) -> Result<(), UpdateFault> {
        let content = self.position();
        let count = self.reader.var_uint()?;
        self.copy_until(start);
        self.output.push(info & !KIND_MASK | 8);
        self.copied = start + 1;
        self.copy_until(content);
        write_var_uint(&mut self.output, count);
        for _ in 0..count {
            match self.reader.text()? {
                "undefined" => self.output.push(127),
                text => {
                    let value = serde_json::from_str(text).map_err(|error| UpdateFault::NotJson(error.to_string()))?;
                    write_value(&mut self.output, &value);
                }
            }
        }
        self.copied = self.position();
        Ok(())
    }

    fn id(&mut self) -> Result<(), UpdateFault> {
        self.reader.var_uint()?;
        self.reader.var_uint()?;
        Ok(())
    }

    fn position(&self) -> usize {
        self.input.len() - self.reader.rest().len()
    }

    fn copy_until(&mut self, end: usize) {
        self.output.extend_from_slice(self.input.get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }
}

/// Writes a value as lib0's `writeAny` does, but for its choice of 32-bit floats. Depth is bounded by the JSON parser.
fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(126),
        Value::Bool(true) => out.push(120),
        Value::Bool(false) => out.push(121),
        Value::Number(number) => {
            out.push(123);
            out.extend_from_slice(&number.as_f64().unwrap_or(f64::NAN).to_be_bytes());
        }
        Value::String(text) => {
            out.push(119);
            write_text(out, text);
        }
        Value::Array(values) => {
            out.push(117);
            write_var_uint(out, values.len() as u64);
            for value in values {
                write_value(out, value);
            }
        }
        Value::Object(members) => {
            out.push(118);
            write_var_uint(out, members.len() as u64);
            for (key, value) in members {
                write_text(out, key);
                write_value(out, value);
            }
        }
    }
}

const KIND_MASK: u8 = 0x1f;
const BLOCK_SKIP: u8 = 0x0a;
const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_without_old_blocks_is_borrowed() {
        let update = [1, 1, 1, 0, 4, 1, 1, b't', 2, b'h', b'i', 0];
        assert!(matches!(modernise(&update), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn an_old_json_block_becomes_a_block_of_values_and_its_neighbours_stay() {
        let old = [
            1, 2, 5, 0, // one client with two blocks
            2, 1, 1, b'a', 3, 1, b'1', 9, b'u', b'n', b'd', b'e', b'f', b'i', b'n', b'e', b'd', 4, b't', b'r', b'u',
            b'e', 0x84, 5, 2, 1, b'x', 0,
        ];
        let new = modernise(&old).expect("a rewritten update");
        let mut expected = vec![1, 2, 5, 0, 8, 1, 1, b'a', 3, 123];
        expected.extend_from_slice(&1f64.to_be_bytes());
        expected.extend_from_slice(&[127, 120, 0x84, 5, 2, 1, b'x', 0]);
        assert_eq!(new, expected);
    }

    #[test]
    fn a_hook_becomes_a_map() {
        let hook = [1, 2, 5, 0, 7, 1, 1, b'x', 5, 2, b'h', b'k', 0x84, 5, 0, 1, b'y', 0];
        let map = [1, 2, 5, 0, 7, 1, 1, b'x', 1, 0x84, 5, 0, 1, b'y', 0];
        assert_eq!(modernise(&hook).expect("a rewritten update"), map.as_slice());
    }

    #[test]
    fn deep_values_large_counts_and_unknown_kinds_are_refused_without_the_engine() {
        let mut deep = vec![1, 1, 5, 0, 8, 1, 1, b'a', 1];
        deep.extend([117, 1].repeat(20_000));
        deep.extend([126, 0]);
        assert_eq!(modernise(&deep), Err(UpdateFault::TooDeep));
        assert_eq!(modernise(&[0x80, 0x84, 0xaf, 0x5f]), Err(UpdateFault::Malformed(DecodeError::Truncated)));
        assert_eq!(modernise(&[1, 1, 1, 0, 12, 1, 1, b'a', 0, 0]), Err(UpdateFault::UnknownKind(12)));
        assert_eq!(modernise(&[1, 1, 1, 0, 7, 1, 1, b'a', 7, 0]), Err(UpdateFault::Unsupported("weak links")));
    }
}
