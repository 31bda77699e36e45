//! Document topics: a client that joins the topic `doc:<name>` takes part in the document's room.
//!
//! It is a member like an editor, only that it neither gets nor makes edits. It has a Yjs client id of its own, so that
//! editors show it, and is sent these events, each with the topic as `room`:
//!
//! | event | values besides `room` | when |
//! |---|---|---|
//! | `presence` | `users` | everybody else who is there, first of all and after an interruption |
//! | `presence` | any of `joined`, `changed` (users) and `left` (client ids) | what changed |
//! | `typing` | `user`, `isTyping`, `place`, `clientId` | somebody else began, went on elsewhere or stopped |
//! | `saved` | | all edits are durable after some were not; at most once a second |
//! | `deleted` | | the document was deleted; the client is out of the topic |
//! | `unavailable` | `reason`, `retrying` | the room cannot be reached; without `retrying` the client is out of the topic |
//!
//! A user is `{clientId, name, color, state}`: the state is as the editor gave it, name and color are taken from its `user`.
//!
//! ```text
//!  client.join("doc:plan") ─► Visits (one a client) ─► Visit ─wishes (the newest counts)─► task ─► Membership
//!                                                                       events ◄── roster ◄── Outbox ◄──┘
//! ```
//!
//! The promise: leaving the topic, or going, takes the client out of the room at once.

mod dialect;
mod ears;
mod roster;
mod tie;
mod visit;
mod visits;

#[cfg(test)]
mod tests;

pub(super) use tie::Documents;
pub use tie::DocumentsParts;
pub(super) use visits::Visits;
