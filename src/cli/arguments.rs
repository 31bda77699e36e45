//! What the command line says.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Parser, Subcommand};
use thiserror::Error;

use crate::access::{Pattern, Role};
use crate::auth::Mode;
use crate::ids::DocName;
use crate::listen::Address;
use crate::storage::{StoreKind, UnknownStoreKind};

/// Collaborative editing server for Yjs documents.
#[derive(Debug, Clone, Parser)]
#[command(name = "ydock", version, about, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve documents until SIGTERM or SIGINT.
    Serve(Serve),
    /// Look after a store: check it, back it up, make it smaller, move it.
    Store {
        /// What to do with it.
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Write a document to a file or to stdout, also while a server has the store open.
    Export(Export),
    /// Bring a Yjs v1 update into a document, which is made when it is not there; also while a server has the store open.
    Import(Import),
    /// Print a token that lets somebody into documents of a server with `--auth tokens`.
    Token(Token),
    /// Integrate documents for a server; started by it, not by hand.
    #[command(hide = true)]
    Worker,
}

/// How to serve. Each setting can also be given in the settings file and as a `YDOCK_…` variable; flags win.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Serve {
    /// Where to listen: an IP address with a port, of which 0 takes a free one, or unix:PATH for a unix socket [default:
    /// 127.0.0.1:1234].
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<Address>,
    /// Where the store is.
    #[command(flatten)]
    pub place: StoreFlags,
    /// How it is found out who somebody is: open (not at all), jwt, tokens or webhook [default: open].
    #[arg(long, value_name = "HOW")]
    pub auth: Option<Mode>,
    /// The file with the key of jwt and tokens, a secret of 32 bytes or more, PEM or a JWK set; with webhook, the secret that signs
    /// what is asked.
    #[arg(long, value_name = "FILE")]
    pub auth_key: Option<PathBuf>,
    /// With `--auth webhook`: whom to ask, an http:// or https:// address.
    #[arg(long, value_name = "URL")]
    pub auth_url: Option<String>,
    /// With `--auth open`: what everybody who reaches the server may do with every document, view, comment, edit or admin
    /// [default: admin].
    #[arg(long, value_name = "ROLE")]
    pub everyone: Option<Role>,
    /// With `--auth open`: listen beyond this machine although everybody who reaches the server may open every document.
    #[arg(long)]
    pub allow_open: bool,
    /// Serve over TLS, with the certificate and those that lead to its root in this file, in PEM. It is read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM, not encrypted.
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// Where a store is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StoreFlags {
    /// The data directory [default: ./ydock-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The storage engine: redb and sled keep documents in the data directory, memory loses them on exit [default: the one that the
    /// directory has, redb for a new one].
    #[arg(long, value_name = "ENGINE")]
    pub store: Option<StoreKind>,
    /// A settings file in TOML.
    #[arg(long, value_name = "FILE", env = "YDOCK_CONFIG")]
    pub config: Option<PathBuf>,
}

/// What to do with a store.
///
/// A server may have it open: `stat`, `verify`, `backup` and `compact` then ask the server, through the socket control.sock in the
/// data directory. The others need the directory for themselves.
#[derive(Debug, Clone, Subcommand)]
pub enum StoreCommand {
    /// Tell what is in the store.
    Stat(Stat),
    /// Read everything in the store and tell what is damaged.
    ///
    /// Exit code: 0 when everything is sound, 2 when damage was found, 1 when the store could not be checked.
    Verify(Verify),
    /// Write the whole store into one file, while a server goes on serving it.
    ///
    /// Exit code: 0 when everything is in the file, 2 when some documents are missing in it or had edits that were not saved, 1
    /// when there is no backup.
    Backup(Backup),
    /// Make a new store of a backup, in the data directory, which must not hold one.
    ///
    /// Single documents are restored into a store that is there too, unless it has or had a document of the name. No server may
    /// have it open.
    ///
    /// Exit code: 0 when everything was restored, 2 when the backup itself lacks documents, 1 when nothing was restored.
    Restore(Restore),
    /// Merge what documents have piled up, and give unused space back to the file system.
    ///
    /// While the file shrinks, a server that has the store open lets edits wait.
    Compact(Compact),
    /// Copy what can be read of a damaged store into a new directory. The damaged store is left as it is.
    ///
    /// Exit code: 0 when nothing was damaged, 2 when something was, 1 when nothing was copied.
    Salvage(Salvage),
    /// Copy a store into a new one, of the same or another engine: `migrate redb:DIR sled:DIR`.
    Migrate(Migrate),
}

