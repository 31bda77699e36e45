//! Collecting: a document forgets what was deleted, and keeps that it was there.
//!
//! Merging keeps every letter that was ever typed. Yjs forgets deleted content as soon as it has loaded it, and this
//! does the same with the encoded bytes:
//!
//! ```text
//!                         ┌ deleted ─────────────▶ its length, in its place: others stand beside it
//!   block ── cut at the ──┼ inside a deleted type ▶ its length alone: nothing visible can stand beside it
//!           deleted ids   └ else ────────────────▶ the same bytes
//! ```
//!
//! A few deleted letters amid a text become blanks instead, which are as invisible and need no cut: a wrong key would
//! leave some twenty bytes behind, a document of honest typing would grow threefold, as it does in Yjs.
//!
//! Neighbours that have become alike join, so that years of typing and deleting come down to little more than the text
//! that is there. Ids, places and deletions stay, hence all that a client still sends finds what it refers to, and
//! clients that hold the whole history agree with those that load what is left of it.
//!
//! What stands in which type is asked of the gate ([`DocumentIndex`](super::DocumentIndex)), and only where a type was
//! deleted. [`is_collection_of`] proves of a result that nothing visible has changed, by other means.

mod check;
mod rewrite;
#[cfg(test)]
mod tests;

pub use check::is_collection_of;
pub use rewrite::collect;
pub(crate) use rewrite::collect_merged;
