//! The pool of worker processes.

use async_trait::async_trait;
use tokio_util::task::TaskTracker;

use super::{Config, Export, MaterialiseError, Materialiser, Source};

/// Exports through worker processes, which hostile documents may crash, hang or fill without harm to anything else.
#[derive(Debug)]
pub struct WorkerPool {}

impl WorkerPool {
    /// Starts the pool's tasks on the tracker; processes start when they are first needed.
    #[must_use]
    pub fn start(_config: Config, _tasks: &TaskTracker) -> Self {
        Self {}
    }
}

#[async_trait]
impl Materialiser for WorkerPool {
    async fn export(&self, _document: Source, _export: Export) -> Result<Vec<u8>, MaterialiseError> {
        Err(MaterialiseError::Closed)
    }

    async fn close(&self) {}
}
