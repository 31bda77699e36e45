//! One document in which every member moves a cursor; what counts is how soon the others see where it is now.

use std::time::Duration;

use tokio::time::sleep;

use super::WARM_UP;
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::ledger::now;
use crate::member::Member;
use crate::server::Server;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    format!("awareness: {} members, each a state at {}/s, {} s", shape.members, shape.rate, shape.seconds)
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let room = crowd.room("awareness", shape.members, shape.len);
    crowd.join(server, Crowd::seats(&room, shape.members), shape.at_once).await?;
    let period = shape.period();
    for (number, member) in crowd.members.iter().enumerate() {
        let first = period.mul_f64(number as f64 / shape.members as f64);
        crowd.repeat(first, period, member, move_cursor);
    }
    sleep(WARM_UP).await;
    let phase = crowd.phase(server, shape.length()).await;
    crowd.settle().await;
    sleep(LAST).await;
    let mut outcome = Outcome::new(crowd.members.iter().map(|member| outdated(member)).sum(), crowd.departed());
    let ages = crowd.measure.ages.borrow();
    outcome.figure("CPU µs a state", phase.micros_each(phase.states));
    outcome.figure("age p50 ms", ages.quantile(0.5));
    outcome.figure("age p99 ms", ages.quantile(0.99));
    outcome.figure("states/s", phase.states as f64 / phase.length.as_secs_f64());
    Ok(outcome)
}

/// Shows a cursor that is somewhere else every millisecond.
pub(super) fn move_cursor(member: &Member) {
    let place = now() / 1_000_000;
    let (x, y) = (place % 1920, place / 7 % 1080);
    member.show(&format!(
        r##"{{"user":{{"name":"Somebody Somewhere","color":"#30bced"}},"cursor":{{"x":{x},"y":{y}}}}}"##
    ));
}

/// How many others' newest states a member does not have.
fn outdated(member: &Member) -> u64 {
    let presence = member.presence.borrow();
    let others = (0..member.room.authors()).filter(|author| Some(*author) != member.author);
    let seen = |author: usize| presence.get(author).map_or(0, |seen| seen.clock);
    others.filter(|author| seen(*author) < member.room.newest_presence(*author)).count() as u64
}

/// Longer than a server gathers states.
const LAST: Duration = Duration::from_secs(2);
