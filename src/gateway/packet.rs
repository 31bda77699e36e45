//! What goes out to clients: events and acknowledgements, each encoded once for every wire.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::data::{Data, EncodeError};

/// Something for a client. It may be on its way to thousands; each wire writes it once.
#[derive(Debug)]
pub struct Packet {
    content: Content,
    forms: [OnceLock<Box<dyn Any + Send + Sync>>; 2],
}

/// What a packet says.
#[derive(Debug, Clone)]
pub enum Content {
    /// An event; the client may be asked to acknowledge it under a number.
    Event {
        /// Its name.
        name: Arc<str>,
        /// The name and the values.
        data: Data,
        /// The number that an acknowledgement is expected under.
        ack: Option<u64>,
    },
    /// The answer to an event that a client wanted acknowledged.
    Ack {
        /// The client's own number for it.
        id: AckId,
        /// The values.
        data: Data,
    },
    /// A value without a name: what a handler returned on a wire that knows no acknowledgements.
    Value {
        /// The value.
        data: Data,
    },
}

/// A client's number for an event that it wants acknowledged, as its wire writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AckId {
    /// Socket.IO counts.
    Number(i64),
    /// JSON over WebSocket takes any value, here as JSON text.
    Json(Arc<str>),
}

/// The wires that write packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Socket.IO.
    SocketIo,
    /// JSON over WebSocket.
    Json,
}

impl Packet {
    pub(super) fn new(content: Content) -> Arc<Self> {
        Arc::new(Self { content, forms: [OnceLock::new(), OnceLock::new()] })
    }

    /// An event without an acknowledgement.
    pub(super) fn event<T: Serialize + ?Sized>(name: &str, value: &T) -> Result<Arc<Self>, EncodeError> {
        let data = Data::of_event(name, value)?;
        Ok(Self::new(Content::Event { name: name.into(), data, ack: None }))
    }

    pub(super) fn event_of(name: &str, data: &Data) -> Arc<Self> {
        Self::new(Content::Event { name: name.into(), data: data.named(name), ack: None })
    }

    /// What it says.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// Its form on a wire, written by `write` the first time.
    pub fn form<T: Clone + Send + Sync + 'static>(&self, form: Form, write: impl Fn(&Content) -> T) -> T {
        let slot = match form {
            Form::SocketIo => &self.forms[0],
            Form::Json => &self.forms[1],
        };
        let written = slot.get_or_init(|| Box::new(write(&self.content)));
        written.downcast_ref::<T>().cloned().unwrap_or_else(|| write(&self.content))
    }
}
