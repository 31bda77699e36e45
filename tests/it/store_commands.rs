//! `ydock store stat` and `verify`, asked of a server and of a directory that nobody serves.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::{TestServer, command};
use crate::yjs::typed;

/// Runs a command to its end.
pub(crate) fn ydock(arguments: &[&str], data: &Path) -> Output {
    command().args(arguments).arg("--data").arg(data).stderr(Stdio::piped()).output().unwrap()
}

/// What a command prints on stdout; it must end with this code.
pub(crate) fn printed(output: Output, code: i32) -> String {
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    out
}

/// The JSON object that a command prints.
pub(crate) fn json(output: Output, code: i32) -> Value {
    serde_json::from_str(&printed(output, code)).unwrap()
}

/// The single line with which a command fails.
pub(crate) fn failure(output: Output) -> String {
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!((output.status.code(), out.as_str()), (Some(1), ""), "{err}");
    assert_eq!(err.trim_end().lines().count(), 1, "{err}");
    err
}

/// Stores a text in each of these documents.
pub(crate) async fn fill(server: &TestServer, docs: &[(&str, &str)]) {
    let http = reqwest::Client::new();
    for (client, (doc, text)) in (1..).zip(docs) {
        let post = http.post(server.http(&format!("/api/docs/{doc}/updates"))).body(typed(client, 0, text));
        assert!(post.send().await.unwrap().status().is_success());
    }
}

/// Flips a bit in the middle of every place where the database has this text.
pub(crate) fn flip(data: &Path, text: &str) {
    let path = data.join("documents.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    let windows = bytes.windows(text.len()).enumerate();
    let places: Vec<_> = windows.filter(|(_, window)| *window == text.as_bytes()).map(|(place, _)| place).collect();
    assert!(!places.is_empty(), "{text} is not in the database");
    for place in places {
        *bytes.get_mut(place + text.len() / 2).unwrap() ^= 4;
    }
    std::fs::write(path, bytes).unwrap();
}

const THREE: [(&str, &str); 3] =
    [("red", "the red document"), ("green", "the green document"), ("blue", "the blue one")];

#[tokio::test]
async fn stat_tells_the_same_of_a_running_server_as_of_its_directory_afterwards() {
    let data = TempDir::new().unwrap();
    let mut server = TestServer::start_on(data.path());
    fill(&server, &THREE).await;
    let online = json(ydock(&["store", "stat", "--json"], data.path()), 0);
    assert!(server.terminate().success());
    assert!(!data.path().join("control.sock").exists(), "the socket goes with the server");
    let offline = json(ydock(&["store", "stat", "--json"], data.path()), 0);
    for key in ["engine", "directory", "format", "documents", "tombstones", "updates", "bytes", "largest", "damaged"] {
        assert_eq!(online[key], offline[key], "{key}");
        assert!(!online[key].is_null(), "{key}");
    }
    assert_eq!(online["documents"], 3);
    let text = printed(ydock(&["store", "stat"], data.path()), 0);
    assert!(text.contains("documents   3") && text.contains("green"), "{text}");
}

#[tokio::test]
async fn a_flipped_bit_in_one_document_is_named_and_all_others_serve() {
    let data = TempDir::new().unwrap();
    let mut server = TestServer::start_on(data.path());
    fill(&server, &THREE).await;
    assert_eq!(json(ydock(&["store", "verify", "--json"], data.path()), 0)["sound"], true);
    assert!(server.terminate().success());
    flip(data.path(), "green document");

    for deep in [&["store", "verify", "--json"][..], &["store", "verify", "--json", "--deep"]] {
        let report = json(ydock(deep, data.path()), 2);
        let names: Vec<_> = report["damaged"].as_array().unwrap().iter().map(|found| &found["name"]).collect();
        assert_eq!(names, ["green"]);
        assert_eq!((&report["sound"], &report["documents"]), (&Value::from(false), &Value::from(3)));
    }
    let text = printed(ydock(&["store", "verify"], data.path()), 2);
    assert!(text.contains("\"green\" is damaged: update 1 is unreadable"), "{text}");

    let server = TestServer::start_on(data.path());
    let report = json(ydock(&["store", "verify", "--json"], data.path()), 2);
    assert_eq!(report["damaged"][0]["name"], "green");
    for (doc, status) in [("red", 200), ("green", 500), ("blue", 200)] {
        let answer = reqwest::get(server.http(&format!("/api/docs/{doc}/snapshot"))).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{doc}");
    }
}

#[tokio::test]
async fn records_that_are_sound_and_no_yjs_document_are_found_by_a_deep_verify_only() {
    let data = TempDir::new().unwrap();
    let mut server = TestServer::start_on(data.path());
    fill(&server, &THREE).await;
    assert!(server.terminate().success());
    let config = ydock::storage::Config { data: data.path().to_owned(), ..Default::default() };
    let store = ydock::storage::open(&config).unwrap();
    let name = ydock::DocName::parse("grey").unwrap();
    store.append(&name, ydock::Generation::FIRST, vec!["no update".into()]).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    assert_eq!(json(ydock(&["store", "verify", "--json"], data.path()), 0)["sound"], true);
    let report = json(ydock(&["store", "verify", "--deep", "--json"], data.path()), 2);
    assert_eq!((&report["undecodable"][0]["name"], &report["decoded"]), (&Value::from("grey"), &Value::from(3)));
    let text = printed(ydock(&["store", "verify", "--deep"], data.path()), 2);
    assert!(text.contains("\"grey\" is no Yjs document: "), "{text}");
}

#[test]
fn where_no_store_is_nothing_is_made() {
    let data = TempDir::new().unwrap();
    for arguments in [&["store", "stat"], &["store", "verify"]] {
        let text = failure(ydock(arguments, data.path()));
        assert!(text.contains("there is no store") && text.contains(data.path().to_str().unwrap()), "{text}");
        failure(ydock(arguments, &data.path().join("missing")));
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn a_directory_that_somebody_holds_without_answering_is_named() {
    let data = TempDir::new().unwrap();
    let config = ydock::storage::Config { data: data.path().to_owned(), ..Default::default() };
    let _held = ydock::storage::open(&config).unwrap();
    let text = failure(ydock(&["store", "stat"], data.path()));
    assert!(text.contains("in use") && text.contains(data.path().to_str().unwrap()), "{text}");
}
