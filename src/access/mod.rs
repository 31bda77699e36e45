//! What somebody may do: roles, the documents that they are for, and the pass that a token is good for.
//!
//! Only words and decisions: who somebody is, [`auth`](crate::auth) finds out.

mod pass;
mod pattern;
mod role;

pub use pass::{Limit, NoTokenId, Pass, Rule, TokenId};
pub use pattern::{Pattern, PatternError};
pub use role::{Grant, Role, UnknownRole};
