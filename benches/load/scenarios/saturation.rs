//! One document, written to as fast as the server takes it: each writer has a window of updates that have not reached everybody.

use std::rc::Rc;

use tokio::time::sleep;

use super::WARM_UP;
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::member::Member;
use crate::server::Server;
use crate::stored;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    let Shape { members, writers, window, seconds, .. } = shape;
    format!("saturation: {members} members, {writers} writers with {window} updates under way each, {seconds} s")
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let room = crowd.room("saturation", shape.writers, shape.len);
    room.receivers.set(u32::try_from(shape.members - 1).unwrap());
    crowd.join(server, Crowd::seats(&room, shape.members), shape.at_once).await?;
    for member in crowd.members.iter().filter(|member| member.author.is_some()) {
        tokio::task::spawn_local(fill(Rc::clone(member), shape.window, crowd.over()));
    }
    sleep(WARM_UP).await;
    let phase = crowd.phase(server, shape.length()).await;
    let mut outcome = Outcome::new(crowd.settle().await, crowd.departed());
    outcome.delivery(&crowd, &phase);
    outcome.figure("cores", phase.cpu.div_duration_f64(phase.length));
    outcome.figure("cores of the load", phase.load.div_duration_f64(phase.length));
    outcome.lost += stored::missing(server, &crowd.rooms).await?;
    Ok(outcome)
}

/// Keeps the window full.
async fn fill(member: Rc<Member>, window: usize, is_over: Rc<std::cell::Cell<bool>>) {
    let author = member.author.unwrap();
    let completion = member.room.completion(author);
    while !is_over.get() {
        let free = window.saturating_sub(member.room.in_flight(author));
        if free > 0 {
            member.write(free);
        }
        completion.notified().await;
    }
}
