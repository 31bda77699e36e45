//! From a listener to HTTP: connections are accepted, made secure if they are to be, and served until they end or turn into
//! WebSockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use super::Server;
use crate::http;
use crate::http::control::ControlSocket;
use crate::listen::{Listener, Stream};
use crate::shutdown::Tasks;
use crate::telemetry::ErrorChain;

/// A place to listen, and what is answered there.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) listener: Listener,
    pub(super) routes: Router,
}

/// What serves a connection.
#[derive(Clone)]
struct Service {
    routes: Router,
    peer: Option<SocketAddr>,
    head_within: Duration,
    tasks: Tasks,
}

impl Server {
    pub(super) async fn accept(&self) {
        let open = Arc::new(Semaphore::new(self.config.http.max_open));
        let doors = self.doors.iter().map(|door| self.accept_at(door, Arc::clone(&open)));
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
            let Ok(place) = Arc::clone(&open).acquire_owned().await else { return };
            match socket.accept().await {
                Ok(stream) => {
                    let service = self.service(&self.control_routes, None);
                    self.tasks.spawn(async move { service.serve(stream, place).await });
                }
                Err(error) => {
                    tracing::warn!(error = %error, "a command could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn accept_at(&self, door: &Door, open: Arc<Semaphore>) {
        loop {
            let Ok(place) = Arc::clone(&open).acquire_owned().await else { return };
            match door.listener.accept().await {
                Ok(Stream::Tcp(stream, peer)) => {
                    prepare(&stream, &self.config.http);
                    self.begin(self.service(&door.routes, Some(peer)), stream, place);
                }
                Ok(Stream::Unix(stream)) => self.begin(self.service(&door.routes, None), stream, place),
                Err(error) => {
                    // Out of file descriptors, or a connection that was gone before it was accepted.
                    tracing::warn!(error = %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn service(&self, routes: &Router, peer: Option<SocketAddr>) -> Service {
        let (routes, tasks) = (routes.clone(), self.tasks.clone());
        Service { routes, peer, head_within: self.config.http.head_within, tasks }
    }

    /// Serves in a task of its own, where the handshake is made too: nobody else waits for it.
    fn begin<S>(&self, service: Service, stream: S, place: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match &self.tls {
            None => self.tasks.spawn(async move { service.serve(stream, place).await }),
            Some(tls) => {
                let (tls, metrics) = (tls.clone(), Arc::clone(&self.metrics));
                self.tasks.spawn(async move {
                    let outcome = tokio::select! {
                        outcome = tls.accept(stream) => outcome,
                        () = service.tasks.stopped() => return,
                    };
                    match outcome {
                        Ok(stream) => service.serve(stream, place).await,
                        Err(error) => {
                            metrics.handshake_failures.increment(1);
                            tracing::debug!(error = %ErrorChain(&error), "a TLS handshake failed");
                        }
                    }
                });
            }
        }
    }
}

impl Service {
    /// Serves until the connection ends or turns into a WebSocket.
    async fn serve<S>(self, stream: S, place: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { routes, peer, head_within, tasks } = self;
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(head_within);
        let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
            if let Some(peer) = peer {
                request.extensions_mut().insert(ConnectInfo(peer));
            }
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
            tracing::debug!(error = %error, "an HTTP connection ended early");
        }
        drop(place);
    }
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

/// Connections to the control socket at once; further ones wait.
const CONTROLS: usize = 16;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
