//! What waits for one client, bounded by packets and by bytes, with a way to wait for room.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::packet::Packet;
use crate::gateway::NotSent;

/// What waits for one client. What was taken counts until it is [`written`](Self::written).
#[derive(Debug)]
pub(in super::super) struct Queue {
    bounds: Bounds,
    waiting: Mutex<Waiting>,
    more: Notify,
    fewer: Notify,
}

/// How much may wait before nothing more is queued. The last event may hold any number of bytes: otherwise a large one could never
/// be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) packets: usize,
    pub(super) bytes: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    packets: VecDeque<Packet>,
    load: Load,
    wakes: u64,
    is_closed: bool,
}

/// How much some packets are. An event is one packet, however many attachments it has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    packets: usize,
    bytes: usize,
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, waiting: Mutex::default(), more: Notify::new(), fewer: Notify::new() }
    }

    /// Queues packets, all or none, with nothing between them.
    pub(super) fn push(&self, packets: impl Iterator<Item = Packet> + Clone) -> Result<(), NotSent> {
        let load = packets.clone().fold(Load::default(), Load::with);
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Err(NotSent::Gone);
        }
        let now = waiting.load;
        if now.packets >= self.bounds.packets || now.bytes >= self.bounds.bytes {
            return Err(NotSent::Full);
        }
        waiting.put(packets, load);
        drop(waiting);
        self.more.notify_waiters();
        Ok(())
    }

    /// Queues a packet of the transport itself: full or not, the client must have it.
    pub(super) fn push_own(&self, packet: Packet) {
        let mut waiting = self.lock();
        if !waiting.is_closed {
            let load = Load::default().with(packet.clone());
            waiting.put(std::iter::once(packet), load);
        }
        drop(waiting);
        self.more.notify_waiters();
    }

    /// Takes what is there, at least one packet and no more than fit into so many bytes by this measure of them.
    pub(super) fn take(&self, most_bytes: usize, measure: fn(&Packet) -> usize, to: &mut Vec<Packet>) -> Load {
        let (mut taken, mut bytes) = (Load::default(), 0);
        let mut waiting = self.lock();
        while let Some(packet) = waiting.packets.front() {
            bytes += measure(packet);
            if !to.is_empty() && bytes > most_bytes {
                break;
            }
            if let Some(packet) = waiting.packets.pop_front() {
                taken = taken.with(packet.clone());
                to.push(packet);
            }
        }
        taken
    }

    /// What was taken is no longer here.
    pub(super) fn written(&self, load: Load) {
        let mut waiting = self.lock();
        waiting.load.packets -= load.packets;
        waiting.load.bytes -= load.bytes;
        let is_roomy = self.is_roomy(&waiting);
        drop(waiting);
        if is_roomy {
            self.fewer.notify_waiters();
        }
    }

    /// Waits until something is to be taken, or the queue is closed, or somebody has called [`wake`](Self::wake) since there were
    /// so many [`wakes`](Self::wakes). Cancel-safe.
    pub(super) async fn more(&self, wakes: u64) {
        let more = self.more.notified();
        tokio::pin!(more);
        more.as_mut().enable();
        {
            let waiting = self.lock();
            if waiting.is_closed || waiting.wakes != wakes || !waiting.packets.is_empty() {
                return;
            }
        }
        more.await;
    }

    /// Has whoever waits for more look at what has changed beside.
    pub(super) fn wake(&self) {
        self.lock().wakes += 1;
        self.more.notify_waiters();
    }

    pub(super) fn wakes(&self) -> u64 {
        self.lock().wakes
    }

    /// Waits until no more than half of it is used, or it is closed: streams that fill it would end their own client. Cancel-safe.
    pub(in super::super) async fn roomy(&self) {
        self.until(|waiting| self.is_roomy(waiting)).await;
    }

    /// Waits until nothing waits, or it is closed. Cancel-safe.
    pub(in super::super) async fn empty(&self) {
        self.until(|waiting| waiting.load == Load::default()).await;
    }

    /// Whether so little waits that what is only worth something now may still go.
    pub(in super::super) fn is_short(&self) -> bool {
        self.lock().load.packets < SHORT
    }

    /// Takes nothing more. What waits may still be taken.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.more.notify_waiters();
        self.fewer.notify_waiters();
    }

    async fn until(&self, condition: impl Fn(&Waiting) -> bool) {
        loop {
            let fewer = self.fewer.notified();
            tokio::pin!(fewer);
            fewer.as_mut().enable();
            {
                let waiting = self.lock();
                if waiting.is_closed || condition(&waiting) {
                    return;
                }
            }
            fewer.await;
        }
    }

    fn is_roomy(&self, waiting: &Waiting) -> bool {
        let Load { packets, bytes } = waiting.load;
        packets <= self.bounds.packets / 2 && bytes <= self.bounds.bytes / 2
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn put(&mut self, packets: impl Iterator<Item = Packet>, load: Load) {
        self.packets.extend(packets);
        self.load.packets += load.packets;
        self.load.bytes += load.bytes;
    }
}

