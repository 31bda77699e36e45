//! What waits for one connection: frames in order, each of a lane, and where the lanes stand.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

use super::ending::Ending;
use super::framed::Framed;
use super::outbox::Pushed;
use super::wire::Sent;

#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Queue {
    pub(super) sent: Sent,
    /// Of all frames that wait; 0 only when none does.
    pub(super) bytes: usize,
    /// How many lanes are behind: while it is none, nobody looks.
    pub(super) behind: u32,
    /// The writer has taken frames and not said yet that they have left.
    pub(super) is_writing: bool,
    /// The wire has failed; whoever reads from it finds out too.
    pub(super) is_broken: bool,
    /// The last frame was taken.
    pub(super) is_closed: bool,
    /// There is an ending.
    pub(super) is_ended: bool,
    pub(super) frames: VecDeque<Frame>,
    pub(super) ending: Option<Ending>,
    pub(super) lanes: Vec<LaneState>,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) bytes: Framed,
    pub(super) lane: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Document {
        number: u64,
    },
    Presence,
    Reply,
    /// The answer to a ping; a newer one replaces it.
    Pong,
    /// What is left of frames of which a part has left already. Never dropped.
    Cut,
}

#[derive(Debug)]
pub(super) struct LaneState {
    pub(super) behind: Option<u64>,
    pub(super) missed_presence: bool,
    pub(super) attention: Arc<Notify>,
    /// The session has gone; the next one may have its place.
    pub(super) is_free: bool,
}

impl Queue {
    pub(super) fn lane(&mut self, index: usize) -> Option<&mut LaneState> {
        self.lanes.get_mut(index)
    }

    /// Whether everything has left: nothing waits, and the writer has nothing in its hands.
    pub(super) fn is_drained(&self) -> bool {
        self.bytes == 0 && !self.is_writing
    }

    /// Whether nobody will miss what is not sent any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_ended || self.is_broken || self.is_closed
    }

    /// The first reason stays.
    pub(super) fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
        self.is_ended = true;
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.bytes += frame.bytes.len();
        self.frames.push_back(frame);
    }

    /// Drops the session's document frames and gives the lowest number among them.
    pub(super) fn drop_documents(&mut self, index: usize) -> Option<u64> {
        let mut first = None;
        let mut freed = 0;
        self.frames.retain(|frame| match frame.kind {
            Kind::Document { number } if frame.lane == index => {
                first = Some(first.map_or(number, |first: u64| first.min(number)));
                freed += frame.bytes.len();
                false
            }
            _ => true,
        });
        self.bytes -= freed;
        first
    }

    pub(super) fn fall_behind(&mut self, index: usize, from: u64) -> Pushed {
        let drained = self.is_drained();
        if let Some(lane) = self.lanes.get_mut(index) {
            self.behind += u32::from(lane.behind.replace(from).is_none());
            if drained {
                // The writer may be asleep with nothing to flush: then nobody else would call the room.
                lane.attention.notify_one();
            }
        }
        Pushed::Behind { from }
    }
}

impl Frame {
    pub(super) fn of(bytes: impl Into<Framed>, lane: usize, kind: Kind) -> Self {
        Self { bytes: bytes.into(), lane, kind }
    }

    /// What is left of it after its first bytes have left.
    pub(super) fn cut(mut self, written: usize) -> Self {
        self.bytes.advance(written);
        self.kind = Kind::Cut;
        self
    }
}
