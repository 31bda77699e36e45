//! The whiteboard of a document as one SVG, as docs/whiteboard-schema.md describes boards.
//!
//! Whoever edits a document may have written anything into it. So a shape is first *read*: what comes out is within bounds,
//! and what is missing or unfit has become a default or no shape at all. Then it is *drawn*: it becomes a few marks, which are
//! plain geometry. Then it is *written*, and forgotten before the next one is read.
//!
//! ```text
//! yrs map ─ reading ─► Shape ─ drawing ─► marks, bounds ─ svg ─► text
//!                                │ pen: outlines of strokes
//!                                └ lines, letters: where text breaks
//! ```
//!
//! The same board gives the same bytes, and none of it takes more than linear time in what is read. It looks as the demo's
//! own export does on light paper, but for where lines break: here no fonts are known, only about how wide letters are.

mod bounds;
mod drawing;
mod letters;
mod lines;
mod palette;
mod pen;
mod picture;
mod reading;
mod shape;
mod svg;

pub(super) use picture::picture;
