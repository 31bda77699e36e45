//! Echoes, rooms and a stream as a program of its own: `cargo run --example events`.

#[path = "../src/gateway/built_in/events.rs"]
pub mod events;

use std::time::Duration;

use ydock::config::Config;
use ydock::gateway::GatewaysBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ydock::materialise::run_if_worker();
    let mut gateways = GatewaysBuilder::default();
    gateways.add(events::events(Duration::from_secs(1)));
    let server = ydock::Server::bind_with(Config::default(), gateways).await?;
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
    Ok(())
}
