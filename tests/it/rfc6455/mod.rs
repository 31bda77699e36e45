//! The wire of RFC 6455 on the endpoint of the documents, case by case.
//!
//! The numbers are those of the Autobahn test suite: a reader can look up there what a case is about. Its cases are about a
//! server that sends every message back; here a message is an edit, and it has come when the document says so. A text is
//! part of no message of the endpoint, so a whole and valid one is refused by the front with 4400, and that is how the
//! cases of texts see that it came. Sections 8 and 11 are empty in the suite, 12 and 13 are about compression, which is not
//! negotiated.
//!
//! Every case is sent at once and once more in small pieces.

mod case;
mod closing;
mod framing;
mod large;
mod text;

use std::sync::Arc;

use tokio::task::JoinSet;

use self::case::Case;
use crate::server::TestServer;

#[tokio::test]
async fn lengths_of_messages() {
    all_pass(framing::lengths()).await;
}

#[tokio::test]
async fn pings_and_pongs() {
    all_pass(framing::pings()).await;
}

#[tokio::test]
async fn reserved_bits_and_headers_that_no_client_may_send() {
    all_pass(framing::reserved_bits()).await;
    all_pass(framing::headers()).await;
}

#[tokio::test]
async fn reserved_opcodes() {
    all_pass(framing::opcodes()).await;
}

#[tokio::test]
async fn messages_in_parts() {
    all_pass(framing::parts()).await;
}

#[tokio::test]
async fn texts_that_are_utf_8() {
    all_pass(text::valid()).await;
}

#[tokio::test]
async fn texts_that_are_not_utf_8() {
    all_pass(text::invalid()).await;
}

#[tokio::test]
async fn goodbyes() {
    all_pass(closing::goodbyes()).await;
}

#[tokio::test]
async fn codes_and_reasons_of_goodbyes() {
    all_pass(closing::codes()).await;
    all_pass(closing::reasons()).await;
}

#[tokio::test]
async fn large_messages_and_many_of_them() {
    all_pass(large::messages()).await;
}

#[tokio::test]
async fn messages_beyond_the_limit() {
    all_pass(large::beyond_the_limit()).await;
}

/// Runs the cases side by side, each in a document of its own.
async fn all_pass(cases: Vec<Case>) {
    let server = TestServer::start();
    let mut runs = JoinSet::new();
    for (number, case) in cases.into_iter().map(Arc::new).enumerate() {
        let small = if case.sends.len() < 2000 { 1 } else { 997 };
        for piece in [case.sends.len(), small] {
            let url = server.ws(&format!("{number}-{piece}"));
            runs.spawn(case::run(url, Arc::clone(&case), piece));
        }
    }
    let failed: Vec<_> = runs.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n"));
}
