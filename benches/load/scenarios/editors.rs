//! The realistic mix: small groups who type in bursts and move their cursors as they type.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::sleep;

use super::WARM_UP;
use super::awareness::move_cursor;
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::server::Server;
use crate::stored;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    let Shape { members, rooms, rate, seconds, .. } = shape;
    format!(
        "editors: {rooms} documents of {members} people who type {rate} letters a second, with cursors, half of the time, {seconds} s"
    )
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let rooms: Vec<_> =
        (0..shape.rooms).map(|number| crowd.room(&format!("board-{number}"), shape.members, shape.len)).collect();
    crowd.join(server, rooms.iter().flat_map(|room| Crowd::seats(room, shape.members)), shape.at_once).await?;
    let burst = BURST.div_duration_f64(shape.period());
    for (number, member) in crowd.members.iter().enumerate() {
        // Nobody in step with anybody.
        let mut tick = (number * 7) as f64;
        let first = shape.period().mul_f64(number as f64 * 0.618 % 1.0);
        crowd.repeat(first, shape.period(), &Rc::clone(member), move |member| {
            tick += 1.0;
            if tick / burst % 2.0 < 1.0 {
                member.write(1);
                move_cursor(member);
            }
        });
    }
    sleep(WARM_UP).await;
    let phase = crowd.phase(server, shape.length()).await;
    let mut outcome = Outcome::new(crowd.settle().await, crowd.departed());
    let member_seconds = crowd.members.len() as f64 * phase.length.as_secs_f64();
    outcome.figure("CPU ms a member-second", phase.cpu.as_secs_f64() * 1e3 / member_seconds);
    outcome.delivery(&crowd, &phase);
    outcome.figure("cursor age p99 ms", crowd.measure.ages.borrow().quantile(0.99));
    outcome.lost += stored::missing(server, &crowd.rooms).await?;
    Ok(outcome)
}

/// How long somebody types, and then thinks.
const BURST: Duration = Duration::from_secs(2);
