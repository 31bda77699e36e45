//! Document frames that leave together.

use bytes::{Bytes, BytesMut};

/// Document frames that were encoded together for everybody who gets them.
#[derive(Debug, Default, Clone)]
pub struct Run {
    /// The frames with their numbers, which grow.
    pub frames: Vec<(u64, Bytes)>,
    /// All of them, one after the other.
    pub joined: Bytes,
}

impl Run {
    /// A run of these frames.
    #[must_use]
    pub fn of(frames: Vec<(u64, Bytes)>) -> Self {
        let joined = match &frames[..] {
            [] => Bytes::new(),
            [(_, only)] => only.clone(),
            several => {
                let mut joined = BytesMut::with_capacity(several.iter().map(|(_, frame)| frame.len()).sum());
                for (_, frame) in several {
                    joined.extend_from_slice(frame);
                }
                joined.freeze()
            }
        };
        Self { frames, joined }
    }
}
