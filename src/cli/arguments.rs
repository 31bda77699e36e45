//! What the command line says.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::access::Role;
use crate::storage::StoreKind;

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
    /// Integrate documents for a server; started by it, not by hand.
    #[command(hide = true)]
    Worker,
}

/// How to serve. Each setting can also be given in the settings file and as a `YDOCK_…` variable; flags win.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Serve {
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:1234].
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where the store is.
    #[command(flatten)]
    pub place: StoreFlags,
    /// What everybody who reaches the server may do with every document: view, comment or edit [default: edit].
    #[arg(long, value_name = "ROLE")]
    pub everyone: Option<Role>,
    /// Listen beyond this machine although everybody who reaches the server may open every document.
    #[arg(long)]
    pub allow_open: bool,
}

/// Where a store is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StoreFlags {
    /// The data directory [default: ./ydock-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The storage engine: redb keeps documents in the data directory, memory loses them on exit [default: the one that the
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
