//! Handshakes within a time, and the stream that they make, which says goodbye however it ends.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::unconstrained;
use tokio::time::timeout;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::{TlsAcceptor, server};

use super::config::Config;
use super::pair::Pair;

/// Makes TLS streams; a clone is the same acceptor.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
    shown: Arc<Shown>,
    within: Duration,
}

/// A TLS stream over any other. Dropping it tells the other side that nothing more comes, if that goes without waiting.
#[derive(Debug)]
pub struct TlsStream {
    stream: server::TlsStream<Below>,
}

/// Why there is no TLS stream.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The client speaks no TLS, breaks off, or has nothing in common with the server.
    #[error("the TLS handshake failed")]
    Failed(#[source] io::Error),
    /// The client did not get to the end of it.
    #[error("the TLS handshake took too long")]
    TooSlow,
}

/// The pair that is shown to whoever connects now.
#[derive(Debug)]
struct Shown(RwLock<Pair>);

/// What is below TLS.
type Below = Box<dyn Io>;

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Acceptor {
    /// An acceptor that shows a pair: TLS 1.2 and 1.3, and HTTP/1.1 inside.
    ///
    /// # Errors
    /// When the algorithms do not go together, which they do.
    pub fn new(pair: Pair, config: &Config) -> Result<Self, rustls::Error> {
        let shown = Arc::new(Shown(RwLock::new(pair)));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        tls.alpn_protocols = vec![HTTP.to_vec()];
        Ok(Self { tls: TlsAcceptor::from(Arc::new(tls)), shown, within: config.handshake_within })
    }

    /// Shows another pair to those who connect from now on.
    pub fn show(&self, pair: Pair) {
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
    }

    /// Makes the handshake with a client.
    ///
    /// # Errors
    /// When the client does not do its part, or not in time.
    pub async fn accept<S>(&self, stream: S) -> Result<TlsStream, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let below: Below = Box::new(stream);
        match timeout(self.within, self.tls.accept(below)).await {
            Ok(Ok(stream)) => Ok(TlsStream { stream }),
            Ok(Err(error)) => Err(HandshakeError::Failed(error)),
            Err(_) => Err(HandshakeError::TooSlow),
        }
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for TlsStream {
    fn drop(&mut self) {
        // Said once, even if it was said before.
        self.stream.get_mut().1.send_close_notify();
        let flush = pin!(unconstrained(poll_fn(|context| Pin::new(&mut self.stream).poll_flush(context))));
        let _may_not_go = flush.poll(&mut Context::from_waker(Waker::noop())).is_pending();
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("within", &self.within).finish_non_exhaustive()
    }
}

impl fmt::Debug for dyn Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Io")
    }
}

/// The protocol inside, as ALPN (RFC 7301) names it.
const HTTP: &[u8] = b"http/1.1";
