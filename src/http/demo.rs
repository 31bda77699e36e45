//! The demo page, embedded when it was built before the binary.
//!
//! Nothing inline runs or styles on it but what carries the nonce of the very response that brought the page.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;
use uuid::Uuid;

use super::encoding::{self, Coding};
use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "web-demo/dist"]
#[allow_missing = true]
struct Demo;

/// The content of a file of the page.
type Content = Cow<'static, [u8]>;

/// The page for `/` and for every document.
pub(super) async fn index() -> Response {
    page(&embedded(INDEX).unwrap_or(Cow::Borrowed(NOT_BUILT)))
}

/// A file of the page.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    match name {
        INDEX => embedded(INDEX).map(|content| page(&content)),
        _ => find(name, headers, embedded),
    }
    .unwrap_or_else(|| Problem::no_such_page().into_response())
}

fn embedded(name: &str) -> Option<Content> {
    Demo::get(name).map(|file| file.data)
}

/// A page as this response may carry it: with a nonce that no other has.
fn page(content: &[u8]) -> Response {
    let nonce = Uuid::new_v4().simple().to_string();
    let text = String::from_utf8_lossy(content).replace(NONCE_PLACE, &nonce);
    let mut response = Html(text).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    with_policy(response, &format!("'self' 'nonce-{nonce}'"))
}

/// A file in the best coding that lies ready and that the request allows.
fn find(name: &str, headers: &HeaderMap, look: impl Fn(&str) -> Option<Content>) -> Option<Response> {
    let is_coded = |name: &str| [Coding::Brotli, Coding::Gzip].iter().any(|coding| name.ends_with(coding.ending()));
    if is_coded(name) {
        return None; // what lies beside a file is that file, not another
    }
    let mut codings = encoding::accepted(headers).into_iter();
    let (coding, content) = codings.find_map(|coding| Some((coding, look(&format!("{name}{}", coding.ending()))?)))?;
    let body = match content {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    // Built names hold a hash of their content, so what was fetched once never changes.
    let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let fixed =
        [(header::CONTENT_TYPE, content_type(name)), (header::CACHE_CONTROL, cache), (header::VARY, "accept-encoding")];
    let mut response = (fixed, body).into_response();
    if coding != Coding::Identity {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    }
    Some(with_policy(response, "'self'"))
}

/// Nothing from other hosts, and inline nothing but the styles that the page's nonce allows.
fn with_policy(mut response: Response, styles: &str) -> Response {
    let policy = format!(
        "default-src 'self'; script-src 'self'; style-src {styles}; img-src 'self' data: blob:; connect-src 'self'; \
         worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    );
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'self'"));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

const INDEX: &str = "index.html";
/// Where a page wants its nonce; stands in `web-demo/index.html` too.
const NONCE_PLACE: &str = "__CSP_NONCE__";
const NOT_BUILT: &[u8] = include_bytes!("not_built.html");

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    /// A built page: a script in three forms, an icon in one, and files at its root.
    fn built(name: &str) -> Option<Content> {
        let content: &[u8] = match name {
            "assets/app.js" => b"plain",
            "assets/app.js.br" => b"brotli",
            "assets/app.js.gz" => b"gzip",
            "assets/icon.svg" => b"<svg/>",
            "sw.js" | "manifest.webmanifest" | "icon.svg" => b"root",
            _ => return None,
        };
        Some(content.into())
    }

    fn get(name: &str, accept: &'static str) -> Option<Response> {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accept))]);
        find(name, &headers, built)
    }

    fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    async fn text(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_file_goes_out_in_the_best_coding_that_is_allowed_and_there() {
        for (name, accept, coding, content) in [
            ("assets/app.js", "gzip, br", Some("br"), "brotli"),
            ("assets/app.js", "gzip, br;q=0", Some("gzip"), "gzip"),
            ("assets/app.js", "deflate", None, "plain"),
            ("assets/icon.svg", "gzip, br", None, "<svg/>"),
        ] {
            let response = get(name, accept).unwrap();
            assert_eq!(header(&response, "content-encoding"), coding, "{name} {accept}");
            assert_eq!(header(&response, "vary"), Some("accept-encoding"));
            assert_eq!(text(response).await, content);
        }
        assert_eq!(
            header(&get("assets/app.js", "br").unwrap(), "content-type"),
            Some("text/javascript; charset=utf-8")
        );
        assert!(get("assets/app.js.br", "br").is_none() && get("assets/app.js.gz", "").is_none());
    }

    #[test]
    fn a_hashed_file_is_kept_for_good_and_one_at_the_root_is_asked_for_again() {
        let cache = |name| header(&get(name, "").unwrap(), "cache-control").map(str::to_owned);
        assert_eq!(cache("assets/app.js").as_deref(), Some("public, max-age=31536000, immutable"));
        for (name, kind) in [
            ("sw.js", "text/javascript; charset=utf-8"),
            ("manifest.webmanifest", "application/manifest+json"),
            ("icon.svg", "image/svg+xml"),
        ] {
            assert_eq!(cache(name).as_deref(), Some("no-cache"));
            assert_eq!(header(&get(name, "").unwrap(), "content-type"), Some(kind));
        }
    }

    #[tokio::test]
    async fn a_page_carries_the_nonce_of_its_own_header_and_of_no_other() {
        let mut nonces = Vec::new();
        for content in [&b"<meta name=\"csp-nonce\" content=\"__CSP_NONCE__\">"[..], NOT_BUILT] {
            let response = page(content);
            let policy = header(&response, "content-security-policy").unwrap().to_owned();
            let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
            assert!(!policy.contains("unsafe") && nonce.len() == 32, "{policy}");
            assert_eq!(header(&response, "cache-control"), Some("no-cache"));
            let text = text(response).await;
            assert!(text.contains(&nonce) && !text.contains(NONCE_PLACE), "{text}");
            nonces.push(nonce);
        }
        assert_ne!(nonces.first(), nonces.last());
        let policy = get("sw.js", "").unwrap().headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("style-src 'self';") && !policy.contains("unsafe"), "{policy}");
    }
}
