//! Connections on which nothing happens.

use tokio::time::sleep;

use super::WARM_UP;
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::server::Server;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    let Shape { members, rooms, seconds, .. } = shape;
    format!("idle: {members} connections to {rooms} documents, {seconds} s")
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let rooms: Vec<_> = (0..shape.rooms).map(|number| crowd.room(&format!("idle-{number}"), 0, 1)).collect();
    // What the first of all costs belongs to the server.
    let first = crowd.room("first", 0, 1);
    crowd.join(server, Crowd::seats(&first, 1), 1).await?;
    sleep(WARM_UP).await;
    let before = server.memory().now;
    let each = shape.members / shape.rooms;
    crowd.join(server, rooms.iter().flat_map(|room| Crowd::seats(room, each)), shape.at_once).await?;
    sleep(WARM_UP).await;
    let phase = crowd.phase(server, shape.length()).await;
    let grown = server.memory().now.saturating_sub(before);
    let mut outcome = Outcome::new(crowd.settle().await, crowd.departed());
    outcome.figure("resident bytes a connection", grown as f64 / (each * shape.rooms) as f64);
    outcome.figure("CPU ms in all", phase.cpu.as_secs_f64() * 1e3);
    Ok(outcome)
}
