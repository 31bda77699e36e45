//! The upgraded connection: read by one task, written by whoever has something for it, without waiting.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rustix::net::SendFlags;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::unconstrained;

/// An upgraded connection; a clone is the same connection.
#[derive(Clone)]
pub struct Socket {
    stream: Arc<Stream>,
    /// What the client sent right after its request.
    early: Bytes,
}

/// The reading half. Only one may read.
#[derive(Debug)]
pub struct Reader {
    stream: Arc<Stream>,
    early: Bytes,
}

/// What was read at once, in a buffer that goes back to its thread's pool when dropped: an idle connection has none.
#[derive(Debug)]
pub struct Chunk {
    buffer: Vec<u8>,
    len: usize,
}

/// What the clones of a socket share: what writes to it needs no more.
// Aligned and no longer than that, so that a read or a write needs one line of the CPU's cache.
#[repr(align(64))]
pub struct Stream {
    kind: Kind,
    /// What [`take_received`](Self::take_received) gives.
    frames: AtomicU64,
    bytes: AtomicU64,
    /// What [`take_sign_of_life`](Self::take_sign_of_life) gives.
    is_alive: AtomicBool,
}

enum Kind {
    Tcp(TcpStream),
    /// TLS, a Unix socket, or a stream of a test.
    Other(Box<Mutex<Other>>),
}

/// What has come from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// How many messages.
    pub frames: u64,
    /// How many bytes they had.
    pub bytes: u64,
}

/// A stream with layers of its own, of which one may take bytes and not send them yet, as TLS does.
struct Other {
    io: Box<dyn Io>,
    /// Something was taken and has not left: until it has, only who can wait for it writes.
    keeps_back: bool,
    /// Who waits to send on what is kept back.
    relay: Option<Waker>,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Socket {
    /// The stream below an upgraded HTTP connection.
    #[must_use]
    pub fn of(upgraded: Upgraded) -> Self {
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            // Copied, because an empty slice keeps the whole buffer of the HTTP connection.
            Ok(parts) => Self::tcp(parts.io.into_inner(), Bytes::copy_from_slice(&parts.read_buf)),
            Err(upgraded) => Self::other(TokioIo::new(upgraded)),
        }
    }

    /// A socket over a TCP stream, of which these bytes were read already.
    #[must_use]
    pub fn tcp(stream: TcpStream, early: Bytes) -> Self {
        Self { stream: Stream::of(Kind::Tcp(stream)), early }
    }

    /// A socket over any other stream; each read and write takes its lock.
    #[must_use]
    pub fn other(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let other = Other { io: Box::new(stream), keeps_back: false, relay: None };
        Self { stream: Stream::of(Kind::Other(Box::new(Mutex::new(other)))), early: Bytes::new() }
    }

    /// The reading half. Taken once.
    #[must_use]
    pub fn reader(&mut self) -> Reader {
        Reader { stream: Arc::clone(&self.stream), early: std::mem::take(&mut self.early) }
    }

    /// What writes to the connection without waiting.
    #[must_use]
    pub fn wire(&self) -> Arc<Stream> {
        Arc::clone(&self.stream)
    }

    /// The same as [`Stream::try_write`].
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when nothing goes, or what is wrong with the connection.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.try_write(bytes)
    }

    /// Writes as much as goes, and waits while nothing does. Cancel-safe. Only one task may wait.
    ///
    /// # Errors
    /// What is wrong with the connection.
    pub async fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &self.stream.kind {
            Kind::Tcp(stream) => loop {
                stream.writable().await?;
                match stream.try_write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    outcome => break outcome,
                }
            },
            Kind::Other(other) => poll_fn(|context| lock(other).poll_write(context, bytes)).await,
        }?;
        self.stream.is_alive.store(true, Ordering::Relaxed);
        Ok(written)
    }

    /// Waits until nothing is kept back.
    ///
    /// # Errors
    /// What is wrong with the connection.
    pub async fn flush(&self) -> io::Result<()> {
        let Kind::Other(other) = &self.stream.kind else { return Ok(()) };
        poll_fn(|context| lock(other).poll_flush(context)).await
    }

    /// Sends on what is kept back, now and whenever something is; resolves only with what is wrong with the connection.
    /// Cancel-safe. Only one task may wait.
    pub async fn relay(&self) -> io::Error {
        poll_fn(|context| match &self.stream.kind {
            Kind::Tcp(_) => Poll::Pending,
            Kind::Other(other) => lock(other).poll_relay(context),
        })
        .await
    }

    /// Tells the other side that nothing more will come; what it still sends can be read.
    ///
    /// # Errors
    /// What is wrong with the connection.
    pub async fn finish(&self) -> io::Result<()> {
        match &self.stream.kind {
            Kind::Tcp(stream) => Ok(rustix::net::shutdown(stream, rustix::net::Shutdown::Write)?),
            Kind::Other(other) => poll_fn(|context| Pin::new(&mut lock(other).io).poll_shutdown(context)).await,
        }
    }
}

