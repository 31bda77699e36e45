//! Everybody comes back at once, with what they know, after the server's process was killed and another has its place.
//!
//! Real clients would give a server back what it has lost; these only count it.

use super::WARM_UP;
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::ledger::now;
use crate::member::Seat;
use crate::server::{Kind, Server};
use crate::stored;
use crate::table::Outcome;
use crate::yjs::{PIECE, pieces, write_typed};

pub(super) fn title(shape: &Shape) -> String {
    let Shape { members, rooms, .. } = shape;
    format!("herd: {} members of {rooms} documents come back after a kill", members * rooms)
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let rooms: Vec<_> =
        (0..shape.rooms).map(|number| crowd.room(&format!("herd-{number}"), shape.writers, shape.len)).collect();
    crowd.join(server, rooms.iter().flat_map(|room| Crowd::seats(room, shape.members)), shape.at_once).await?;
    for member in crowd.members.iter().step_by(shape.members) {
        member.write_foreign(&pieces(OLDER, 0, PIECES));
        member.room.knows(OLDER, PIECES * PIECE.len() as u64);
    }
    crowd.write_every(shape.period());
    crowd.phase(server, WARM_UP * 2).await;
    let mut lost = crowd.settle().await;
    if server.kind == Kind::Ydock {
        for room in &rooms {
            let mut ending = Vec::new();
            write_typed(&mut ending, LAST, 0, "!");
            stored::post(server, &room.doc, ending).await?;
            room.knows(LAST, 1);
        }
    }
    let seats: Vec<_> =
        crowd.members.drain(..).map(|member| Seat { progress: member.progress.take(), ..member.seat() }).collect();
    let count = seats.len();
    server.restart()?;
    let answering = now();
    let phase = crowd.measured_join(server, seats, count).await?;
    let mut times: Vec<_> =
        crowd.members.iter().filter_map(|member| Some(member.synced_at.get()?.saturating_sub(answering))).collect();
    times.sort_unstable();
    let lacking = crowd.members.iter().map(|member| member.lacking.get()).sum::<u64>();
    // Of the others, none says what it has stored.
    lost += if server.kind == Kind::Ydock { lacking } else { 0 };
    let mut outcome = Outcome::new(lost + crowd.settle().await, crowd.departed());
    outcome.figure("95 % synced after s", times.get(times.len() * 95 / 100).map(|nanos| *nanos as f64 / 1e9));
    outcome.figure("all after s", times.last().map(|nanos| *nanos as f64 / 1e9));
    outcome.figure("CPU µs a member", phase.micros_each(count as u64));
    outcome.figure("letters gone", server.kind.is_durable().then_some(lacking as f64));
    Ok(outcome)
}

/// The client who wrote what was there before.
const OLDER: u64 = 1;
/// How much of it: about 20 KB.
const PIECES: u64 = 640;
/// The client whose update is the last to be saved.
const LAST: u64 = 7;
