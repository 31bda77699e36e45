//! The front for clients of the npm package `y-socket.io`: a namespace a document, its four events all binary.
//!
//! It is a gateway for all namespaces `/yjs|<document>`, bound to the rooms: a client is a member like every other, with an
//! outbox of its own that one task empties as fast as the client reads.
//!
//! | event | from | values | acknowledged with |
//! |---|---|---|---|
//! | `sync-step-1` | both | a state vector | what the other side lacks |
//! | `sync-update` | both | an update | |
//! | `awareness-update` | both | an awareness update | |
//!
//! What the reference server does not do: who is `synced` has the document, a grant holds, presence goes with its client, and who reads slowly is brought up
//! to date instead of filling memory.

mod delivery;
mod dialect;
mod entrance;
mod participant;

pub use entrance::{YSocketIoParts, gateway};
