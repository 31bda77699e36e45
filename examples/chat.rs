//! The chat as a program of its own: `cargo run --example chat`.

#[path = "../src/gateway/built_in/chat.rs"]
pub mod chat;

use ydock::gateway::GatewaysBuilder;

fn main() {
    let mut gateways = GatewaysBuilder::default();
    gateways.add(chat::chat(chat::has_token));
    drop(gateways);
}
