//! On an address that strangers reach, nothing is readable or writable without a token.

use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use tempfile::TempDir;

use crate::client::Client;
use crate::server::{TestServer, command};
use crate::yjs::letter;

#[test]
fn with_default_settings_it_does_not_even_start() {
    let data = TempDir::new().unwrap();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let mut serve = command();
        serve.args(["serve", "--listen", listen, "--data"]).arg(data.path()).stderr(Stdio::piped());
        let ended = serve.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success());
        assert!(said.contains("access.auth is \"open\"") && said.contains("--auth"), "{said}");
        assert_eq!(ended.stdout, b"");
    }
}

#[tokio::test]
async fn with_tokens_it_answers_nobody_without_one() {
    let keys = TempDir::new().unwrap();
    let key = keys.path().join("key");
    std::fs::write(&key, "a secret that has at least 32 bytes").unwrap();
    let settings = [("YDOCK_ACCESS__AUTH", "tokens"), ("YDOCK_ACCESS__KEY", key.to_str().unwrap())];
    let server = TestServer::start_set_at("0.0.0.0:0", &settings);

    for path in ["doc", "doc?token=wrong", "doc?role=admin"] {
        let mut client = Client::open(&server.ws(path)).await;
        assert_eq!(client.close().await.map(|(code, _)| code), Some(4401), "{path}");
    }
    let http = reqwest::Client::new();
    let asked = [
        (Method::GET, "/api/docs"),
        (Method::GET, "/api/docs/doc"),
        (Method::GET, "/api/docs/doc/snapshot"),
        (Method::POST, "/api/docs/doc/updates"),
        (Method::DELETE, "/api/docs/doc"),
        (Method::GET, "/api/sessions"),
        (Method::POST, "/api/sessions/kick"),
        (Method::POST, "/api/sessions/revoke"),
        (Method::POST, "/api/sessions/restore"),
        (Method::GET, "/api/revocations"),
        (Method::POST, "/api/tokens"),
        (Method::GET, "/api/webhooks"),
        (Method::POST, "/api/webhooks/retry"),
        (Method::POST, "/api/webhooks/forget"),
        (Method::GET, "/metrics"),
    ];
    for (method, path) in asked {
        let request =
            http.request(method.clone(), server.http(path)).body(letter(7, 0)).timeout(Duration::from_secs(20));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401, "{method} {path}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    }
    assert_eq!(http.get(server.http("/healthz")).send().await.unwrap().status(), 200);
}
