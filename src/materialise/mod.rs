//! Documents as their users see them: JSON, text and pictures, integrated from bytes away from the server's own memory.
//!
//! The Yjs engine that integrates updates (yrs) can be crashed or hung by hostile updates in ways that nothing inside a
//! process contains. So [`WorkerPool`] keeps it in worker processes with limits on memory and time, and isolates the
//! update that kills one. [`InProcess`] is the same capability without processes, for programs that trust their clients.
//!
//! ```text
//! export ─► queue ─► lane 0 ─► process 0 ┐ dies or stalls    isolation lane ─► fresh process for every attempt,
//!                └─► lane 1 ─► process 1 ┴─────────────────► finds the update, quarantines it, answers without it
//! ```
//!
//! A program that embeds the crate and uses [`WorkerPool`] calls [`run_if_worker`] first in `main`, or names a program that
//! runs [`worker_main`] as [`Config::program`].
//!
//! Architecture invariant: nothing outside this module names yrs, and nothing in the parent's half of it does either.

mod board;
mod config;
mod desk;
mod engine;
mod export;
mod frames;
mod in_process;
mod isolation;
mod js_text;
mod json;
mod kept;
mod lane;
mod legacy;
mod pool;
mod process;
mod quarantine;
mod queue;
mod trip;
mod worker;
mod xml;

use std::fmt::Debug;

use async_trait::async_trait;

pub use config::Config;
pub use export::{DocumentKey, Export, MaterialiseError, Refusal, Root, Source};
pub use in_process::InProcess;
pub use pool::{PoolStats, WorkerPool};
pub use worker::{run_if_worker, worker_main};

/// Integrates documents and exports them.
#[async_trait]
pub trait Materialiser: Send + Sync + Debug + 'static {
    /// Integrates the document and exports it.
    ///
    /// Answers within a time that the implementation states. Dropping the future loses nothing but the answer.
    ///
    /// # Errors
    /// As [`MaterialiseError`] says. An update in the tail that cannot be integrated is left out and reported, not an error.
    async fn export(&self, document: Source, export: Export) -> Result<Vec<u8>, MaterialiseError>;

    /// Refuses new exports with [`MaterialiseError::Closed`], and returns when those under way have been answered and
    /// everything that was started has ended.
    async fn close(&self);
}
