//! Echoes, rooms and a stream as a program of its own: `cargo run --example events`.

#[path = "../src/gateway/built_in/events.rs"]
pub mod events;

use std::time::Duration;

use ydock::gateway::GatewaysBuilder;

fn main() {
    let mut gateways = GatewaysBuilder::default();
    gateways.add(events::events(Duration::from_secs(1)));
    drop(gateways);
}
