//! What a block inserts: text, values, formats, nested types, or only the length of what was deleted.

use super::any::{Trust, check_count};
use super::json;
use super::scan::ScanError;
use crate::lib0::Reader;

/// The content of one item, as its bytes in the update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// Deleted and thrown away; only the length is left.
    Deleted,
    /// Values as JSON texts, from old Yjs versions: the encoded texts without their count.
    Json(&'a [u8]),
    /// One binary value.
    Binary,
    /// Text in UTF-8; its length counts UTF-16 units.
    String(&'a [u8]),
    /// An object inside a text.
    Embed,
    /// The start or end of a format inside a text.
    Format,
    /// A nested shared type.
    Type(TypeKind),
    /// Values: the encoded values without their count.
    Any(&'a [u8]),
    /// A sub-document.
    Document,
}

/// The kinds of shared types, by their number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    /// `Y.Array`
    Array,
    /// `Y.Map`
    Map,
    /// `Y.Text`
    Text,
    /// `Y.XmlElement`
    XmlElement,
    /// `Y.XmlFragment`
    XmlFragment,
    /// `Y.XmlHook`
    XmlHook,
    /// `Y.XmlText`
    XmlText,
}

impl<'a> Content<'a> {
    /// Reads the content of a kind; with it its length in clock ticks, which may be zero or too large.
    pub(super) fn read(kind: u8, reader: &mut Reader<'a>, trust: Trust) -> Result<(Self, u64), ScanError> {
        Ok(match kind {
            DELETED => (Self::Deleted, reader.var_uint()?),
            JSON => {
                let count = reader.var_uint()?;
                let bytes = skipped(reader, |reader| skip_jsons(reader, count, trust))?;
                (Self::Json(bytes), count)
            }
            BINARY => {
                reader.buffer()?;
                (Self::Binary, 1)
            }
            STRING => {
                let text = match trust {
                    Trust::Outside => reader.text()?.as_bytes(),
                    Trust::Checked => reader.buffer()?,
                };
                (Self::String(text), utf16_len(text))
            }
            EMBED => {
                skip_json(reader, trust)?;
                (Self::Embed, 1)
            }
            FORMAT => {
                trust.skip_text(reader)?;
                skip_json(reader, trust)?;
                (Self::Format, 1)
            }
            TYPE => (Self::Type(TypeKind::read(reader, trust)?), 1),
            ANY => {
                let count = reader.var_uint()?;
                let bytes = skipped(reader, |reader| trust.skip_anys(reader, count))?;
                (Self::Any(bytes), count)
            }
            DOCUMENT => {
                trust.skip_text(reader)?;
                trust.skip_subdocument_options(reader)?;
                (Self::Document, 1)
            }
            _ => return Err(ScanError::UnknownBlockKind(kind)),
        })
    }

    /// The number of this kind of content in a block's first byte.
    pub(super) const fn kind(&self) -> u8 {
        match self {
            Self::Deleted => DELETED,
            Self::Json(_) => JSON,
            Self::Binary => BINARY,
            Self::String(_) => STRING,
            Self::Embed => EMBED,
            Self::Format => FORMAT,
            Self::Type(_) => TYPE,
            Self::Any(_) => ANY,
            Self::Document => DOCUMENT,
        }
    }
}

impl TypeKind {
    fn read(reader: &mut Reader<'_>, trust: Trust) -> Result<Self, ScanError> {
        Ok(match reader.var_uint()? {
            0 => Self::Array,
            1 => Self::Map,
            2 => Self::Text,
            3 => {
                trust.skip_text(reader)?;
                Self::XmlElement
            }
            4 => Self::XmlFragment,
            5 => {
                trust.skip_text(reader)?;
                Self::XmlHook
            }
            6 => Self::XmlText,
            other => return Err(ScanError::UnknownType(other)),
        })
    }
}

/// The number of UTF-16 units of a text in UTF-8.
pub(super) fn utf16_len(text: &[u8]) -> u64 {
    if text.is_ascii() {
        return text.len() as u64;
    }
    // One unit for each byte that starts a character, and a second one for the characters of four bytes.
    text.iter().map(|byte| u64::from(byte & 0xc0 != 0x80) + u64::from(*byte >= 0xf0)).sum()
}

/// Reads on and returns the bytes that it took.
fn skipped<'a>(
    reader: &mut Reader<'a>,
    skip: impl FnOnce(&mut Reader<'a>) -> Result<(), ScanError>,
) -> Result<&'a [u8], ScanError> {
    let before = *reader;
    skip(reader)?;
    Ok(before.until(reader))
}

fn skip_json(reader: &mut Reader<'_>, trust: Trust) -> Result<(), ScanError> {
    match trust {
        Trust::Outside => json::check(reader.text()?)?,
        Trust::Checked => reader.buffer().map(drop)?,
    }
    Ok(())
}

/// Old Yjs wrote each value as JSON, and `undefined` as that word.
fn skip_jsons(reader: &mut Reader<'_>, count: u64, trust: Trust) -> Result<(), ScanError> {
    check_count(reader, count, 1)?;
    for _ in 0..count {
        match trust {
            Trust::Outside => match reader.text()? {
                "undefined" => {}
                text => json::check(text)?,
            },
            Trust::Checked => reader.buffer().map(drop)?,
        }
    }
    Ok(())
}

pub(super) const GC: u8 = 0;
pub(super) const SKIP: u8 = 10;
const DELETED: u8 = 1;
const JSON: u8 = 2;
const BINARY: u8 = 3;
const STRING: u8 = 4;
const EMBED: u8 = 5;
const FORMAT: u8 = 6;
const TYPE: u8 = 7;
const ANY: u8 = 8;
const DOCUMENT: u8 = 9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_as_long_as_javascript_says(text in ".{0,60}") {
            prop_assert_eq!(utf16_len(text.as_bytes()), text.encode_utf16().count() as u64);
        }
    }
}
