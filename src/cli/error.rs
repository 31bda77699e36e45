//! Why a command did not do what it was asked.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::auth::{KeyError, MintError};
use crate::config::ConfigError;
use crate::ids::DocName;
use crate::server::{StartError, StopError};
use crate::storage::{BackupError, StoreError};
use crate::upkeep::CopyError;

/// Why a command did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The process could not be set up.
    #[error("cannot set up the process")]
    Process(#[source] io::Error),
    /// A signal came; what had begun was undone.
    #[error("interrupted")]
    Interrupted,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store could not be opened.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store could not be closed in order.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// There is nothing to work on.
    #[error("there is no store in {}: name its directory with --data", path.display())]
    NoStore {
        /// The data directory.
        path: PathBuf,
    },
    /// The settings name a store that ends with its process.
    #[error("a store in memory is gone when its server ends: there is nothing on disk to work on")]
    InMemory,
    /// Somebody has the store open and does not answer.
    #[error(
        "the data directory {} is in use by a process that takes no commands: wait until it has started, or stop it",
        path.display()
    )]
    Unanswered {
        /// The data directory.
        path: PathBuf,
    },
    /// A server has the store open and cannot be asked.
    #[error("cannot ask the server that has {} open", path.display())]
    Socket {
        /// The data directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The conversation with the server broke.
    #[error("the server broke off its answer")]
    BrokenOff(#[source] axum::Error),
    /// The server does not speak HTTP.
    #[error("the server could not be asked")]
    Asked(#[source] hyper::Error),
    /// The request could not be made.
    #[error("the request could not be made")]
    Request(#[from] axum::http::Error),
    /// The server ended its answer too early, or is of another version.
    #[error("the server's answer is not complete or not understood: is it another version of ydock?")]
    NotUnderstood,
    /// The server, or the store behind it, refused.
    #[error("{0}")]
    Refused(String),
    /// A file that would be written is there.
    #[error("{} is there already: choose another name, or replace it with --force", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A directory for a new store holds something.
    #[error("{} is not empty: a new store needs a directory of its own", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A key file holds no key.
    #[error("the key file {} cannot be used", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: KeyError,
    },
    /// No token is made.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// A backup is not as it was written.
    #[error("cannot take the backup {}", path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BackupError,
    },
    /// A document that was asked for is not in the backup.
    #[error("the backup has no document {0:?}")]
    NotInBackup(DocName),
    /// A document of this name is there already, or was and is deleted.
    #[error("the store has or had a document {0:?}: restore it under another name with --as")]
    Taken(DocName),
    /// Another name was given for more than one document.
    #[error("--as names one document: give one --doc with it")]
    OneName,
    /// A document is damaged, and the copy of a store must be whole.
    #[error("the store is damaged, bring back what is left with `ydock store salvage` and copy that")]
    Damaged(#[source] StoreError),
    /// A store was not copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The copy of a store differs from it.
    #[error("the copy of the document {0:?} is not what it should be: the copy was given up")]
    Different(DocName),
    /// A store is too damaged to be read by any means.
    #[error("nothing can be read of the store")]
    Hopeless(#[source] StoreError),
    /// Nobody takes what is printed.
    #[error("cannot write to stdout")]
    Output(#[source] io::Error),
}
