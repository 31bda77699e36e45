//! The log: to standard error, so that standard output stays for what programs read.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// How the server logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is logged, in the syntax of `RUST_LOG`: a level, or `target=level` pairs. Too much costs time on busy
    /// servers; below `warn`, failing saves still show in the metrics. Default `info`.
    pub filter: String,
    /// `text` for people, `json` for collectors. Default `text`.
    pub format: LogFormat,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line an event.
    Text,
    /// One JSON object an event.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// When the filter cannot be parsed.
pub fn install(config: &Config) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(&config.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // A logger that is installed already belongs to the program that embeds the crate.
    let _already_installed = match config.format {
        LogFormat::Text => builder.with_ansi(ansi).try_init().is_err(),
        LogFormat::Json => builder.json().try_init().is_err(),
    };
    Ok(())
}
