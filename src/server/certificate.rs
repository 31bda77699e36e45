//! The certificate of a server that serves over TLS: read at the start, and again when its files change.

use std::time::Duration;

use super::StartError;
use crate::shutdown::Tasks;
use crate::telemetry::ErrorChain;
use crate::tls::{Acceptor, Config, Watch};

/// What looks at the files while the server runs.
#[derive(Debug)]
pub(super) struct Renewal {
    watch: Watch,
    acceptor: Acceptor,
    every: Duration,
}

/// Reads the certificate and its key, if the settings name them.
pub(super) fn read(config: &Config) -> Result<Option<(Acceptor, Renewal)>, StartError> {
    let Some(files) = config.files() else { return Ok(None) };
    let (watch, pair) = Watch::begin(files)?;
    let acceptor = Acceptor::new(pair, config).map_err(StartError::Tls)?;
    let renewal = Renewal { watch, acceptor: acceptor.clone(), every: config.look_every.max(LEAST_PAUSE) };
    Ok(Some((acceptor, renewal)))
}

impl Renewal {
    /// Shows a new pair to those who connect after it was found, until the server stops. What is no pair is told, and the
    /// old one stays.
    pub(super) async fn run(self, tasks: Tasks) {
        let Self { mut watch, acceptor, every } = self;
        loop {
            tokio::select! {
                () = tasks.stopped() => return,
                () = tokio::time::sleep(every) => {}
            }
            let looked = tasks.run_blocking(move || (watch.look(), watch)).await;
            let Some((found, back)) = looked else {
                tracing::error!(
                    "the TLS certificate is not renewed any more: reading it failed in a way that it must not"
                );
                return;
            };
            watch = back;
            match found {
                None => {}
                Some(Ok(pair)) => {
                    acceptor.show(pair);
                    tracing::info!("the TLS certificate has changed: new connections get the new one");
                }
                Some(Err(error)) => {
                    tracing::error!(error = %ErrorChain(&error), "the TLS certificate has changed and is not used; the old one stays");
                }
            }
        }
    }
}

/// The files are not read more often.
const LEAST_PAUSE: Duration = Duration::from_millis(100);
