//! HTTP: the API, health and metrics, the demo, and the door to the WebSocket fronts.

mod config;
pub mod control;
mod demo;
mod documents;
mod encoding;
mod health;
mod names;
mod permission;
mod problem;
mod routes;
mod sessions;
mod snapshot;
mod tokens;
mod updates;
mod websocket;

pub use config::Config;
pub use problem::Problem;
pub use routes::{App, gateway_routes, routes};
