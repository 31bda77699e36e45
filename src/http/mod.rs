//! HTTP: the API, health and metrics, the demo, and the door to the WebSocket fronts.

mod config;
pub mod control;
mod demo;
mod documents;
mod edge;
mod encoding;
mod health;
mod names;
mod permission;
mod problem;
mod proxies;
mod routes;
mod sessions;
mod snapshot;
mod tokens;
mod updates;
mod webhooks;
mod websocket;

pub use config::Config;
pub use edge::behind_edge;
pub use problem::Problem;
pub use proxies::{ProxyError, ProxyHeader, TrustedProxy};
pub use routes::{App, gateway_routes, routes};
