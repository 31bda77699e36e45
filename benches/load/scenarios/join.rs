//! A large document that many open at the same time: while it is in memory, right after an update, and after a restart.

use std::time::Duration;

use tokio::time::sleep;

use super::MEGABYTE;
use crate::arguments::Shape;
use crate::crowd::{Crowd, Phase};
use crate::member::Goodbye;
use crate::server::{Kind, Server};
use crate::stored;
use crate::table::Outcome;
use crate::yjs::{PIECE, pieces, write_typed};

pub(super) fn title(shape: &Shape) -> String {
    format!("join: {} join a document of {} MB at once", shape.members, shape.megabytes)
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut outcome = Outcome::default();
    if !server.kind.is_durable() {
        for name in FIGURES {
            outcome.figure(name, None);
        }
        return Ok(outcome);
    }
    let size = write_document(server, shape).await?;
    let letters = shape.megabytes * PIECES * PIECE.len() as u64;
    let mut keeper = Crowd::default();
    // One stays and types, so that the document stays open.
    let room = keeper.room(DOC, 1, 1);
    keeper.join(server, Crowd::seats(&room, 1), 1).await?;
    outcome.lost += missing(&keeper, letters);
    sleep(REST).await;
    let hot = join(server, shape, letters, &mut outcome).await?;
    keeper.members[0].write(1);
    let pending = join(server, shape, letters, &mut outcome).await?;
    let peak = server.memory().peak;
    server.restart_in_order()?;
    let cold = join(server, shape, letters, &mut outcome).await?;
    let peak = server.memory().peak.max(peak);
    let each = |phase: &Phase| phase.cpu.as_secs_f64() * 1e3 / shape.members as f64;
    let values = [
        each(&hot),
        hot.length.as_secs_f64(),
        each(&pending),
        each(&cold),
        cold.length.as_secs_f64(),
        peak as f64 / MEGABYTE,
        peak as f64 / size as f64,
    ];
    for (name, value) in FIGURES.into_iter().zip(values) {
        outcome.figure(name, value);
    }
    Ok(outcome)
}

const FIGURES: [&str; 7] = [
    "hot: CPU ms a join",
    "hot: s",
    "after an update: CPU ms a join",
    "cold: CPU ms a join",
    "cold: s",
    "peak MB",
    "peak × the document",
];

/// Writes the document through a member, in updates of about a megabyte; returns its size in bytes.
async fn write_document(server: &Server, shape: &Shape) -> Result<usize, String> {
    let mut crowd = Crowd::default();
    let room = crowd.room(DOC, 0, 1);
    crowd.join(server, Crowd::seats(&room, 1), 1).await?;
    let mut size = 0;
    for number in 0..shape.megabytes {
        let update = pieces(AUTHOR, number * PIECES, PIECES);
        size += update.len();
        crowd.members[0].write_foreign(&update);
        while !crowd.members[0].is_drained() {
            sleep(Duration::from_millis(5)).await;
        }
    }
    if server.kind == Kind::Ydock {
        let mut last = Vec::new();
        write_typed(&mut last, LAST, 0, "!");
        stored::post(server, DOC, last).await?;
    }
    // Whoever joins is answered after all of this.
    crowd.join(server, Crowd::seats(&room, 1), 1).await?;
    Ok(size)
}

/// Lets the joiners join, checks that each has everything, and lets them go.
async fn join(server: &Server, shape: &Shape, letters: u64, outcome: &mut Outcome) -> Result<Phase, String> {
    let mut crowd = Crowd::default();
    let room = crowd.room(DOC, 0, 1);
    let phase = crowd.measured_join(server, Crowd::seats(&room, shape.members), shape.members).await?;
    outcome.lost += missing(&crowd, letters);
    for member in &crowd.members {
        member.leave(Goodbye::Unsaid);
    }
    sleep(REST).await;
    Ok(phase)
}

/// How many letters members do not have.
fn missing(crowd: &Crowd, letters: u64) -> u64 {
    crowd.members.iter().map(|member| letters.saturating_sub(member.foreign.get())).sum()
}

const DOC: &str = "large";
const AUTHOR: u64 = 1;
const LAST: u64 = 7;
/// Pieces in an update: a megabyte of bytes, about.
const PIECES: u64 = 1 << 15;
/// Until a server has done what it does after a change.
const REST: Duration = Duration::from_secs(3);
