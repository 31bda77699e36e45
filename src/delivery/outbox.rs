//! The send queue of one connection: capped in bytes, batched for the writer, and passed by while the socket takes everything.
//!
//! The promise: a document frame is sent, or its session is marked behind from that frame on; presence is dropped first.

use std::hint::black_box;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::ending::Ending;
use super::framed::Framed;
use super::queue::{Frame, Kind, LaneState, Queue};
use super::run::Run;
use super::wire::{Sent, Wire};

/// The bounds of what waits for one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How many bytes may wait for one connection. A single larger frame still passes when nothing else waits. Too small
    /// resynchronises members over slow links again and again; too large lets stalled members hold memory. Default 1 MiB.
    pub max_waiting: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_waiting: ByteSize::mib(1) }
    }
}

/// The frames that wait for one connection.
// In this order and aligned, so that whoever passes by a queue in which nothing waits needs one line of the CPU's cache.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Outbox {
    wire: OnceLock<Arc<dyn Wire>>,
    queue: Mutex<Queue>,
    limit: usize,
    ready: Notify,
}

/// One session's way into the outbox of its connection.
#[derive(Debug)]
pub struct Lane {
    outbox: Arc<Outbox>,
    index: usize,
}

/// What became of a document frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// It waits for the writer, or the connection has ended and nobody will miss it.
    Waiting,
    /// It was dropped with all that waited: the session lacks everything from this number on, and its room is called
    /// when the connection has drained.
    Behind {
        /// The number of the first dropped frame.
        from: u64,
    },
}

