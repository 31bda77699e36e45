//! Values in lib0's `Any` encoding: what arrays and maps hold, and the options of sub-documents.
//!
//! Nothing here builds a value. The server only needs to know where one ends, and that every reader will agree.

use super::scan::ScanError;
use crate::lib0::{DecodeError, Reader};

/// How much of bytes to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// They come from outside: check everything.
    Outside,
    /// They passed a check before: find the lengths only.
    Checked,
}

impl Trust {
    /// Reads past a text.
    pub(super) fn skip_text(self, reader: &mut Reader<'_>) -> Result<(), ScanError> {
        match self {
            Self::Outside => reader.text().map(drop)?,
            Self::Checked => reader.buffer().map(drop)?,
        }
        Ok(())
    }

    /// Reads past one value, nested at most [`MAX_DEPTH`] deep.
    pub(super) fn skip_any(self, reader: &mut Reader<'_>) -> Result<(), ScanError> {
        skip_value(reader, self, MAX_DEPTH)
    }

    /// Reads past `count` values.
    pub(super) fn skip_anys(self, reader: &mut Reader<'_>, count: u64) -> Result<(), ScanError> {
        check_count(reader, count, 1)?;
        for _ in 0..count {
            self.skip_any(reader)?;
        }
        Ok(())
    }

    /// Reads past the options of a sub-document: an object that neither renames nor disarms the document.
    ///
    /// Yjs spreads the options into the arguments of the document's constructor. It never writes `guid` and
    /// `gcFilter` there; a foreign `gcFilter` that is no function would throw in every later clean-up.
    pub(super) fn skip_subdocument_options(self, reader: &mut Reader<'_>) -> Result<(), ScanError> {
        if self == Self::Checked {
            return self.skip_any(reader);
        }
        if reader.byte()? != OBJECT {
            return Err(ScanError::SubdocumentOptions);
        }
        let count = reader.var_uint()?;
        check_count(reader, count, 2)?;
        for _ in 0..count {
            if matches!(reader.text()?, "guid" | "gcFilter") {
                return Err(ScanError::SubdocumentOptions);
            }
            skip_value(reader, self, MAX_DEPTH - 1)?;
        }
        Ok(())
    }
}

/// Checks that `count` things of at least `least` bytes each can follow, so that a loop over them is bounded.
pub(super) fn check_count(reader: &Reader<'_>, count: u64, least: u64) -> Result<(), ScanError> {
    if count > reader.rest().len() as u64 / least { Err(DecodeError::Truncated.into()) } else { Ok(()) }
}

fn skip_value(reader: &mut Reader<'_>, trust: Trust, depth_left: u8) -> Result<(), ScanError> {
    match reader.byte()? {
        UNDEFINED | NULL | FALSE | TRUE => {}
        INTEGER => skip_var_int(reader)?,
        FLOAT32 => reader.bytes(4).map(drop)?,
        FLOAT64 | BIGINT => reader.bytes(8).map(drop)?,
        STRING => trust.skip_text(reader)?,
        BINARY => reader.buffer().map(drop)?,
        tag @ (OBJECT | ARRAY) => {
            let depth_left = depth_left.checked_sub(1).ok_or(ScanError::TooDeep)?;
            let count = reader.var_uint()?;
            check_count(reader, count, if tag == OBJECT { 2 } else { 1 })?;
            for _ in 0..count {
                if tag == OBJECT {
                    trust.skip_text(reader)?;
                }
                skip_value(reader, trust, depth_left)?;
            }
        }
        tag => return Err(ScanError::UnknownValue(tag)),
    }
    Ok(())
}

/// Reads past a signed integer: six bits and the sign in the first byte, then seven bits a byte.
///
/// It may be as large as Yjs reads without an error, which is a little more than it writes.
fn skip_var_int(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let first = reader.byte()?;
    if first < 0x80 {
        return Ok(());
    }
    let mut value = u64::from(first & 0x3f);
    let mut shift = 6;
    loop {
        let byte = reader.byte()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(());
        }
        shift += 7;
        if value >= 1 << 53 || shift > 55 {
            return Err(DecodeError::IntegerTooLarge);
        }
    }
}

/// Arrays and objects inside each other, at most. Deeper values overflow the stacks of other readers.
pub(super) const MAX_DEPTH: u8 = 64;

const BINARY: u8 = 116;
const ARRAY: u8 = 117;
const OBJECT: u8 = 118;
const STRING: u8 = 119;
const TRUE: u8 = 120;
const FALSE: u8 = 121;
const BIGINT: u8 = 122;
const FLOAT64: u8 = 123;
const FLOAT32: u8 = 124;
const INTEGER: u8 = 125;
const NULL: u8 = 126;
const UNDEFINED: u8 = 127;

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(bytes: &[u8]) -> Result<usize, ScanError> {
        let mut reader = Reader::new(bytes);
        Trust::Outside.skip_any(&mut reader)?;
        Ok(reader.rest().len())
    }

    #[test]
    fn every_kind_of_value_ends_where_it_ends() {
        for value in [
            &[127][..],
            &[126],
            &[125, 5],
            &[125, 0x40],
            &[125, 0xbf, 0xff, 0xff, 0xff, 0x7f],
            &[124, 0, 0, 0, 0],
            &[123, 0, 0, 0, 0, 0, 0, 0, 0],
            &[122, 0, 0, 0, 0, 0, 0, 0, 0],
            &[121],
            &[120],
            &[119, 2, b'h', b'i'],
            &[118, 1, 1, b'k', 126],
            &[117, 2, 126, 117, 0],
            &[116, 3, 0xff, 0xfe, 0xfd],
        ] {
            assert_eq!(skip(value), Ok(0), "{value:?}");
            assert_eq!(skip(&[value, &[9, 9]].concat()), Ok(2), "{value:?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| [&[117, 1].repeat(depth)[..], &[126]].concat();
        assert_eq!(skip(&nested(MAX_DEPTH.into())), Ok(0));
        assert_eq!(skip(&nested(usize::from(MAX_DEPTH) + 1)), Err(ScanError::TooDeep));
        assert_eq!(skip(&nested(100_000)), Err(ScanError::TooDeep));
    }

    #[test]
    fn a_count_beyond_the_input_costs_nothing() {
        assert_eq!(skip(&[117, 0xff, 0xff, 0xff, 0xff, 0x7f]), Err(DecodeError::Truncated.into()));
        assert_eq!(skip(&[115]), Err(ScanError::UnknownValue(115)));
    }

    #[test]
    fn options_that_would_disarm_a_subdocument_are_refused() {
        let options = |bytes: &[u8]| Trust::Outside.skip_subdocument_options(&mut Reader::new(bytes));
        assert_eq!(options(&[118, 0]), Ok(()));
        assert_eq!(options(&[118, 1, 2, b'g', b'c', 121]), Ok(()));
        assert_eq!(options(&[126]), Err(ScanError::SubdocumentOptions));
        assert_eq!(options(b"\x76\x01\x08gcFilter\x7e"), Err(ScanError::SubdocumentOptions));
    }
}
