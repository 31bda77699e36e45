//! A listener on an address, and what it accepts.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

use super::address::Address;
use super::unix::{self, SocketFile};

/// A listener. The file of a unix socket goes with it.
#[derive(Debug)]
pub struct Listener {
    inner: Inner,
    address: Address,
}

/// An accepted connection.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP, and where it comes from.
    Tcp(TcpStream, SocketAddr),
    /// Over a unix socket: its clients have no address.
    Unix(UnixStream),
}

/// Why an address cannot be listened on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The system does not let it.
    #[error(transparent)]
    System(#[from] io::Error),
    /// Another process answers there.
    #[error("another process listens there")]
    InUse,
    /// Something else has the name of the socket.
    #[error("there is a file of this name that is no socket")]
    NoSocket,
}

#[derive(Debug)]
enum Inner {
    Tcp(TcpListener),
    Unix { listener: UnixListener, _file: SocketFile },
}

impl Listener {
    /// Listens; whoever connects waits until [`accept`](Self::accept).
    ///
    /// A unix socket may be opened by its owner and its group. The file that a dead process left behind is replaced.
    ///
    /// # Errors
    /// When the address is taken, or the system does not let it.
    pub fn bind(address: &Address) -> Result<Self, ListenError> {
        match address {
            Address::Tcp(address) => {
                let listener = listen_tcp(*address)?;
                let address = Address::Tcp(listener.local_addr()?);
                Ok(Self { inner: Inner::Tcp(listener), address })
            }
            Address::Unix(path) => {
                let (listener, file) = unix::take_place(path)?;
                Ok(Self { inner: Inner::Unix { listener, _file: file }, address: address.clone() })
            }
        }
    }

    /// The address, with the port that was free.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The next connection. Cancel-safe.
    ///
    /// # Errors
    /// What the system says, about that connection or because it lacks something.
    pub async fn accept(&self) -> io::Result<Stream> {
        match &self.inner {
            Inner::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Stream::Tcp(stream, peer))
            }
            Inner::Unix { listener, .. } => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

fn listen_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that is started anew gets its address while old connections to it are still being forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How many connections may wait to be accepted, if the system allows it: when everybody comes back at once, whoever finds no
/// place there tries again after a whole second.
pub(super) const BACKLOG: u32 = 4096;
