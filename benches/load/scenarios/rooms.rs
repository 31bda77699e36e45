//! Many small documents: three members each, of whom one types.

use tokio::time::sleep;

use super::WARM_UP;
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::server::Server;
use crate::stored;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    let Shape { members, writers, rooms, rate, seconds, .. } = shape;
    let opening = if shape.at_once > members * rooms { ", opened by all at once" } else { "" };
    format!(
        "rooms: {rooms} documents of {members} members{opening}, {writers} in each writing at {rate}/s, {seconds} s"
    )
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let rooms: Vec<_> =
        (0..shape.rooms).map(|number| crowd.room(&format!("room-{number}"), shape.writers, shape.len)).collect();
    let seats: Vec<_> = rooms.iter().flat_map(|room| Crowd::seats(room, shape.members)).collect();
    let count = seats.len() as u64;
    let opening = crowd.measured_join(server, seats, shape.at_once).await?;
    crowd.write_every(shape.period());
    sleep(WARM_UP).await;
    let phase = crowd.phase(server, shape.length()).await;
    let mut outcome = Outcome::new(crowd.settle().await, crowd.departed());
    outcome.delivery(&crowd, &phase);
    outcome.figure("opening: CPU µs a member", opening.micros_each(count));
    outcome.figure("opening: s", opening.length.as_secs_f64());
    if shape.rooms <= MOST_CHECKED {
        outcome.lost += stored::missing(server, &crowd.rooms).await?;
    }
    Ok(outcome)
}

/// Asking for more documents one by one takes longer than it tells.
const MOST_CHECKED: usize = 2000;
