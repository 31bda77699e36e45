//! The demo page, embedded when it was built before the binary.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;

use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "web-demo/dist"]
#[allow_missing = true]
struct Demo;

/// The page for `/` and for every document.
pub(super) async fn index() -> Response {
    match Demo::get("index.html") {
        Some(page) => with_policy(Html(page.data).into_response()),
        None => with_policy(Html(NOT_BUILT).into_response()),
    }
}

/// A file of the page.
pub(super) fn file(path: &str) -> Response {
    let name = path.trim_start_matches('/');
    let Some(file) = Demo::get(name) else { return Problem::no_such_page().into_response() };
    // Built names hold a hash of their content, so what was fetched once never changes.
    let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(header::CONTENT_TYPE, content_type(name)), (header::CACHE_CONTROL, cache)];
    with_policy((StatusCode::OK, headers, file.data).into_response())
}

fn with_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
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

/// Nothing from other hosts; inline styles because the editor sets them.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

const NOT_BUILT: &str = include_str!("not_built.html");
