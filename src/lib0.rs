//! The integers, strings and buffers of lib0, the encoding under every Yjs message.
//!
//! Reading never allocates and never trusts a length: what does not lie in the input is an error.

use bytes::BufMut;
use thiserror::Error;

/// Why bytes are not what they claim to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ends inside a value.
    #[error("the message ends early")]
    Truncated,
    /// An integer is longer than its type, or larger than JavaScript can count (2⁵³ − 1).
    #[error("an integer is too large")]
    IntegerTooLarge,
    /// A text is not UTF-8.
    #[error("a text is not utf-8")]
    NotUtf8,
}

/// A cursor over bytes from outside.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes between this reader and `later`, a copy of it that has read on.
    pub(crate) fn until(&self, later: &Self) -> &'a [u8] {
        self.rest.get(..self.rest.len() - later.rest.len()).unwrap_or_default()
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// At the end of the input.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// Reads `count` bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// Reads a varUint: seven bits a byte, the low ones first, the high bit set on all but the last byte.
    ///
    /// # Errors
    /// When the input ends inside it or it exceeds 2⁵³ − 1, the largest integer that JavaScript counts exactly.
    pub fn var_uint(&mut self) -> Result<u64, DecodeError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
            shift += 7;
            if shift > 49 {
                return Err(DecodeError::IntegerTooLarge);
            }
        }
        if value >= 1 << 53 { Err(DecodeError::IntegerTooLarge) } else { Ok(value) }
    }

    /// Reads a varUint that must fit 32 bits.
    ///
    /// # Errors
    /// As [`var_uint`](Self::var_uint), and for anything above `u32::MAX`.
    pub fn var_u32(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.var_uint()?).or(Err(DecodeError::IntegerTooLarge))
    }

    /// Reads a buffer: its length as varUint, then its bytes.
    ///
    /// # Errors
    /// When the length is malformed or more than what is left.
    pub fn buffer(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(self.var_uint()?).or(Err(DecodeError::IntegerTooLarge))?;
        self.bytes(length)
    }

    /// Reads a text: a buffer of UTF-8.
    ///
    /// # Errors
    /// As [`buffer`](Self::buffer), and when the bytes are not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.buffer()?).or(Err(DecodeError::NotUtf8))
    }
}

/// Appends a varUint.
pub fn write_var_uint(out: &mut impl BufMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(u8::try_from(value & 0x7f).unwrap_or(0x7f) | 0x80);
        value >>= 7;
    }
    out.put_u8(u8::try_from(value).unwrap_or(0x7f));
}

/// Appends a buffer with its length.
pub fn write_buffer(out: &mut Vec<u8>, bytes: &[u8]) {
    write_var_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a text with its length.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    write_buffer(out, text.as_bytes());
}

/// The number of bytes that [`write_var_uint`] takes for a value.
#[must_use]
pub const fn var_uint_len(value: u64) -> usize {
    let bits = 64 - value.leading_zeros() as usize;
    if bits == 0 { 1 } else { bits.div_ceil(7) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_overlong_or_oversized_integer_is_refused() {
        assert_eq!(Reader::new(&[0xff; 9]).var_uint(), Err(DecodeError::IntegerTooLarge));
        let mut out = Vec::new();
        write_var_uint(&mut out, 1 << 53);
        assert_eq!(Reader::new(&out).var_uint(), Err(DecodeError::IntegerTooLarge));
        assert_eq!(Reader::new(&[0x80]).var_uint(), Err(DecodeError::Truncated));
    }

    #[test]
    fn a_length_beyond_the_input_is_refused_without_reading() {
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0x7f, 1]).buffer(), Err(DecodeError::Truncated));
    }

    proptest! {
        #[test]
        fn integers_and_texts_come_back_as_written(value in 0u64..1 << 53, text in ".{0,40}") {
            let mut out = Vec::new();
            write_var_uint(&mut out, value);
            prop_assert_eq!(out.len(), var_uint_len(value));
            write_text(&mut out, &text);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.var_uint(), Ok(value));
            prop_assert_eq!(reader.text(), Ok(text.as_str()));
            prop_assert!(reader.is_empty());
        }
    }
}
