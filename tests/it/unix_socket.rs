//! A server on a unix socket: it answers everything there, and its file comes and goes with it.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::net::UnixStream;

use crate::client::{Io, any};
use crate::server::{TestServer, command};
use crate::streams::{everything_works, request};

fn start(directory: &TempDir) -> (TestServer, PathBuf) {
    let path = directory.path().join("ydock.sock");
    let server = TestServer::start_at(&address(&path), &directory.path().join("log"), &[]);
    assert_eq!(server.origin(), address(&path));
    (server, path)
}

fn address(path: &Path) -> String {
    format!("unix:{}", path.display())
}

async fn connect(path: &Path) -> Io {
    any(UnixStream::connect(path).await.unwrap())
}

/// The line with which a server on this path fails.
fn failure(path: &Path) -> String {
    let data = TempDir::new().unwrap();
    let mut command = command();
    command.args(["serve", "--listen", &address(path), "--data"]).arg(data.path());
    let output = command.stderr(Stdio::piped()).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    text
}

#[tokio::test]
async fn everything_is_answered_over_a_unix_socket() {
    let directory = TempDir::new().unwrap();
    let (server, path) = start(&directory);
    everything_works(server, async || connect(&path).await).await;
    assert!(!path.exists(), "the file of the socket is left");
}

#[tokio::test]
async fn the_owner_and_the_group_may_connect_and_a_killed_server_is_replaced() {
    let directory = TempDir::new().unwrap();
    let (mut server, path) = start(&directory);
    let file = std::fs::metadata(&path).unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o660);
    server.kill_and_restart();
    assert!(request(connect(&path).await, "GET /healthz").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_socket_of_a_live_process_is_refused_and_stays() {
    let directory = TempDir::new().unwrap();
    let (_server, path) = start(&directory);
    let text = failure(&path);
    assert!(text.contains("another process listens there"), "{text}");
    assert!(request(connect(&path).await, "GET /healthz").await.starts_with("HTTP/1.1 200"));
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("letter.txt");
    std::fs::write(&path, "dear").unwrap();
    assert!(failure(&path).contains("no socket"));
    assert_eq!(std::fs::read(&path).unwrap(), b"dear");
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let directory = TempDir::new().unwrap();
    let text = failure(&directory.path().join("run/ydock.sock"));
    assert!(text.contains("No such file or directory"), "{text}");
}

/// The store is tried after the address: a start that fails there leaves no file behind.
#[test]
fn a_start_that_fails_later_leaves_no_socket() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("ydock.sock");
    drop(UnixListener::bind(&path).unwrap());
    let data = directory.path().join("data");
    std::fs::write(&data, "").unwrap();
    let mut command = command();
    command.args(["serve", "--listen", &address(&path), "--data"]).arg(&data);
    assert!(!command.stderr(Stdio::null()).status().unwrap().success());
    assert!(!path.exists());
}