/// What `ydock store stat` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Stat {
    /// Where the store is.
    #[command(flatten)]
    pub place: StoreFlags,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What `ydock store verify` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Verify {
    /// Where the store is.
    #[command(flatten)]
    pub place: StoreFlags,
    /// Also decode every document, as a room and as the Yjs engine do.
    #[arg(long)]
    pub deep: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What `ydock store backup` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Backup {
    /// The file to write; `-` is stdout.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where the store is.
    #[command(flatten)]
    pub place: StoreFlags,
    /// Replace the file if it is there.
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object; on stderr when the backup goes to stdout.
    #[arg(long)]
    pub json: bool,
}

/// What `ydock store restore` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Restore {
    /// The backup; `-` is stdin.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where the new store is to be.
    #[command(flatten)]
    pub place: StoreFlags,
    /// Restore this document only, also into a store that is there; may be given several times.
    #[arg(long = "doc", value_name = "NAME", value_parser = DocName::parse)]
    pub docs: Vec<DocName>,
    /// Restore the document under another name.
    #[arg(long = "as", value_name = "NAME", value_parser = DocName::parse, requires = "docs")]
    pub other_name: Option<DocName>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What `ydock store compact` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Compact {
    /// Where the store is.
    #[command(flatten)]
    pub place: StoreFlags,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What `ydock store salvage` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Salvage {
    /// The new data directory [default: that of the damaged store, with `-salvaged` at its end].
    #[arg(value_name = "INTO")]
    pub into: Option<PathBuf>,
    /// Where the damaged store is.
    #[command(flatten)]
    pub place: StoreFlags,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What `ydock store migrate` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Migrate {
    /// The store to copy, as ENGINE:DIR.
    #[arg(value_name = "FROM")]
    pub from: StorePlace,
    /// The store to make, as ENGINE:DIR.
    #[arg(value_name = "TO")]
    pub to: StorePlace,
    /// A settings file in TOML.
    #[arg(long, value_name = "FILE", env = "YDOCK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// An engine and a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePlace {
    /// The engine.
    pub kind: StoreKind,
    /// The data directory.
    pub data: PathBuf,
}

/// A text that is no place of a store.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StorePlaceError {
    /// There is no colon.
    #[error("expected ENGINE:DIR, such as redb:./ydock-data")]
    NoEngine,
    /// What is before the colon names no engine.
    #[error(transparent)]
    Engine(#[from] UnknownStoreKind),
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.data.display())
    }
}

impl FromStr for StorePlace {
    type Err = StorePlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, data) = text.split_once(':').ok_or(StorePlaceError::NoEngine)?;
        Ok(Self { kind: kind.parse()?, data: data.into() })
    }
}

/// What `ydock export` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Export {
    /// The document's name.
    #[arg(value_name = "NAME", value_parser = DocName::parse)]
    pub name: DocName,
    /// Where the store is.
    #[command(flatten)]
    pub place: StoreFlags,
    /// update, state-vector, json, text or svg.
    #[arg(long, value_name = "FORMAT", default_value = "update")]
    pub format: String,
    /// The file to write, which must not be there [default: stdout].
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What `ydock token` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Token {
    /// The file with the key that the server has: a secret of 32 bytes or more, or a private key in PEM.
    #[arg(long, value_name = "FILE")]
    pub auth_key: PathBuf,
    /// Who it is for.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The documents that it is for, where each * stands for any text; may be given several times.
    #[arg(long, value_name = "PATTERN", required = true)]
    pub docs: Vec<Pattern>,
    /// view, comment, edit or admin.
    #[arg(long, value_name = "ROLE", default_value = "edit")]
    pub role: Role,
    /// How long it is good, such as 1h or 30d.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    pub ttl: Duration,
}

/// What `ydock import` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Import {
    /// The document's name.
    #[arg(value_name = "NAME", value_parser = DocName::parse)]
    pub name: DocName,
    /// A file with one Yjs v1 update; `-` is stdin.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where the store is.
    #[command(flatten)]
    pub place: StoreFlags,
}
