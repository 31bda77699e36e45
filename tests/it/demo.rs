//! The demo's page and files, whether the page was built or not.

use std::path::Path;

use reqwest::{Response, header::HeaderMap};

use crate::server::TestServer;

const DIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web-demo/dist");

async fn get(server: &TestServer, path: &str, accept: &str) -> Response {
    let request = reqwest::Client::new().get(server.http(path)).header("accept-encoding", accept);
    request.send().await.unwrap()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

/// The page and the nonce in its policy.
async fn page(server: &TestServer, path: &str) -> (String, String) {
    let response = get(server, path, "br, gzip").await;
    let headers = response.headers().clone();
    let policy = text(&headers, "content-security-policy");
    assert!(response.status().is_success() && !policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(text(&headers, "cache-control"), "no-cache");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    (response.text().await.unwrap(), nonce)
}

#[tokio::test]
async fn every_page_comes_with_a_nonce_of_its_own() {
    let server = TestServer::start();
    let mut seen = Vec::new();
    for path in ["/", "/d/one", "/d/with/slashes", "/"] {
        let (page, nonce) = page(&server, path).await;
        assert_eq!(page.matches(&nonce).count(), 1, "{path}");
        assert!(!page.contains("CSP_NONCE") && !seen.contains(&nonce), "{path}");
        seen.push(nonce);
    }
}

#[tokio::test]
async fn the_files_of_a_built_page_come_compressed_to_those_who_take_it() {
    let server = TestServer::start();
    let (page, _) = page(&server, "/").await;
    let script = page.split("src=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert_eq!(script.is_some(), Path::new(DIST).join("index.html").exists(), "the binary embeds what was built");
    let Some(script) = script else { return };
    let plain = std::fs::read(Path::new(DIST).join(script.trim_start_matches('/'))).unwrap();
    for (accept, coding) in [("gzip, br", "br"), ("gzip, br;q=0", "gzip"), ("identity", ""), ("*;q=0", "")] {
        let response = get(&server, script, accept).await;
        let headers = response.headers().clone();
        assert_eq!(text(&headers, "content-encoding"), coding, "{accept}");
        assert_eq!(text(&headers, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(text(&headers, "vary"), "accept-encoding");
        let body = response.bytes().await.unwrap();
        if coding.is_empty() {
            assert_eq!(body, plain);
        } else {
            assert!(body.len() < plain.len() / 2, "{accept}: {} of {} bytes", body.len(), plain.len());
        }
        let head = reqwest::Client::new().head(server.http(script)).header("accept-encoding", accept);
        let head = head.send().await.unwrap();
        assert_eq!(text(head.headers(), "content-length"), body.len().to_string());
        assert_eq!(text(head.headers(), "content-encoding"), coding);
    }
    assert_eq!(get(&server, &format!("{script}.br"), "br").await.status(), 404);
}
