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
    /// The data directory, created when missing [default: ./ydock-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The storage engine: redb keeps documents in the data directory, memory loses them on exit [default: redb].
    #[arg(long, value_name = "ENGINE")]
    pub store: Option<StoreKind>,
    /// A settings file in TOML.
    #[arg(long, value_name = "FILE", env = "YDOCK_CONFIG")]
    pub config: Option<PathBuf>,
    /// What everybody who reaches the server may do with every document: view, comment or edit [default: edit].
    #[arg(long, value_name = "ROLE")]
    pub everyone: Option<Role>,
    /// Listen beyond this machine although everybody who reaches the server may open every document.
    #[arg(long)]
    pub allow_open: bool,
}
