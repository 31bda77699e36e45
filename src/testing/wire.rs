//! The wire of a test client: what the server sent waits in memory until the test looks at it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::gateway::{AckId, Content, Data, DisconnectReason, NotSent, Packet, Wire};

/// What the server sent to one client.
#[derive(Debug)]
pub(super) struct TestWire {
    /// So many events may wait, as on a socket that is not read.
    most: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Arc<Packet>>,
    acks: HashMap<i64, Data>,
    end: Option<DisconnectReason>,
}

impl TestWire {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default(), changed: Notify::new() })
    }

    /// Waits for the next event; `None` when none will come any more. Cancel-safe.
    pub(super) async fn next(&self) -> Option<Arc<Packet>> {
        self.wait(|state| match state.events.pop_front() {
            Some(packet) => Some(Some(packet)),
            None => state.end.map(|_| None),
        })
        .await
    }

    /// Waits for the acknowledgement of an event; `None` when none will come any more. Cancel-safe.
    pub(super) async fn ack(&self, id: i64) -> Option<Data> {
        self.wait(|state| match state.acks.remove(&id) {
            Some(data) => Some(Some(data)),
            None => state.end.map(|_| None),
        })
        .await
    }

    /// Waits for the end. Cancel-safe.
    pub(super) async fn ended(&self) -> DisconnectReason {
        self.wait(|state| state.end).await
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().end.is_some()
    }

    /// The events that nobody has looked at yet.
    pub(super) fn waiting(&self) -> Vec<Arc<Packet>> {
        self.lock().events.iter().cloned().collect()
    }

    async fn wait<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.lock()) {
                self.changed.notify_waiters();
                return found;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Wire for TestWire {
    fn send(&self, packet: &Arc<Packet>) -> Result<(), NotSent> {
        let mut state = self.lock();
        if state.end.is_some() {
            return Err(NotSent::Gone);
        }
        match packet.content() {
            Content::Event { .. } if state.events.len() >= self.most => return Err(NotSent::Full),
            Content::Event { .. } => state.events.push_back(Arc::clone(packet)),
            Content::Ack { id: AckId::Number(id), data } => {
                state.acks.insert(*id, data.clone());
            }
            // A value that nobody asked for: Socket.IO has no place for it either.
            Content::Ack { .. } | Content::Value { .. } => {}
        }
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    fn send_volatile(&self, packet: &Arc<Packet>) {
        if self.lock().events.is_empty() {
            let _dropped = self.send(packet).is_err();
        }
    }

    async fn ready(&self) {
        self.wait(|state| (state.events.len() <= self.most / 2 || state.end.is_some()).then_some(())).await;
    }

    fn end(&self, reason: &DisconnectReason) {
        self.lock().end.get_or_insert(*reason);
        self.changed.notify_waiters();
    }
}
