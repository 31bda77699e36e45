//! The chat as a program of its own: `cargo run --example chat`.

#[path = "../src/gateway/built_in/chat.rs"]
pub mod chat;

use ydock::config::Config;
use ydock::gateway::GatewaysBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ydock::materialise::run_if_worker();
    let mut gateways = GatewaysBuilder::default();
    gateways.add(chat::chat(chat::has_token));
    let server = ydock::Server::bind_with(Config::default(), gateways).await?;
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
    Ok(())
}