/// What the writer has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Batch {
    /// Send the frames, then [`flushed`](Outbox::flushed).
    Frames,
    /// Send the frames, if any, then close.
    End(Ending),
}

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub fn new(config: &Config) -> Arc<Self> {
        let limit = usize::try_from(config.max_waiting.as_u64()).unwrap_or(usize::MAX);
        Arc::new(Self { wire: OnceLock::new(), queue: Mutex::default(), limit, ready: Notify::new() })
    }

    /// Opens a session's way in; `attention` is notified when the session was behind and the connection has drained.
    #[must_use]
    pub fn lane(self: &Arc<Self>, attention: Arc<Notify>) -> Lane {
        let mut queue = self.lock();
        let state = LaneState { behind: None, missed_presence: false, attention, is_free: false };
        let index = queue.lanes.iter().position(|lane| lane.is_free).unwrap_or(queue.lanes.len());
        match queue.lanes.get_mut(index) {
            Some(free) => *free = state,
            None => queue.lanes.push(state),
        }
        Lane { outbox: Arc::clone(self), index }
    }

    /// Gives the outbox the socket: from now on, whoever has a frame writes it at once when nothing waits before it. What
    /// the socket does not take waits for the writer.
    pub fn attach(&self, wire: Arc<dyn Wire>) {
        let _is_attached_once = self.wire.set(wire);
    }

    /// Sends a frame of the wire itself, which no session has to do with.
    pub fn control(&self, bytes: Bytes) {
        let mut queue = self.lock();
        if !queue.is_over() {
            self.offer(&mut queue, Frame::of(bytes, NO_LANE, Kind::Reply));
        }
    }

    /// Answers a ping. Of several that could not be answered yet, only the last is.
    pub fn pong(&self, bytes: Bytes) {
        let mut queue = self.lock();
        if queue.is_over() {
            return;
        }
        if let Some(waiting) = queue.frames.iter_mut().find(|frame| frame.kind == Kind::Pong) {
            let before = std::mem::replace(&mut waiting.bytes, bytes.into());
            let after = waiting.bytes.len();
            queue.bytes = queue.bytes - before.len() + after;
            return;
        }
        self.offer(&mut queue, Frame::of(bytes, NO_LANE, Kind::Pong));
    }

    /// What has left since this was asked last.
    pub fn take_sent(&self) -> Sent {
        std::mem::take(&mut self.lock().sent)
    }

    /// Ends the connection after what waits has been sent; the first reason stays.
    pub fn end(&self, ending: Ending) {
        self.lock().end(ending);
        self.ready.notify_one();
    }

    /// Waits for frames or the end, and moves at most `max_bytes` (but at least one frame) into `frames`, one after the
    /// other; those of which a [`Dialect`](super::Dialect) gave the head alone, in two parts. Cancel-safe.
    ///
    /// Only one task may wait.
    pub async fn next(&self, frames: &mut Vec<Bytes>, max_bytes: usize) -> Batch {
        loop {
            if let Some(batch) = self.take(frames, max_bytes) {
                return batch;
            }
            self.ready.notified().await;
        }
    }

    /// Takes the last frame of the connection: what waits is dropped, but for what has left in part, and nothing is sent
    /// after it.
    pub fn close(&self, last: Bytes) {
        let mut queue = self.lock();
        queue.frames.retain(|frame| frame.kind == Kind::Cut);
        queue.bytes = queue.frames.iter().map(|frame| frame.bytes.len()).sum();
        self.offer(&mut queue, Frame::of(last, NO_LANE, Kind::Reply));
        queue.is_closed = true;
    }

    /// Moves what is left after [`close`](Self::close) into `frames`.
    pub fn take_rest(&self, frames: &mut Vec<Bytes>) {
        let _nothing_comes_after_it = self.take(frames, usize::MAX);
    }

    /// Tells the outbox that everything taken from it has left for the network.
    pub fn flushed(&self) {
        let mut queue = self.lock();
        queue.is_writing = false;
        if queue.is_drained() {
            for lane in queue.lanes.iter().filter(|lane| lane.behind.is_some() || lane.missed_presence) {
                lane.attention.notify_one();
            }
        }
    }

    fn take(&self, frames: &mut Vec<Bytes>, max_bytes: usize) -> Option<Batch> {
        let mut queue = self.lock();
        let mut taken = 0;
        while let Some(frame) = queue.frames.front() {
            if taken > 0 && taken + frame.bytes.len() > max_bytes {
                return Some(Batch::Frames);
            }
            taken += frame.bytes.len();
            let frame = queue.frames.pop_front()?;
            queue.bytes -= frame.bytes.len();
            queue.sent.note(1, frame.bytes.len());
            queue.is_writing = true;
            frames.extend(frame.bytes.into_parts());
        }
        match &queue.ending {
            Some(ending) => Some(Batch::End(ending.clone())),
            None if taken > 0 => Some(Batch::Frames),
            None => None,
        }
    }

    /// Sends a frame at once if nothing waits and the socket takes it, or else lets it wait, whole or what is left of it.
    fn offer(&self, queue: &mut Queue, frame: Frame) {
        let mut written = 0;
        for part in frame.bytes.parts() {
            // The rest of something large is for the writer: who offers it has others to serve.
            let taken = self.write(queue, part.get(..AT_ONCE).unwrap_or(part));
            written += taken;
            if taken < part.len() {
                break;
            }
        }
        if written == frame.bytes.len() {
            queue.sent.note(1, 0);
            return;
        }
        queue.push(if written == 0 { frame } else { frame.cut(written) });
        self.ready.notify_one();
    }

    /// How much of these bytes the socket takes at once: nothing while something waits before them.
    fn write(&self, queue: &mut Queue, bytes: &[u8]) -> usize {
        if !queue.is_drained() || queue.is_broken {
            return 0;
        }
        let Some(wire) = self.wire.get() else { return 0 };
        match wire.try_write(bytes) {
            Ok(written) => {
                queue.sent.note(0, written);
                written
            }
            Err(error) => {
                queue.is_broken = error.kind() != io::ErrorKind::WouldBlock;
                0
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic cannot leave the queue half changed in a way that matters: at worst a count is off for a connection
        // whose room just failed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    /// Sends document frames, of which each has a number; numbers grow, and 0 means "the whole document". For the presence
    /// that goes along, the same holds as for [`presence`](Self::presence).
    pub fn documents(&self, run: &Run) -> Pushed {
        let mut queue = self.outbox.lock();
        if queue.is_over() || run.count() == 0 {
            return Pushed::Waiting;
        }
        if queue.behind > 0
            && let Some(from) = queue.lane(self.index).and_then(|lane| lane.behind)
        {
            if let Some(presence) = run.presence() {
                self.offer_presence(&mut queue, presence.clone());
            }
            return Pushed::Behind { from };
        }
        let written = self.outbox.write(&mut queue, run.bytes());
        if written == run.bytes().len() {
            queue.sent.note(run.count(), 0);
            return Pushed::Waiting;
        }
        let outcome = self.wait(&mut queue, run, written);
        drop(queue);
        self.outbox.ready.notify_one();
        outcome
    }

    /// Lets what was not written of a run wait.
    fn wait(&self, queue: &mut Queue, run: &Run, written: usize) -> Pushed {
        let mut start = 0;
        let mut outcome = Pushed::Waiting;
        for (number, bytes) in run.frames() {
            let end = start + bytes.len();
            let frame = Frame::of(bytes.clone(), self.index, Kind::Document { number: *number });
            if end <= written {
                queue.sent.note(1, 0);
            } else if start < written {
                queue.push(frame.cut(written - start));
            } else if queue.bytes > 0 && queue.bytes + bytes.len() > self.outbox.limit {
                let from = queue.drop_documents(self.index).unwrap_or(*number).min(*number);
                outcome = queue.fall_behind(self.index, from);
                break;
            } else {
                queue.push(frame);
            }
            start = end;
        }
        if let Some(presence) = run.presence() {
            if outcome == Pushed::Waiting && start < written {
                queue.push(Frame::of(presence.clone(), self.index, Kind::Presence).cut(written - start));
            } else {
                self.offer_presence(queue, presence.clone());
            }
        }
        outcome
    }

    /// Queues frames that together bring the session up to date from a number on (0: from nothing).
    ///
    /// They may exceed the cap together, as long as no more than the cap waited before them: a document is as large as it
    /// is. A session that is behind by now, or has too much waiting, gets none of them and is behind from that number.
    pub fn catch_up(&self, number: u64, frames: impl IntoIterator<Item: Into<Framed>>) -> Pushed {
        let mut queue = self.outbox.lock();
        if queue.is_over() {
            return Pushed::Waiting;
        }
        let behind = queue.lane(self.index).and_then(|lane| lane.behind);
        if behind.is_some() || queue.bytes > self.outbox.limit {
            let dropped = queue.drop_documents(self.index);
            let from = [behind, dropped].into_iter().flatten().fold(number, u64::min);
            return queue.fall_behind(self.index, from);
        }
        for frame in frames {
            self.outbox.offer(&mut queue, Frame::of(frame, self.index, Kind::Document { number }));
        }
        Pushed::Waiting
    }

    /// Queues presence, typing or another note that may be lost; dropped when much waits already, and the room is called
    /// when the connection has drained.
    pub fn presence(&self, bytes: Bytes) {
        let mut queue = self.outbox.lock();
        if !queue.is_over() {
            self.offer_presence(&mut queue, bytes);
        }
    }

    fn offer_presence(&self, queue: &mut Queue, bytes: Bytes) {
        if queue.bytes > 0 && queue.bytes + bytes.len() > self.outbox.limit / PRESENCE_SHARE {
            if let Some(lane) = queue.lane(self.index) {
                lane.missed_presence = true;
            }
            return;
        }
        self.outbox.offer(queue, Frame::of(bytes, self.index, Kind::Presence));
    }

    /// Queues an answer to the client's own message. A client that asks on without reading is ended.
    pub fn reply(&self, bytes: Bytes) {
        let mut queue = self.outbox.lock();
        if queue.is_over() {
            return;
        }
        if queue.bytes > 0 && queue.bytes + bytes.len() > self.outbox.limit * REPLY_SHARE {
            queue.end(Ending::TooSlow);
            drop(queue);
            self.outbox.ready.notify_one();
        } else {
            self.outbox.offer(&mut queue, Frame::of(bytes, self.index, Kind::Reply));
        }
    }

    /// The number from which the session lacks frames, if it is behind and the connection has drained.
    #[must_use]
    pub fn wants_resync(&self) -> Option<u64> {
        let mut queue = self.outbox.lock();
        if queue.is_drained() { queue.lane(self.index)?.behind } else { None }
    }

    /// Ends being behind: what follows is queued again. The caller queues what brings the session up to date next.
    pub fn resume(&self) {
        let mut queue = self.outbox.lock();
        if queue.lane(self.index).is_some_and(|lane| lane.behind.take().is_some()) {
            queue.behind -= 1;
        }
    }

    /// Whether presence was dropped and the connection has drained since; asking clears it.
    #[must_use]
    pub fn take_missed_presence(&self) -> bool {
        let mut queue = self.outbox.lock();
        let drained = queue.is_drained();
        match queue.lane(self.index) {
            Some(lane) if drained => std::mem::take(&mut lane.missed_presence),
            _ => false,
        }
    }

    /// Brings the outboxes of some lanes into the CPU's cache, all of them at the same time: to find one after the other
    /// cold costs a fan-out more than to write to them.
    pub fn touch<'a>(lanes: impl Iterator<Item = &'a Self> + Clone) {
        let outboxes = lanes.clone().filter(|lane| lane.outbox.wire.get().is_some()).count();
        let wires = lanes.filter(|lane| lane.outbox.wire.get().is_some_and(|wire| wire.touch())).count();
        black_box((outboxes, wires));
    }

    /// Ends the session, and with it the connection.
    pub fn end(&self, ending: Ending) {
        self.outbox.end(ending);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // What still waits for the session is sent, but nobody would be called for it.
        self.resume();
        if let Some(lane) = self.outbox.lock().lane(self.index) {
            lane.missed_presence = false;
            lane.is_free = true;
        }
    }
}

/// Where a frame stands that belongs to no session.
const NO_LANE: usize = usize::MAX;
/// So many bytes of what brings a session up to date are written at once at most: it takes about 50 µs.
const AT_ONCE: usize = 128 * 1024;
/// Presence may fill this part of the cap: one over …
const PRESENCE_SHARE: usize = 4;
/// Answers may fill this many times the cap.
const REPLY_SHARE: usize = 4;

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
