//! Document frames that leave together.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

/// Document frames that were encoded together for everybody who gets them.
#[derive(Debug, Default, Clone)]
pub struct Run {
    frames: SmallVec<[(u64, Bytes); 1]>,
    /// All of them, one after the other, when they are several.
    joined: Bytes,
}

impl Run {
    /// A run of these frames with their numbers, which grow.
    #[must_use]
    pub fn of(frames: impl IntoIterator<Item = (u64, Bytes)>) -> Self {
        let frames: SmallVec<[(u64, Bytes); 1]> = frames.into_iter().collect();
        let mut joined = BytesMut::new();
        if frames.len() > 1 {
            joined.reserve(frames.iter().map(|(_, frame)| frame.len()).sum());
            frames.iter().for_each(|(_, frame)| joined.extend_from_slice(frame));
        }
        Self { frames, joined: joined.freeze() }
    }

    /// The frames with their numbers.
    #[must_use]
    pub fn frames(&self) -> &[(u64, Bytes)] {
        &self.frames
    }

    /// The bytes of all frames, one after the other.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self.frames() {
            [(_, only)] => only,
            _ => &self.joined,
        }
    }
}
