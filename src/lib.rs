//! A collaborative editing server for Yjs documents.

pub mod access;
pub mod awareness;
pub mod cli;
pub mod config;
pub mod connection;
pub mod delivery;
pub mod doc_rooms;
pub mod fronts;
pub mod http;
pub mod ids;
pub mod lib0;
pub mod materialise;
pub mod server;
pub mod shutdown;
pub mod storage;
pub mod sync;
pub mod telemetry;

pub use ids::{ClientId, ConnId, DocName, DocNameError, Generation, MemberId};
pub use server::{Server, StartError, StopError};
