//! More and more documents of few members, in which the same number of updates a second is written together.

use tokio::time::sleep;

use super::{period_of_each, resident};
use crate::arguments::Shape;
use crate::axis::affordable_rooms;
use crate::crowd::Crowd;
use crate::scenarios::WARM_UP;
use crate::server::Server;
use crate::stored;
use crate::table::Outcome;

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    // What the first of all costs belongs to the server.
    let first = crowd.room("first", 0, 1);
    crowd.join(server, Crowd::seats(&first, 1), 1).await?;
    sleep(WARM_UP).await;
    let before = server.memory().now;
    let rooms: Vec<_> = (0..affordable_rooms(shape))
        .map(|number| crowd.room(&format!("room-{number}"), shape.writers, shape.len))
        .collect();
    let seats: Vec<_> = rooms.iter().flat_map(|room| Crowd::seats(room, shape.members)).collect();
    let opening = crowd.measured_join(server, seats, shape.at_once).await?;
    // A document's first update costs more than the later ones.
    for author in crowd.members.iter().filter(|member| member.author.is_some()) {
        author.write(1);
        tokio::task::yield_now().await;
    }
    sleep(WARM_UP).await;
    let grown = server.memory().now.saturating_sub(before);
    crowd.write_every(period_of_each(rooms.len() * shape.writers, shape.rate));
    sleep(WARM_UP).await;
    let phase = crowd.phase(server, shape.length()).await;
    let mut outcome = Outcome::new(crowd.settle().await, crowd.departed());
    outcome.delivery(&crowd, &phase);
    outcome.figure("opening: CPU µs a document", opening.micros_each(rooms.len() as u64));
    outcome.figure("resident bytes a document", resident(grown, rooms.len()));
    let checked: Vec<_> = crowd.rooms.iter().take(MOST_CHECKED).cloned().collect();
    outcome.lost += stored::missing(server, &checked).await?;
    Ok(outcome)
}

/// Of how many documents it is asked whether they are stored, one by one.
const MOST_CHECKED: usize = 200;
