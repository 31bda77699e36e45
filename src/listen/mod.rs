//! Where clients come in: TCP ports, and unix sockets for those on the same machine.
//!
//! A [`Listener`] is bound to an [`Address`] and gives connections. A unix socket is a file: one that a dead process left behind
//! is replaced, one that somebody answers is not, and it goes with its listener.

mod address;
mod listener;
mod unix;

pub use address::{Address, AddressError};
pub use listener::{ListenError, Listener, Stream};
pub use unix::{Reach, SocketFile, bind_unix};
