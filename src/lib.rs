//! A collaborative editing server for Yjs documents: durable, bounded, one process.
//!
//! Every document is a Yjs CRDT and a *room*. Members send binary Yjs updates over WebSockets; the server judges each one by
//! its bytes, relays the original to everybody else, and keeps it. Presence and typing go the same way and are never
//! stored. What is acknowledged is durable.
//!
//! # The walk of an update
//!
//! 1. [`connection`] reads a frame within its bound; the front ([`fronts`]) decodes the sync message without copying.
//! 2. The session checks its grant ([`access`]) and queues the update at the room; while the queue is full, nothing more is
//!    read from that client.
//! 3. The room ([`doc_rooms`]) asks the document's index ([`sync::DocumentIndex`]): contained already, complete, early, or
//!    refused. A refused update ends its sender and nobody else.
//! 4. Accepted bytes go, unchanged, to the lanes of all other members ([`delivery`]) and to the saver.
//! 5. The store ([`storage`]) commits what waits in one transaction; then, and only then, it is acknowledged.
//!
//! No step integrates the document. Only exports do, in worker processes ([`materialise`]).
//!
//! # Embedding
//!
//! [`Server`] is the whole: see its example. A program that embeds it calls [`materialise::run_if_worker`] first in `main`,
//! because exports run in processes that are the same program.

// The gateways in gateway::built_in name the crate as programs do, because examples include the same files.
extern crate self as ydock;

pub mod access;
pub mod auth;
pub mod awareness;
pub mod cli;
pub mod config;
pub mod connection;
pub mod delivery;
pub mod doc_rooms;
pub mod fronts;
pub mod gateway;
pub mod hooks;
pub mod http;
pub mod ids;
pub mod lib0;
pub mod listen;
pub mod materialise;
pub mod outbound;
pub mod server;
pub mod shutdown;
pub mod storage;
pub mod sync;
pub mod telemetry;
pub mod testing;
pub mod tls;
pub mod upkeep;
pub mod webhooks;
pub mod websocket;

pub use ids::{ClientId, ConnId, DocName, DocNameError, Generation, MemberId};
pub use server::{Server, ServerBuilder, StartError, StopError};

/// The code of the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/guides/gateway.md")]
struct GatewayGuide;

/// The same.
#[cfg(doctest)]
#[doc = include_str!("../docs/guides/hooks.md")]
struct HooksGuide;
