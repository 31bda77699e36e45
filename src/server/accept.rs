//! From a listener to HTTP: connections are accepted, made secure if they are to be, and served until they end or turn into
//! WebSockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use super::Server;
use crate::http;
use crate::http::control::ControlSocket;
use crate::listen::{Held, Listener, NoPlace, Place, Places, Stream};
use crate::shutdown::Tasks;
use crate::telemetry::{ErrorChain, Limit, Metrics};
use crate::tls::HandshakeError;

/// A place to listen, and what is answered there.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) listener: Listener,
    pub(super) routes: Router,
}

/// The places of those who come in by any door.
struct Capacity {
    open: Arc<Semaphore>,
    by_address: Places,
}

/// What a connection takes: given back when it ends, be it as a WebSocket.
struct Taken {
    /// Given back first: whoever comes in for the other must find it.
    _of_address: Option<Place>,
    _open: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

/// What serves a connection.
#[derive(Clone)]
struct Service {
    routes: Router,
    peer: Option<SocketAddr>,
    head_within: Duration,
    tasks: Tasks,
    metrics: Arc<Metrics>,
}

impl Server {
    pub(super) async fn accept(&self) {
        let http = &self.config.http;
        let capacity =
            Capacity { open: Arc::new(Semaphore::new(http.max_open)), by_address: Places::new(http.max_per_address) };
        let doors = self.doors.iter().map(|door| self.accept_at(door, &capacity));
        let control = async {
            if let Some(socket) = &self.control {
                self.accept_control(socket).await;
            }
        };
        tokio::join!(futures_util::future::join_all(doors), control);
    }

