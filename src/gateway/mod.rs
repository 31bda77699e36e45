//! The event gateway: namespaces, events, acknowledgements, topics, and what lies around handlers, as NestJS has it.
//!
//! A [`Gateway`] is a namespace with its handlers: asynchronous functions whose parameters are extractors ([`Payload`],
//! [`Client`], [`State`], your own) and whose result is the answer (nothing, an acknowledgement, an [`Emit`], a [`Streamed`],
//! an [`EventError`]).
//!
//! ```
//! use ydock::gateway::{Client, EventError, Gateway, Handshake, Payload};
//!
//! #[derive(serde::Deserialize)]
//! struct Message { room: String, text: String }
//!
//! async fn is_known(handshake: Handshake) -> bool {
//!     handshake.auth::<serde_json::Value>().is_ok_and(|auth| auth["token"] == "secret")
//! }
//!
//! async fn message(client: Client, Payload(message): Payload<Message>) -> Result<&'static str, EventError> {
//!     if message.text.is_empty() {
//!         return Err(EventError::new("Message cannot be empty"));
//!     }
//!     client.to(&message.room).emit("message", &message.text)?;
//!     Ok("sent")
//! }
//!
//! let chat = Gateway::new("/chat").guard(is_known).on("message", message);
//! # drop(chat);
//! ```
//!
//! Around a handler stands a pipeline, a [`tower::Service`] from [`Event`] to [`Reply`]: guards, then interceptors and layers,
//! then extractors and the handler; errors of all of them go through the filters, and what no filter answers becomes an
//! `exception` event. Any tower layer fits.
//!
//! Nothing here knows a wire: fronts bring events ([`Session`]) and carry packets ([`Wire`]). The same handlers serve
//! Socket.IO and JSON over WebSocket.
//!
//! The promises: a client's events are handled in the order in which they came; every event that asks for an acknowledgement
//! gets one, also when something fails; a client that cannot keep up is disconnected and never misses an event in silence;
//! of a client that has gone nothing is left.

mod answers;
mod broadcast;
pub mod built_in;
mod client;
mod config;
mod data;
mod definition;
mod documents;
mod doorman;
mod error;
mod event;
mod extract;
mod gateways;
mod handler;
mod inflow;
mod layers;
mod namespace;
mod newtype;
mod options;
mod packet;
mod rate;
mod reply;
mod route;
mod session;
mod stay;
mod topics;
mod wire;
mod work;

pub use broadcast::{Answers, Broadcast};
pub use client::{AckError, Client, EmitError};
pub use config::Config;
pub(crate) use data::json_text;
pub use data::{Data, DecodeError, EncodeError};
pub use definition::Gateway;
pub use documents::DocumentsParts;
pub use doorman::Doorman;
pub use error::EventError;
pub use event::{Event, EventKind, Handshake};
pub use extract::{EventName, FromEvent, Payload, State, Validate, Validated};
pub use gateways::{ConnectError, Entrance, Entry, Gateways, GatewaysBuilder, Transport};
pub use handler::{Called, Handler, Verdict};
pub(crate) use inflow::Inflow;
pub use layers::{EventService, FnLayer, FnService, Next, filter, guard, interceptor};
pub use namespace::Namespace;
pub use options::{Origins, Transports};
pub use packet::{AckId, Content, Form, Packet};
pub use reply::{Ack, Emit, IntoReply, Replies, Reply, Streamed, interval};
pub use route::{IntoRoute, Route, handle};
pub use session::{Admitted, Session};
pub use wire::{DisconnectReason, NotSent, Wire};
pub(crate) use work::Work;