impl Stream {
    fn of(kind: Kind) -> Arc<Self> {
        // The request for the upgrade came.
        let (frames, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { kind, frames, bytes, is_alive: AtomicBool::new(true) })
    }

    /// Reads what a write needs, so that it lies in the CPU's cache by then.
    #[must_use]
    pub fn touch(&self) -> bool {
        matches!(&self.kind, Kind::Tcp(stream) if stream.as_fd().as_raw_fd() > 0)
    }

    /// Whether the client has shown since this was asked last that it is there: it sent something, or it took some of what had
    /// to [wait](Socket::write_some). Whoever still takes a long document cannot have seen the ping behind it.
    pub fn take_sign_of_life(&self) -> bool {
        self.is_alive.swap(false, Ordering::Relaxed)
    }

    /// A message came. It is counted here and not where all connections are: there the CPUs would wait for each other.
    pub fn note_received(&self, bytes: usize) {
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// What has come since this was asked last.
    pub fn take_received(&self) -> Received {
        Received { frames: self.frames.swap(0, Ordering::Relaxed), bytes: self.bytes.swap(0, Ordering::Relaxed) }
    }

    /// Writes as much as goes without waiting.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when nothing goes, or what is wrong with the connection.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.kind {
            // Not by way of the runtime, which would look up first what it knows of the socket.
            Kind::Tcp(stream) => Ok(rustix::net::send(stream, bytes, AT_ONCE)?),
            Kind::Other(other) => lock(other).try_write(bytes),
        }
    }
}

impl Reader {
    /// What the client sends next; `None` when it sends nothing more. Cancel-safe, and holds no buffer while it waits.
    ///
    /// # Errors
    /// What is wrong with the connection.
    pub async fn read(&mut self) -> io::Result<Option<Chunk>> {
        if !self.early.is_empty() {
            let buffer = Vec::from(std::mem::take(&mut self.early));
            let len = buffer.len();
            return Ok(Some(Chunk { buffer, len }));
        }
        let chunk = poll_fn(|context| self.poll_read(context)).await?;
        self.stream.is_alive.store(true, Ordering::Relaxed);
        Ok((chunk.len > 0).then_some(chunk))
    }

    fn poll_read(&self, context: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        match &self.stream.kind {
            Kind::Tcp(stream) => loop {
                ready!(stream.poll_read_ready(context))?;
                let mut chunk = Chunk::empty();
                match read_some(stream, &mut chunk.buffer) {
                    Ok(len) => {
                        chunk.len = len;
                        return Poll::Ready(Ok(chunk));
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Poll::Ready(Err(error)),
                }
            },
            Kind::Other(other) => {
                let mut chunk = Chunk::empty();
                let mut into = ReadBuf::new(&mut chunk.buffer);
                ready!(Pin::new(&mut lock(other).io).poll_read(context, &mut into))?;
                chunk.len = into.filled().len();
                Poll::Ready(Ok(chunk))
            }
        }
    }
}

impl Other {
    /// Writes without waiting, in whoever's task this is: its share of time is not this stream's to be measured by.
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.keeps_back {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let write = pin!(unconstrained(poll_fn(|context| self.poll_write(context, bytes))));
        let written = match write.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        };
        if self.keeps_back
            && let Some(relay) = self.relay.take()
        {
            relay.wake();
        }
        written
    }

