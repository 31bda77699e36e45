//! Where clients come in: TCP ports, and unix sockets for those on the same machine.
//!
//! A [`Listener`] is bound to an [`Address`] and gives connections. A unix socket is a file: one that a dead process left behind
//! is replaced, one that somebody answers is not, and it goes with its listener.
//!
//! [`Places`] bound how many connections each address has; [`Source`] says what counts as one address, and [`Client`] who a request
//! comes from.

mod address;
mod client;
mod listener;
mod places;
mod source;
mod unix;

pub use address::{Address, AddressError};
pub use client::{Client, Held};
pub use listener::{ListenError, Listener, Stream};
pub use places::{NoPlace, Place, Places};
pub use source::Source;
pub use unix::{Reach, SocketFile, bind_unix};