    async fn accept_control(&self, socket: &ControlSocket) {
        let open = Arc::new(Semaphore::new(CONTROLS));
        loop {
            let Ok(open) = Arc::clone(&open).acquire_owned().await else { return };
            match socket.accept().await {
                Ok(stream) => {
                    let (service, held) = (self.service(&self.control_routes, None), Held::new(open));
                    self.tasks.spawn(async move { service.serve(stream, held).await });
                }
                Err(error) => {
                    tracing::warn!(error = %error, "a command could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn accept_at(&self, door: &Door, capacity: &Capacity) {
        loop {
            let Ok(open) = Arc::clone(&capacity.open).acquire_owned().await else { return };
            match door.listener.accept().await {
                Ok(Stream::Tcp(stream, peer)) => match self.place(capacity, peer) {
                    Ok(place) => {
                        prepare(&stream, &self.config.http);
                        self.begin(self.service(&door.routes, Some(peer)), stream, self.taken(open, place));
                    }
                    Err(_told) => turn_away(&stream, self.tls.is_some()),
                },
                Ok(Stream::Unix(stream)) => {
                    self.begin(self.service(&door.routes, None), stream, self.taken(open, None));
                }
                Err(error) => {
                    // Out of file descriptors, or a connection that was gone before it was accepted.
                    tracing::warn!(error = %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Takes a place of an address. A trusted proxy stands for many, and needs none.
    fn place(&self, capacity: &Capacity, peer: SocketAddr) -> Result<Option<Place>, NoPlace> {
        let address = Some(peer.ip());
        if self.config.http.trusted_proxies.iter().any(|proxy| proxy.is(address)) {
            return Ok(None);
        }
        let taken = capacity.by_address.take(address).map(Some);
        taken.inspect_err(|no_place| {
            self.metrics.refused.count(Limit::HttpMaxPerAddress);
            no_place.tell(Limit::HttpMaxPerAddress.setting());
        })
    }

    fn taken(&self, open: OwnedSemaphorePermit, of_address: Option<Place>) -> Held {
        self.metrics.sockets.increment(1);
        Held::new(Taken { _open: open, _of_address: of_address, metrics: Arc::clone(&self.metrics) })
    }

    fn service(&self, routes: &Router, peer: Option<SocketAddr>) -> Service {
        let (routes, tasks, metrics) = (routes.clone(), self.tasks.clone(), Arc::clone(&self.metrics));
        Service { routes, peer, head_within: self.config.http.head_within, tasks, metrics }
    }

    /// Serves in a task of its own, where the handshake is made too: nobody else waits for it.
    fn begin<S>(&self, service: Service, stream: S, held: Held)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match &self.tls {
            None => self.tasks.spawn(async move { service.serve(stream, held).await }),
            Some(tls) => {
                let tls = tls.clone();
                self.tasks.spawn(async move {
                    let outcome = tokio::select! {
                        outcome = tls.accept(stream) => outcome,
                        () = service.tasks.stopped() => return,
                    };
                    match outcome {
                        Ok(stream) => service.serve(stream, held).await,
                        Err(error) => service.count_handshake(&error),
                    }
                });
            }
        }
    }
}

impl Service {
    /// Serves until the connection ends or turns into a WebSocket, which keeps what is held.
    async fn serve<S>(self, stream: S, held: Held)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { routes, peer, head_within, tasks, metrics } = self;
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(head_within);
        let has_asked = Arc::new(AtomicBool::new(false));
        let asks = Arc::clone(&has_asked);
        let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
            asks.store(true, Ordering::Relaxed);
            if let Some(peer) = peer {
                request.extensions_mut().insert(ConnectInfo(peer));
            }
            request.extensions_mut().insert(held.clone());
            routes.clone().oneshot(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::pin!(connection);
        let outcome = tokio::select! {
            outcome = &mut connection => outcome,
            () = tasks.stopped() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = outcome {
            // After a request, it is a browser that had no further one.
            if error.is_timeout() && !has_asked.load(Ordering::Relaxed) {
                metrics.refused.count(Limit::HttpHeadWithin);
            }
            tracing::debug!(error = %error, "an HTTP connection ended early");
        }
    }

    fn count_handshake(&self, error: &HandshakeError) {
        self.metrics.handshake_failures.increment(1);
        if matches!(error, HandshakeError::TooSlow) {
            self.metrics.refused.count(Limit::TlsHandshakeWithin);
        }
        tracing::debug!(error = %ErrorChain(error), "a TLS handshake failed");
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.metrics.sockets.decrement(1);
    }
}

/// Tells a client that its address has as many connections as it may, as far as that goes at once: nobody waits for it, and
/// nothing is kept of it. Over TLS it could not read it.
fn turn_away(stream: &TcpStream, is_tls: bool) {
    if is_tls {
        return;
    }
    let at_once = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let _client_has_gone =
        send(stream, TOO_MANY.as_bytes(), at_once).and_then(|_| shutdown(stream, Shutdown::Write)).is_err();
    // What is unread when a socket is closed resets the connection, and the answer might be lost with it.
    let _nothing_came = recv(stream, &mut [0; UNREAD], RecvFlags::DONTWAIT).is_err();
}

fn prepare(stream: &TcpStream, config: &http::Config) {
    // Small frames must not wait for each other.
    let _peer_is_gone = stream.set_nodelay(true).is_err();
    give_up_unread(stream, config.read_within);
}

/// Writers wait for readers, and whoever reads nothing keeps its connection alive by answering the system's probes: so the
/// system gives the connection up.
#[cfg(target_os = "linux")]
fn give_up_unread(stream: &TcpStream, within: Duration) {
    let within = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
    let _peer_is_gone = rustix::net::sockopt::set_tcp_user_timeout(stream, within).is_err();
}

#[cfg(not(target_os = "linux"))]
fn give_up_unread(_: &TcpStream, _: Duration) {}

/// The problem of `http::Problem` for the same, word for word: it is written before there is a request.
const TOO_MANY: &str = concat!(
    "HTTP/1.1 429 Too Many Requests\r\n",
    "content-type: application/problem+json\r\ncontent-length: 143\r\nretry-after: 2\r\nconnection: close\r\n\r\n",
    r#"{"type":"/problems/too-many-connections","title":"Too many connections","#,
    r#""status":429,"detail":"this address has as many connections as it may"}"#,
);
/// As much of what came is read over: the usual request.
const UNREAD: usize = 4096;
/// Connections to the control socket at once; further ones wait.
const CONTROLS: usize = 16;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::response::IntoResponse;

    use super::*;
    use crate::connection::NoSlot;

    #[tokio::test]
    async fn who_is_turned_away_before_a_request_reads_the_same_as_after_one() {
        let no_place = NoPlace { address: [192, 0, 2, 1].into(), is_first: true };
        let response = http::Problem::from(NoSlot::Address(no_place)).into_response();
        let (head, body) = TOO_MANY.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {}\r\n", response.status())), "{head}");
        for name in ["content-type", "content-length", "retry-after", "connection"] {
            let value = match name {
                "content-length" => body.len().to_string(),
                _ => response.headers()[name].to_str().unwrap().to_owned(),
            };
            assert!(format!("{head}\r\n").contains(&format!("\r\n{name}: {value}\r\n")), "{name}: {value}");
        }
        assert_eq!(body, to_bytes(response.into_body(), usize::MAX).await.unwrap());
    }
}
