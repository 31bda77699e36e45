//! The socket itself: made for its owner alone, found by the commands, gone with the server.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::fs::Mode;
use tokio::net::{UnixListener, UnixStream};

use crate::listen::{Reach, SocketFile, bind_unix};

/// The listening socket of a server; its file goes with it.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    _file: SocketFile,
}

impl ControlSocket {
    /// Listens in a data directory that the caller has to itself: a socket that is there is one that a server left
    /// behind.
    ///
    /// # Errors
    /// What the system says.
    pub fn bind(data: &Path) -> io::Result<Self> {
        let path = data.join(NAME);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (listener, file) = bind_unix(&path, Mode::RUSR | Mode::WUSR, BACKLOG)?;
        Ok(Self { listener, _file: file })
    }

    /// The next connection. Cancel-safe.
    ///
    /// # Errors
    /// What the system says.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

/// Connects to the server that has a data directory; `None` when none listens there.
///
/// # Errors
/// When one may listen and cannot be reached, for example because it runs as another user.
pub async fn connect(data: &Path) -> io::Result<Option<UnixStream>> {
    let path = data.join(NAME);
    if !path.exists() {
        return Ok(None);
    }
    let reach = Reach::of(&path)?;
    match UnixStream::connect(reach.path()).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The socket's name in the data directory.
const NAME: &str = "control.sock";
/// Connections that wait to be accepted.
const BACKLOG: u32 = 16;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_and_replaces_a_stale_one_and_goes_with_its_server() {
        let data = tempfile::tempdir().unwrap();
        assert!(connect(data.path()).await.unwrap().is_none());
        std::mem::forget(ControlSocket::bind(data.path()).unwrap());
        let socket = ControlSocket::bind(data.path()).unwrap();
        let mode = fs::metadata(data.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(connect(data.path()).await.unwrap().is_some());
        socket.accept().await.unwrap();
        drop(socket);
        assert!(!data.path().join(NAME).exists());
    }

    #[tokio::test]
    async fn a_stale_socket_is_no_server() {
        let data = tempfile::tempdir().unwrap();
        drop(std::os::unix::net::UnixListener::bind(data.path().join(NAME)).unwrap());
        assert!(connect(data.path()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_path_too_long_for_a_socket_is_reached_all_the_same() {
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path().join("x".repeat(120));
        fs::create_dir(&data).unwrap();
        let socket = ControlSocket::bind(&data).unwrap();
        assert!(connect(&data).await.unwrap().is_some());
        socket.accept().await.unwrap();
    }
}
