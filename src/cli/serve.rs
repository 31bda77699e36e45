//! `ydock serve`: settings, start, and a stop that loses nothing.

use std::io::{self, Write};

use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::Serve;
use crate::config::{Config, ConfigError, Layers};
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
    let config = settings(flags)?;
    telemetry::install(&config.log).or(Err(ServeError::Log { filter: config.log.filter.clone() }))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Process)?;
    runtime.block_on(run(config))
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
    writeln!(out, "listening on http://{}", server.local_addr())?;
    out.flush()
}

fn settings(flags: &Serve) -> Result<Config, ConfigError> {
    let mut layers = Layers::new();
    if let Some(path) = &flags.config {
        layers.file(path)?;
    }
    layers.variables(
        std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?))),
    );
    if let Some(listen) = flags.listen {
        layers.set(&["listen"], listen.to_string());
    }
    if let Some(data) = &flags.data {
        layers.set(&["store", "data"], data.to_string_lossy().into_owned());
    }
    if let Some(store) = flags.store {
        layers.set(&["store", "kind"], store.to_string());
    }
    if let Some(everyone) = flags.everyone {
        layers.set(&["access", "everyone"], everyone.to_string());
    }
    if flags.allow_open {
        layers.set(&["allow_open"], true);
    }
    let unknown = layers.unknown_variables().join(", ");
    let config = layers.read()?;
    if !unknown.is_empty() {
        let _nobody_reads = writeln!(io::stderr(), "ydock: no settings of these names: {unknown}").is_err();
    }
    Ok(config)
}
