//! The pipe between the server and a worker: closed enums in length-limited frames.
//!
//! A frame is a `u32` length in little endian, then that many bytes of bincode. The server sends one request and reads
//! until the response that settles it, so neither side ever waits to write while the other does.

use std::io::{self, Read, Write};

use bincode::config::{Configuration, Limit};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::export::{Export, Refusal};

/// What the server asks of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Applies updates, in order, to a document, which is empty when the worker has none in this slot.
    Load { slot: u64, parts: Vec<Bytes>, pace: Pace },
    /// Exports a document that was loaded.
    Export { slot: u64, export: Export },
    /// Forgets a document.
    Drop { slot: u64 },
}

/// How a worker goes through updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Pace {
    /// Many to a transaction, with word of progress after each transaction.
    Fast,
    /// Each on its own, with word of progress after each.
    Careful,
}

/// What a worker answers. All but `Ready` and `Applied` settle a request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Response {
    /// The first frame, once the limits are set; without request.
    Ready { protocol: u32 },
    /// So many parts of the current load have been dealt with.
    Applied { parts: u64 },
    /// The load is complete but for the parts named here, which are no updates.
    Loaded { skipped: Vec<Skipped> },
    /// The export.
    Exported { bytes: Bytes },
    /// The document has been forgotten.
    Dropped,
    /// The document cannot be exported, and is unchanged or, after a panic, forgotten.
    Refused { refusal: Refusal },
    /// The export is longer than a frame.
    Oversized,
}

/// A part that is no update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Skipped {
    /// Its index in the load.
    pub part: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// The version of these enums: server and worker are the same build, so a difference means another program answered.
pub(super) const PROTOCOL: u32 = 0x7964_0002;

/// What a frame may hold beside its payload, in bytes.
pub(super) const FRAME_OVERHEAD: usize = 64 * 1024;

/// Reserved for a frame before any of it has come.
const FIRST_READ: usize = 1 << 20;

/// The longest frame whatever the configuration says.
pub(super) const FRAME_MAX: usize = 1 << 30;

/// Puts a message in a frame.
///
/// # Errors
/// When it is longer than a frame can be.
pub(super) fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    bincode::serde::encode_into_std_write(message, &mut frame, BINCODE)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let length = u32::try_from(frame.len() - 4).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    if let Some(head) = frame.first_chunk_mut::<4>() {
        *head = length.to_le_bytes();
    }
    Ok(frame)
}

/// Reads a frame; `None` at the end of the stream between frames.
///
/// # Errors
/// When the stream ends inside a frame, or the frame is longer than `limit` bytes or not a message.
pub(super) fn read<T: DeserializeOwned>(stream: &mut impl Read, limit: usize) -> io::Result<Option<T>> {
    let mut head = [0; 4];
    match stream.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = checked_length(head, limit)?;
    let mut body = Vec::with_capacity(length.min(FIRST_READ));
    stream.take(length as u64).read_to_end(&mut body)?;
    decode(&body, length).map(Some)
}

/// Writes a message as a frame and flushes.
///
/// # Errors
/// As [`encode`], and when the stream fails.
pub(super) fn write<T: Serialize>(stream: &mut impl Write, message: &T) -> io::Result<()> {
    stream.write_all(&encode(message)?)?;
    stream.flush()
}

/// Reads a frame without blocking the thread. Not cancel-safe: a dropped read loses its place.
///
/// Memory grows with what arrives, not with what the frame claims.
///
/// # Errors
/// When the stream ends, or the frame is longer than `limit` bytes or not a message.
pub(super) async fn receive<T: DeserializeOwned>(stream: &mut (impl AsyncRead + Unpin), limit: usize) -> io::Result<T> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let length = checked_length(head, limit)?;
    let mut body = Vec::with_capacity(length.min(FIRST_READ));
    stream.take(length as u64).read_to_end(&mut body).await?;
    decode(&body, length)
}

fn checked_length(head: [u8; 4], limit: usize) -> io::Result<usize> {
    let length = u32::from_le_bytes(head) as usize;
    if length > limit { Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long")) } else { Ok(length) }
}

fn decode<T: DeserializeOwned>(body: &[u8], length: usize) -> io::Result<T> {
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let (message, read) = bincode::serde::decode_from_slice(body, BINCODE)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    if read == length {
        Ok(message)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "a frame holds more than its message"))
    }
}

const BINCODE: Configuration<bincode::config::LittleEndian, bincode::config::Varint, Limit<FRAME_MAX>> =
    bincode::config::standard().with_limit::<FRAME_MAX>();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_written_and_the_end_between_frames_is_none() {
        let request =
            Request::Load { slot: 7, parts: vec![Bytes::from_static(b"ab"), Bytes::new()], pace: Pace::Careful };
        let bytes = encode(&request).expect("a frame");
        let mut stream = bytes.as_slice();
        let back: Option<Request> = read(&mut stream, 100).expect("a message");
        assert_eq!(format!("{back:?}"), format!("{:?}", Some(request)));
        assert!(read::<Request>(&mut stream, 100).expect("the end").is_none());
    }

    #[test]
    fn a_frame_that_is_too_long_cut_or_padded_is_an_error() {
        let mut bytes = encode(&Response::Exported { bytes: Bytes::from(vec![1; 100]) }).expect("a frame");
        assert!(read::<Response>(&mut bytes.as_slice(), 50).is_err());
        assert!(read::<Response>(&mut bytes.get(..60).expect("a part"), 1000).is_err());
        bytes.push(0);
        bytes[0] += 1;
        assert!(read::<Response>(&mut bytes.as_slice(), 1000).is_err());
    }

    #[test]
    fn a_length_inside_a_message_that_exceeds_the_frame_is_an_error() {
        // Variant 3 (Exported) with a payload that claims 2^60 bytes.
        let mut bytes = vec![10, 0, 0, 0, 3, 253];
        bytes.extend_from_slice(&(1u64 << 60).to_le_bytes());
        assert!(read::<Response>(&mut bytes.as_slice(), 1000).is_err());
    }
}
