//! From flags, variables and a file to settings: the same way for every command.

use std::io::{self, Write};

use super::arguments::{Serve, StoreFlags};
use crate::config::{Config, ConfigError, Layers};
use crate::storage::DataFormat;

/// The settings of a server.
pub(super) fn of_server(flags: &Serve) -> Result<Config, ConfigError> {
    let mut layers = gather(&flags.place)?;
    if let Some(listen) = &flags.listen {
        layers.set(&["listen"], listen.to_string());
    }
    if let Some(everyone) = flags.everyone {
        layers.set(&["access", "everyone"], everyone.to_string());
    }
    if let Some(auth) = flags.auth {
        layers.set(&["access", "auth"], auth.to_string());
    }
    if let Some(path) = &flags.auth_key {
        layers.set(&["access", "key"], path.to_string_lossy().into_owned());
    }
    if let Some(url) = &flags.auth_url {
        layers.set(&["access", "webhook", "url"], url.clone());
    }
    for (key, path) in [("cert", &flags.tls_cert), ("key", &flags.tls_key)] {
        if let Some(path) = path {
            layers.set(&["tls", key], path.to_string_lossy().into_owned());
        }
    }
    if flags.allow_open {
        layers.set(&["allow_open"], true);
    }
    read(layers)
}

/// The settings of a command, which listens nowhere.
pub(super) fn of_command(flags: &StoreFlags) -> Result<Config, ConfigError> {
    let mut layers = gather(flags)?;
    // A server may have been allowed by a flag to listen beyond this machine.
    layers.set(&["allow_open"], true);
    read(layers)
}

fn gather(flags: &StoreFlags) -> Result<Layers, ConfigError> {
    let mut layers = Layers::new();
    if let Some(path) = &flags.config {
        layers.file(path)?;
    }
    layers.variables(
        std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?))),
    );
    if let Some(data) = &flags.data {
        layers.set(&["store", "data"], data.to_string_lossy().into_owned());
    }
    if let Some(store) = flags.store {
        layers.set(&["store", "kind"], store.to_string());
    }
    Ok(layers)
}

fn read(layers: Layers) -> Result<Config, ConfigError> {
    let unknown = layers.unknown_variables().join(", ");
    let names_engine = layers.has(&["store", "kind"]);
    let mut config = layers.read()?;
    if !unknown.is_empty() {
        let _nobody_reads = writeln!(io::stderr(), "ydock: no settings of these names: {unknown}").is_err();
    }
    // Whoever names no engine means the one that the directory has. What is wrong with it is told when it is opened.
    if let (false, Ok(Some(format))) = (names_engine, DataFormat::of(&config.store.data)) {
        config.store.kind = format.kind;
    }
    Ok(config)
}
