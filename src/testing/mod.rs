//! Tests of gateways without a socket: a [`TestServer`] runs them in the process, a [`TestClient`] is what a browser would be.
//!
//! Everything goes the way that it goes in a server: guards, queues, bounds, the order of events, what is freed when a client
//! goes. Only the wire is missing. Time is tokio's: with `#[tokio::test(start_paused = true)]` nothing is waited for really.
//!
//! ```
//! use serde_json::json;
//! use ydock::gateway::{Client, Gateway, Payload};
//! use ydock::testing::TestServer;
//!
//! async fn message(client: Client, Payload(text): Payload<String>) -> &'static str {
//!     let _nobody_else = client.broadcast().emit("message", &text).is_err();
//!     "sent"
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = TestServer::of(Gateway::new("/chat").on("message", message)).await;
//! let ada = server.client("/chat").connect().await?;
//! let ben = server.client("/chat").auth(&json!({ "name": "Ben" })).connect().await?;
//!
//! assert_eq!(ada.ask::<String>("message", "hello").await, "sent");
//! assert_eq!(ben.expect("message").await.data, json!("hello"));
//! ada.nothing().await;
//! # Ok(())
//! # }
//! ```
//!
//! A test client panics where a test would fail: when nothing comes within [`DEADLINE`], or something else than expected.

mod client;
mod server;
mod wire;

pub use client::{Connecting, Received, TestClient};
pub use server::TestServer;

/// How long a test client waits for what should come: far longer than anything takes, in tokio's time.
pub const DEADLINE: std::time::Duration = std::time::Duration::from_secs(5);
