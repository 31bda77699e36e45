//! More and more members of one document, who get the same number of deliveries a second together.

use tokio::time::sleep;

use super::{period_of_each, resident};
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::scenarios::WARM_UP;
use crate::server::Server;
use crate::stored;
use crate::table::Outcome;

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let room = crowd.room("members", shape.writers, shape.len);
    // What the first of all costs belongs to the server.
    let first = crowd.room("first", 0, 1);
    crowd.join(server, Crowd::seats(&first, 1), 1).await?;
    sleep(WARM_UP).await;
    let before = server.memory().now;
    crowd.join(server, Crowd::seats(&room, shape.members), shape.at_once).await?;
    sleep(WARM_UP).await;
    let grown = server.memory().now.saturating_sub(before);
    let receivers = shape.members.saturating_sub(1).max(1);
    crowd.write_every(period_of_each(shape.writers, shape.rate / receivers as f64));
    sleep(WARM_UP).await;
    let phase = crowd.phase(server, shape.length()).await;
    let mut outcome = Outcome::new(crowd.settle().await, crowd.departed());
    outcome.delivery(&crowd, &phase);
    outcome.figure("CPU µs an update", phase.micros_each(phase.deliveries / receivers as u64));
    outcome.figure("resident bytes a member", resident(grown, shape.members));
    outcome.lost += stored::missing(server, &crowd.rooms).await?;
    Ok(outcome)
}
