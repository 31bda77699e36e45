//! A server over TLS: everything works as over TCP, a slow handshake holds up nobody, and a renewed certificate is shown without
//! a restart.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::ring};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::client::{Client, Io, any};
use crate::server::{TestServer, command, until};
use crate::streams::{everything_works, request};
use crate::yjs::{letter, typed};

/// A directory with a certificate, its key, the log of a server, and a settings file.
struct Place {
    directory: TempDir,
    /// The certificates that clients trust.
    roots: RootCertStore,
}

impl Place {
    fn new() -> Self {
        let mut place = Self { directory: TempDir::new().unwrap(), roots: RootCertStore::empty() };
        place.renew();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Puts a new pair in the place of the old, which clients trust further on.
    fn renew(&mut self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        self.replace("cert.pem", &made.cert.pem());
        self.replace("key.pem", &made.signing_key.serialize_pem());
        let certificate = CertificateDer::from_pem_file(self.path("cert.pem")).unwrap();
        self.roots.add(certificate.clone()).unwrap();
        certificate
    }

    fn replace(&self, name: &str, text: &str) {
        fs::write(self.path("next"), text).unwrap();
        fs::rename(self.path("next"), self.path(name)).unwrap();
    }

    /// Starts a server with further settings.
    fn start(&self, settings: &str) -> TestServer {
        self.start_at("127.0.0.1:0", settings)
    }

    /// Starts a server on a unix socket in the directory.
    fn start_on_socket(&self) -> TestServer {
        self.start_at(&format!("unix:{}", self.path("ydock.sock").display()), "")
    }

    fn start_at(&self, listen: &str, settings: &str) -> TestServer {
        let text = format!(
            "{settings}\n[tls]\ncert = {:?}\nkey = {:?}\nhandshake_within = \"1s\"\nlook_every = \"100ms\"\n",
            self.path("cert.pem").to_str().unwrap(),
            self.path("key.pem").to_str().unwrap(),
        );
        fs::write(self.path("ydock.toml"), text).unwrap();
        let config = self.path("ydock.toml");
        TestServer::start_at(listen, &self.path("log"), &["--config", config.to_str().unwrap()])
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    async fn connect_to_socket(&self, version: &'static SupportedProtocolVersion) -> Io {
        any(secure(&self.roots, &[version], UnixStream::connect(self.path("ydock.sock")).await.unwrap()).await)
    }

    async fn connect(&self, server: &TestServer) -> Io {
        any(secure(&self.roots, &[&TLS12, &TLS13], tcp(server.address()).await).await)
    }

    /// The certificate that the server shows.
    async fn shown(&self, server: &TestServer) -> CertificateDer<'static> {
        let stream = secure(&self.roots, &[&TLS13], tcp(server.address()).await).await;
        stream.get_ref().1.peer_certificates().unwrap().first().unwrap().clone().into_owned()
    }
}

#[tokio::test]
async fn everything_is_answered_over_tls() {
    let place = Place::new();
    let server = place.start("");
    assert!(server.origin().starts_with("https://127.0.0.1:"), "{}", server.origin());
    let address = server.address().to_owned();
    let mut plain = tcp(&address).await;
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _reset = plain.read_to_end(&mut answer).await.is_err();
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    for version in [&TLS12, &TLS13] {
        let stream = secure(&place.roots, &[version], tcp(&address).await).await;
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        assert!(request(any(stream), "GET /readyz").await.starts_with("HTTP/1.1 200"));
    }
    let connect = async || any(secure(&place.roots, &[&TLS13], tcp(&address).await).await);
    everything_works(server, connect).await;
}

#[tokio::test]
async fn everything_is_answered_over_tls_on_a_unix_socket() {
    let place = Place::new();
    let server = place.start_on_socket();
    assert_eq!(server.origin(), format!("unix:{} (TLS)", place.path("ydock.sock").display()));
    everything_works(server, async || place.connect_to_socket(&TLS12).await).await;
}

#[tokio::test]
async fn clients_that_say_nothing_hold_up_nobody_and_are_given_up() {
    let place = Place::new();
    let server = place.start("[http]\nmax_open = 8\n");
    let mut silent = Vec::new();
    for _ in 0..7 {
        silent.push(tcp(server.address()).await);
    }
    let started = Instant::now();
    assert!(request(place.connect(&server).await, "GET /healthz").await.starts_with("HTTP/1.1 200"));
    assert!(started.elapsed() < Duration::from_secs(1), "somebody else's handshake was waited for");
    // Now all places are taken, until the handshakes have taken too long.
    silent.push(tcp(server.address()).await);
    let late = timeout(Duration::from_secs(20), place.connect(&server)).await.unwrap();
    assert!(request(late, "GET /healthz").await.starts_with("HTTP/1.1 200"));
    for mut stream in silent {
        let ended = timeout(Duration::from_secs(20), stream.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "a client without a handshake is still there");
    }
    let metrics = request(place.connect(&server).await, "GET /metrics").await;
    assert!(metrics.contains("ydock_handshake_failures_total 8\n"), "{metrics}");
    assert!(metrics.contains("ydock_refused_total{limit=\"tls.handshake_within\"} 8\n"), "{metrics}");
}

/// TLS takes pieces of 64 KiB, also one that the socket does not take, and sends that only when it is asked to go on. One of
/// these updates ends in such a piece.
#[tokio::test]
async fn the_end_of_what_a_client_reads_late_comes_without_another_message() {
    let place = Place::new();
    let _server = place.start_on_socket();
    for kibibytes in (63..640).step_by(64) {
        let url = format!("ws://localhost/yjs/{kibibytes}");
        let mut reader = Client::join_over(place.connect_to_socket(&TLS13).await, &url).await;
        reader.settled().await;
        let mut author = Client::join_over(place.connect_to_socket(&TLS13).await, &url).await;
        let update = typed(1, 0, &"x".repeat(kibibytes * 1024));
        assert!(author.update(&update).await);
        author.settled().await;
        // Before something else is sent to keep the connection alive.
        let in_time = timeout(Duration::from_secs(5), reader.receives(&update)).await.is_ok();
        assert!(in_time, "the end of {kibibytes} KiB did not come");
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_and_nobody_is_disconnected_and_a_bad_one_is_not() {
    let mut place = Place::new();
    let server = place.start("");
    let first = place.shown(&server).await;
    let mut old = Client::join_over(place.connect(&server).await, "ws://localhost/yjs/doc").await;
    old.settled().await;

    let second = place.renew();
    assert_ne!(first, second);
    until("the new certificate is shown", || async { place.shown(&server).await == second }).await;
    let mut new = Client::join_over(place.connect(&server).await, "ws://localhost/yjs/doc").await;
    assert!(new.update(&letter(1, 0)).await);
    old.receives(&letter(1, 0)).await;

    let good = fs::read_to_string(place.path("key.pem")).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().signing_key.serialize_pem();
    place.replace("key.pem", &other);
    until("the bad pair is told", || async { place.log().contains("the old one stays") }).await;
    let log = place.log();
    assert!(log.contains("does not belong") && log.contains("key.pem") && log.lines().count() == 1, "{log}");
    for key in [&good, &other] {
        assert!(key.lines().all(|line| !log.contains(line)), "{log}");
    }
    assert_eq!(place.shown(&server).await, second);
    assert!(old.update(&letter(2, 0)).await);
    new.receives(&letter(2, 0)).await;

    let third = place.renew();
    until("the next good certificate is shown", || async { place.shown(&server).await == third }).await;
    old.settled().await;
}

#[tokio::test]
async fn a_pair_that_cannot_be_used_ends_the_start_with_one_line() {
    let (place, other) = (Place::new(), Place::new());
    let (cert, key) = (place.path("cert.pem"), place.path("key.pem"));
    let failure = |flags: &[(&str, &PathBuf)]| {
        let mut command = command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(place.path("data"));
        for (flag, path) in flags {
            command.arg(flag).arg(path);
        }
        let output = command.stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        text
    };
    let pair = |cert, key| failure(&[("--tls-cert", cert), ("--tls-key", key)]);
    let name = |path: &PathBuf| path.to_str().unwrap().to_owned();

    let missing = place.path("nothing.pem");
    let text = pair(&missing, &key);
    assert!(text.contains(&name(&missing)) && text.contains("No such file"), "{text}");
    let foreign = other.path("key.pem");
    let text = pair(&cert, &foreign);
    assert!(
        text.contains(&name(&cert)) && text.contains(&name(&foreign)) && text.contains("does not belong"),
        "{text}"
    );
    let text = pair(&key, &cert);
    assert!(text.contains(&name(&key)) && text.contains("no certificate"), "{text}");
    let text = failure(&[("--tls-cert", &cert)]);
    assert!(text.contains("tls.cert and tls.key go together"), "{text}");
    assert!(!place.path("data").exists(), "a start that cannot be secure touches nothing");
}

/// A TLS stream to a server that shows a trusted certificate.
async fn secure<S>(roots: &RootCertStore, versions: &[&'static SupportedProtocolVersion], stream: S) -> TlsStream<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = config.with_root_certificates(roots.clone()).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

async fn tcp(address: &str) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}