    /// Writes once what is kept back has left. What is written may be kept back then.
    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.keeps_back {
            ready!(self.poll_flush(context))?;
        }
        let written = ready!(Pin::new(&mut self.io).poll_write(context, bytes))?;
        match self.poll_flush(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(written)),
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        self.keeps_back = flushed.is_pending();
        flushed
    }

    fn poll_relay(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.keeps_back
            && let Err(error) = ready!(self.poll_flush(context))
        {
            return Poll::Ready(error);
        }
        match &mut self.relay {
            Some(relay) => relay.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

fn lock(other: &Mutex<Other>) -> MutexGuard<'_, Other> {
    other.lock().unwrap_or_else(PoisonError::into_inner)
}

const _: () = assert!(size_of::<Stream>() == 64, "a stream lies in one line of the cache");

/// Reads what there is. Less than a full buffer is all of it: the socket counts as empty then, which spares the call that
/// would say so.
fn read_some(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = None;
    let outcome = stream.try_io(Interest::READABLE, || {
        let len = rustix::io::read(stream, &mut *buffer)?;
        read = Some(len);
        if len > 0 && len < buffer.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(len) }
    });
    read.map_or(outcome, Ok)
}

impl Chunk {
    /// The bytes; a decoder takes masks off in place.
    pub fn bytes(&mut self) -> &mut [u8] {
        let len = self.len.min(self.buffer.len());
        self.buffer.get_mut(..len).unwrap_or_default()
    }

    fn empty() -> Self {
        let buffer = POOL.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; BUFFER]);
        Self { buffer, len: 0 }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if self.buffer.len() == BUFFER {
            let buffer = std::mem::take(&mut self.buffer);
            // Fails when the thread is ending.
            let _is_dropped = POOL.try_with(|pool| {
                let mut pool = pool.borrow_mut();
                if pool.len() < POOLED {
                    pool.push(buffer);
                }
            });
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Tcp(stream) => stream.fmt(f),
            Kind::Other(_) => f.write_str("Other"),
        }
    }
}

thread_local! {
    /// The buffers that this thread reads into.
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Without waiting, and without a signal for a connection that is gone. Apple's systems have an option of the socket for
/// that, which is set when it is accepted.
#[cfg(target_vendor = "apple")]
const AT_ONCE: SendFlags = SendFlags::DONTWAIT;
#[cfg(not(target_vendor = "apple"))]
const AT_ONCE: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
/// How much is read at once, in bytes.
const BUFFER: usize = 16 * 1024;
/// How many buffers a thread keeps.
const POOLED: usize = 8;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, BufWriter};

    use super::*;

    #[tokio::test]
    async fn what_a_layer_keeps_back_is_sent_on_without_another_write_and_nothing_passes_it() {
        let (mut client, server) = tokio::io::duplex(4);
        let socket = Socket::other(BufWriter::with_capacity(16, server));
        let relay = socket.relay();
        tokio::pin!(relay);
        assert!(futures_util::poll!(&mut relay).is_pending());
        assert_eq!(socket.try_write(b"abcdefgh").unwrap(), 8);
        assert_eq!(socket.try_write(b"xyz").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut read = [0; 8];
        tokio::select! {
            error = &mut relay => panic!("{error}"),
            outcome = client.read_exact(&mut read) => assert_eq!(outcome.unwrap(), 8),
        }
        assert_eq!(&read, b"abcdefgh");
        assert!(futures_util::poll!(&mut relay).is_pending());
        assert_eq!(socket.try_write(b"xyz").unwrap(), 3);
    }

    #[tokio::test]
    async fn a_write_that_is_given_up_has_written_nothing() {
        let (mut client, server) = tokio::io::duplex(4);
        let socket = Socket::other(BufWriter::with_capacity(16, server));
        assert_eq!(socket.write_some(b"abcdefgh").await.unwrap(), 8);
        {
            let given_up = socket.write_some(b"ijkl");
            tokio::pin!(given_up);
            assert!(futures_util::poll!(given_up).is_pending());
        }
        let mut read = [0; 12];
        let (outcome, ()) = tokio::join!(client.read_exact(&mut read), async {
            assert_eq!(socket.write_some(b"mnop").await.unwrap(), 4);
            socket.flush().await.unwrap();
        });
        assert_eq!(outcome.unwrap(), 12);
        assert_eq!(&read, b"abcdefghmnop");
    }
}
