//! Document frames that leave together, and presence that goes along.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

/// Document frames that were encoded together for everybody who gets them.
#[derive(Debug, Default, Clone)]
pub struct Run {
    frames: SmallVec<[(u64, Bytes); 1]>,
    /// Comes last, and may be lost.
    presence: Option<Bytes>,
    /// All of it, one after the other, when it is not one alone.
    joined: Bytes,
}

impl Run {
    /// A run of these frames with their numbers, which grow.
    #[must_use]
    pub fn of(frames: impl IntoIterator<Item = (u64, Bytes)>) -> Self {
        Self::along(frames, None)
    }

    /// The same, with a frame of presence at the end.
    #[must_use]
    pub fn along(frames: impl IntoIterator<Item = (u64, Bytes)>, presence: Option<Bytes>) -> Self {
        let frames: SmallVec<[(u64, Bytes); 1]> = frames.into_iter().collect();
        let mut joined = BytesMut::new();
        if frames.len() + usize::from(presence.is_some()) > 1 {
            let parts = || frames.iter().map(|(_, frame)| frame).chain(&presence);
            joined.reserve(parts().map(Bytes::len).sum());
            parts().for_each(|part| joined.extend_from_slice(part));
        }
        Self { frames, presence, joined: joined.freeze() }
    }

    /// The frames with their numbers.
    #[must_use]
    pub fn frames(&self) -> &[(u64, Bytes)] {
        &self.frames
    }

    /// The frame of presence that goes along.
    #[must_use]
    pub const fn presence(&self) -> Option<&Bytes> {
        self.presence.as_ref()
    }

    /// The bytes of all of it, one after the other.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match (self.frames(), &self.presence) {
            ([(_, only)], None) | ([], Some(only)) => only,
            _ => &self.joined,
        }
    }

    /// How many frames that is.
    pub(super) fn count(&self) -> usize {
        self.frames.len() + usize::from(self.presence.is_some())
    }
}
