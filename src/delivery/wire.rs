//! A socket, as far as an outbox knows it.

use std::io;

/// A socket as the outbox sees it.
pub trait Wire: Send + Sync + std::fmt::Debug {
    /// Writes as much as goes without waiting.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when nothing goes, or what is wrong with the connection.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Reads something of what a write will need, so that it lies in the CPU's cache by then. What it is means nothing.
    fn touch(&self) -> bool {
        false
    }
}

/// What left for the network.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// How many frames.
    pub frames: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl Sent {
    pub(super) fn note(&mut self, frames: usize, bytes: usize) {
        self.frames += frames as u64;
        self.bytes += bytes as u64;
    }
}
