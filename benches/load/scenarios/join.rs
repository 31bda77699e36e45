//! A large document that many open at the same time: while it is in memory, right after an update, and after a restart.

use tokio::time::sleep;

use super::MEGABYTE;
use crate::arguments::Shape;
use crate::crowd::{Crowd, Phase};
use crate::document::{Document, REST};
use crate::server::Server;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    format!("join: {} join a document of {} MB at once", shape.members, shape.kilobytes / 1000)
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut outcome = Outcome::default();
    if !server.kind.is_durable() {
        for name in FIGURES {
            outcome.figure(name, None);
        }
        return Ok(outcome);
    }
    let document = Document::write(server, shape.kilobytes).await?;
    let mut keeper = Crowd::default();
    // One stays and types, so that the document stays open.
    let room = keeper.room(Document::NAME, 1, 1);
    keeper.join(server, Crowd::seats(&room, 1), 1).await?;
    outcome.lost += document.missing(&keeper);
    sleep(REST).await;
    let (hot, missing) = document.join(server, shape.members).await?;
    outcome.lost += missing;
    keeper.members[0].write(1);
    let (pending, missing) = document.join(server, shape.members).await?;
    outcome.lost += missing;
    let peak = server.memory().peak;
    server.restart_in_order()?;
    let (cold, missing) = document.join(server, shape.members).await?;
    outcome.lost += missing;
    let peak = server.memory().peak.max(peak);
    let each = |phase: &Phase| phase.cpu.as_secs_f64() * 1e3 / shape.members as f64;
    let values = [
        each(&hot),
        hot.length.as_secs_f64(),
        each(&pending),
        each(&cold),
        cold.length.as_secs_f64(),
        peak as f64 / MEGABYTE,
        peak as f64 / document.bytes as f64,
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
