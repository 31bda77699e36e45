//! `ydock serve`: settings, start, and a stop that loses nothing.

use std::io::{self, Write};
use std::time::Duration;

use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::Serve;
use super::settings;
use crate::config::{Config, ConfigError};
use crate::server::{Server, StartError, StopError};
use crate::telemetry;

/// Why `ydock serve` ended with a failure.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log filter is wrong.
    #[error("the setting log.filter is wrong, {filter:?} is neither a level nor target=level pairs")]
    Log {
        /// The filter given.
        filter: String,
    },
    /// The process could not be set up.
    #[error("cannot set up the process")]
    Process(#[source] io::Error),
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The server did not stop in order.
    #[error(transparent)]
    Stop(#[from] StopError),
}

/// Serves until a signal to stop, with the settings of flags, environment and file.
///
/// # Errors
/// When the server could not start, or could not save everything before its end.
pub fn serve(flags: &Serve) -> Result<(), ServeError> {
    let config = settings::of_server(flags)?;
    telemetry::install(&config.log).or(Err(ServeError::Log { filter: config.log.filter.clone() }))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Process)?;
    let outcome = runtime.block_on(run(config));
    // A reading on a disk that hangs keeps nobody.
    runtime.shutdown_timeout(LAST_WAIT);
    outcome
}

async fn run(config: Config) -> Result<(), ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Process)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Process)?;
    let server = Server::bind(config).await?;
    announce(&server).map_err(ServeError::Process)?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(server.run(stop).await?)
}

/// The line that programs wait for.
fn announce(server: &Server) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {}", server.origin())?;
    out.flush()
}

/// How long work on blocking threads may still take when everything else has ended.
const LAST_WAIT: Duration = Duration::from_secs(5);
