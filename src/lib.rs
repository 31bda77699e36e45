//! A collaborative editing server for Yjs documents.

pub mod ids;
pub mod lib0;
pub mod materialise;
pub mod storage;
pub mod sync;

pub use ids::{ClientId, ConnId, DocName, DocNameError, Generation, MemberId};