impl Load {
    #[expect(clippy::needless_pass_by_value, reason = "it folds over packets, which are cheap to clone")]
    fn with(self, packet: Packet) -> Self {
        let packets = self.packets + usize::from(matches!(packet, Packet::Text(_)));
        Self { packets, bytes: self.bytes + packet.len() }
    }
}

/// With so many packets waiting, volatile ones are dropped.
const SHORT: usize = 8;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn queue(packets: usize, bytes: usize) -> Queue {
        Queue::new(Bounds { packets, bytes })
    }

    fn text(text: &str) -> impl Iterator<Item = Packet> + Clone {
        std::iter::once(Packet::Text(Packet::message(text)))
    }

    #[test]
    fn so_many_packets_and_so_many_bytes_wait_and_no_more() {
        let few = queue(2, 1000);
        assert_eq!(
            [few.push(text("a")), few.push(text("b")), few.push(text("c"))],
            [Ok(()), Ok(()), Err(NotSent::Full)]
        );
        let small = queue(10, 8);
        let sent = [small.push(text("a")), small.push(text("more than eight")), small.push(text("b"))];
        assert_eq!(sent, [Ok(()), Ok(()), Err(NotSent::Full)]);
        small.push_own(Packet::PING);
        let mut taken = Vec::new();
        let load = small.take(20, Packet::len, &mut taken);
        assert_eq!((taken.len(), small.push(text("b"))), (3, Err(NotSent::Full)));
        small.written(load);
        assert_eq!(small.push(text("b")), Ok(()));
        small.close();
        assert_eq!(small.push(text("b")), Err(NotSent::Gone));
    }

    #[test]
    fn an_event_with_its_attachments_is_queued_whole_or_not_at_all() {
        let queue = queue(10, 6);
        let event =
            |count: usize| text("e").chain(std::iter::repeat_n(Packet::Binary(Bytes::from_static(b"x")), count));
        assert_eq!(
            [queue.push(event(3)), queue.push(event(4)), queue.push(event(3))],
            [Ok(()), Ok(()), Err(NotSent::Full)]
        );
        let mut taken = Vec::new();
        queue.take(100, Packet::len, &mut taken);
        assert_eq!(taken.len(), 9);
    }

    #[tokio::test]
    async fn whoever_waits_for_room_is_told_when_half_is_written() {
        let queue = queue(4, 1000);
        for _ in 0..4 {
            queue.push(text("a")).unwrap();
        }
        let take = |count: usize| {
            let mut taken = Vec::new();
            let load = queue.take(2 * count, Packet::len, &mut taken);
            assert_eq!(taken.len(), count);
            load
        };
        let roomy = queue.roomy();
        tokio::pin!(roomy);
        queue.written(take(1));
        assert!(futures_util::poll!(roomy.as_mut()).is_pending());
        queue.written(take(1));
        assert!(futures_util::poll!(roomy.as_mut()).is_ready());
        let empty = queue.empty();
        tokio::pin!(empty);
        assert!(futures_util::poll!(empty.as_mut()).is_pending());
        queue.written(take(2));
        assert!(futures_util::poll!(empty.as_mut()).is_ready());
    }
}
