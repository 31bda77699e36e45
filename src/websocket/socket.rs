//! The upgraded connection: read by one task, written by whoever has something for it, without waiting.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rustix::net::SendFlags;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

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

enum Stream {
    Tcp(TcpStream),
    /// TLS, a Unix socket, or a stream of a test.
    Other(Mutex<Box<dyn Io>>),
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
        Self { stream: Arc::new(Stream::Tcp(stream)), early }
    }

    /// A socket over any other stream; each read and write takes its lock.
    #[must_use]
    pub fn other(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { stream: Arc::new(Stream::Other(Mutex::new(Box::new(stream)))), early: Bytes::new() }
    }

    /// The reading half. Taken once.
    #[must_use]
    pub fn reader(&mut self) -> Reader {
        Reader { stream: Arc::clone(&self.stream), early: std::mem::take(&mut self.early) }
    }

    /// Writes as much as goes without waiting.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when nothing goes, or what is wrong with the connection.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &*self.stream {
            // Not by way of the runtime, which would look up first what it knows of the socket.
            Stream::Tcp(stream) => Ok(rustix::net::send(stream, bytes, AT_ONCE)?),
            Stream::Other(stream) => {
                let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                let mut context = Context::from_waker(Waker::noop());
                let Poll::Ready(written) = Pin::new(&mut **stream).poll_write(&mut context, bytes) else {
                    return Err(io::ErrorKind::WouldBlock.into());
                };
                let written = written?;
                // Whatever a layer below keeps is pushed on; if that does not go now, the next write does it.
                match Pin::new(&mut **stream).poll_flush(&mut context) {
                    Poll::Ready(Err(error)) => Err(error),
                    _ => Ok(written),
                }
            }
        }
    }

    /// Writes as much as goes, and waits while nothing does. Cancel-safe. Only one task may wait.
    ///
    /// # Errors
    /// What is wrong with the connection.
    pub async fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        match &*self.stream {
            Stream::Tcp(stream) => loop {
                stream.writable().await?;
                match stream.try_write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    outcome => return outcome,
                }
            },
            Stream::Other(stream) => {
                let write = |context: &mut Context<'_>| {
                    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                    Pin::new(&mut **stream).poll_write(context, bytes)
                };
                let written = poll_fn(write).await?;
                self.flush().await?;
                Ok(written)
            }
        }
    }

    async fn flush(&self) -> io::Result<()> {
        let Stream::Other(stream) = &*self.stream else { return Ok(()) };
        poll_fn(|context| {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            Pin::new(&mut **stream).poll_flush(context)
        })
        .await
    }

    /// Tells the other side that nothing more will come; what it still sends can be read.
    ///
    /// # Errors
    /// What is wrong with the connection.
    pub async fn finish(&self) -> io::Result<()> {
        match &*self.stream {
            Stream::Tcp(stream) => Ok(rustix::net::shutdown(stream, rustix::net::Shutdown::Write)?),
            Stream::Other(stream) => {
                poll_fn(|context| {
                    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                    Pin::new(&mut **stream).poll_shutdown(context)
                })
                .await
            }
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
        Ok((chunk.len > 0).then_some(chunk))
    }

    fn poll_read(&self, context: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        match &*self.stream {
            Stream::Tcp(stream) => loop {
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
            Stream::Other(stream) => {
                let mut chunk = Chunk::empty();
                let mut into = ReadBuf::new(&mut chunk.buffer);
                let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                ready!(Pin::new(&mut **stream).poll_read(context, &mut into))?;
                chunk.len = into.filled().len();
                Poll::Ready(Ok(chunk))
            }
        }
    }
}

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
        match self {
            Self::Tcp(stream) => stream.fmt(f),
            Self::Other(_) => f.write_str("Other"),
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
