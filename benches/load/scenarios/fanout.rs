//! One document: a few members type at a steady pace, all others receive it.

use tokio::time::sleep;

use super::WARM_UP;
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::server::Server;
use crate::stored;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    format!("fanout: {} members, {} writers at {}/s, {} s", shape.members, shape.writers, shape.rate, shape.seconds)
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let room = crowd.room("fanout", shape.writers, shape.len);
    crowd.join(server, Crowd::seats(&room, shape.members), shape.at_once).await?;
    crowd.write_every(shape.period());
    sleep(WARM_UP).await;
    let phase = crowd.phase(server, shape.length()).await;
    let mut outcome = Outcome::new(crowd.settle().await, crowd.departed());
    outcome.delivery(&crowd, &phase);
    outcome.lost += stored::missing(server, &crowd.rooms).await?;
    Ok(outcome)
}
