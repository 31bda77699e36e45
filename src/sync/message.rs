//! The three sync messages of y-protocols, as every front carries them.

use thiserror::Error;

use bytes::BufMut;

use crate::lib0::{DecodeError, Reader, write_var_uint};

/// A sync message, its payload still encoded.
///
/// ```
/// use ydock::lib0::Reader;
/// use ydock::sync::SyncMessage;
///
/// let message = SyncMessage::read(&mut Reader::new(&[0, 1, 0]))?;
/// assert_eq!(message, SyncMessage::Step1(&[0]));
/// # Ok::<(), ydock::sync::SyncMessageError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncMessage<'a> {
    /// The sender's state vector, for an answer with what it lacks.
    Step1(&'a [u8]),
    /// The answer to `Step1`: an update.
    Step2(&'a [u8]),
    /// An update that just happened.
    Update(&'a [u8]),
}

/// Why bytes are no sync message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SyncMessageError {
    /// It ends early or has a malformed number.
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    /// Its type is none of the three.
    #[error("the sync message type {0} is unknown")]
    UnknownType(u64),
}

impl<'a> SyncMessage<'a> {
    /// Reads what follows the outer message type 0. What comes after the message stays in the reader.
    ///
    /// # Errors
    /// When it ends early or its type is unknown.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, SyncMessageError> {
        let wrap = match reader.var_uint()? {
            STEP1 => Self::Step1,
            STEP2 => Self::Step2,
            UPDATE => Self::Update,
            other => return Err(SyncMessageError::UnknownType(other)),
        };
        Ok(wrap(reader.buffer()?))
    }

    /// Appends type and payload, without the outer message type.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_head(out);
        let (Self::Step1(payload) | Self::Step2(payload) | Self::Update(payload)) = self;
        out.extend_from_slice(payload);
    }

    /// Appends what stands before the payload: type and length.
    pub fn write_head(&self, out: &mut impl BufMut) {
        let (number, payload) = match self {
            Self::Step1(payload) => (STEP1, payload),
            Self::Step2(payload) => (STEP2, payload),
            Self::Update(payload) => (UPDATE, payload),
        };
        write_var_uint(out, number);
        write_var_uint(out, payload.len() as u64);
    }
}

const STEP1: u64 = 0;
const STEP2: u64 = 1;
const UPDATE: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_written() {
        for message in [SyncMessage::Step1(&[0]), SyncMessage::Step2(&[0, 0]), SyncMessage::Update(&[1, 2, 3])] {
            let mut out = Vec::new();
            message.write(&mut out);
            out.push(9);
            let mut reader = Reader::new(&out);
            assert_eq!(SyncMessage::read(&mut reader), Ok(message));
            assert_eq!(reader.rest(), [9]);
        }
    }

    #[test]
    fn a_captured_frame_reads_as_an_update() {
        // 00 02 0b 0101070004010174016100 from y-websocket, without the outer type.
        let frame = [2, 0x0b, 1, 1, 7, 0, 4, 1, 1, 0x74, 1, 0x61, 0];
        assert_eq!(SyncMessage::read(&mut Reader::new(&frame)), Ok(SyncMessage::Update(&frame[2..])));
    }

    #[test]
    fn an_unknown_type_and_a_short_payload_are_refused() {
        let read = |bytes: &'static [u8]| SyncMessage::read(&mut Reader::new(bytes));
        assert_eq!(read(&[3, 0]), Err(SyncMessageError::UnknownType(3)));
        assert_eq!(read(&[0, 5, 1]), Err(DecodeError::Truncated.into()));
    }
}
