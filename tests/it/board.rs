//! A whiteboard as a picture, over HTTP: it is made from what the document holds now, and is harmless when a browser opens it.

use reqwest::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS};
use reqwest::{Client, Response, StatusCode};

use crate::server::TestServer;
use crate::yjs::typed;

/// A board with every kind of shape, as Yjs writes it; tests/interop/sample-board.mjs makes it.
const BOARD: &[u8] = include_bytes!("../fixtures/board.update");

async fn post(server: &TestServer, doc: &str, update: &[u8]) {
    let url = server.http(&format!("/api/docs/{doc}/updates"));
    let response = Client::new().post(url).body(update.to_vec()).send().await.unwrap();
    assert!(response.status().is_success(), "{response:?}");
}

async fn picture(server: &TestServer, doc: &str, known: Option<&str>) -> Response {
    let url = server.http(&format!("/api/docs/{doc}/snapshot?format=svg"));
    let request = Client::new().get(url);
    let request = if let Some(tag) = known { request.header(IF_NONE_MATCH, tag) } else { request };
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_is_exported_as_a_picture_that_runs_nothing() {
    let server = TestServer::start();
    post(&server, "plan", BOARD).await;
    let response = picture(&server, "plan", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    let header = |name| response.headers().get(&name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header(CONTENT_TYPE).as_deref(), Some("image/svg+xml"));
    assert_eq!(header(X_CONTENT_TYPE_OPTIONS).as_deref(), Some("nosniff"));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    assert_eq!(header(CONTENT_SECURITY_POLICY).as_deref(), Some(policy));
    let tag = header(ETAG).unwrap();
    assert_eq!(response.text().await.unwrap(), include_str!("../fixtures/board.svg"));

    assert_eq!(picture(&server, "plan", Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
    post(&server, "plan", &typed(7, 0, "beside the board")).await;
    assert_eq!(picture(&server, "plan", Some(&tag)).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_without_a_board_has_an_empty_picture_and_no_document_none() {
    let server = TestServer::start();
    post(&server, "words", &typed(7, 0, "only words")).await;
    let empty = picture(&server, "words", None).await.text().await.unwrap();
    assert!(empty.contains("viewBox=\"0 0 1 1\""), "{empty}");
    assert_eq!(picture(&server, "nothing", None).await.status(), StatusCode::NOT_FOUND);
}
