//! One document in which one member stops reading for a while, under load: what the others notice, and whether it catches up.

use tokio::time::sleep;

use super::{MEGABYTE, WARM_UP};
use crate::arguments::Shape;
use crate::crowd::Crowd;
use crate::histogram::Histogram;
use crate::ledger::now;
use crate::member::Seat;
use crate::server::Server;
use crate::stored;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    let Shape { members, writers, rate, len, seconds, .. } = shape;
    format!(
        "stall: one of {members} members reads nothing for {seconds} s, {writers} writers at {rate}/s of {len} bytes"
    )
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let mut crowd = Crowd::default();
    let room = crowd.room("stall", shape.writers, shape.len);
    let seats = Crowd::seats(&room, shape.members);
    let slow = shape.members - 1;
    // What the system keeps for it is bounded, so that the server feels it.
    let seats =
        seats.enumerate().map(|(number, seat)| Seat { receive_buffer: (number == slow).then_some(BUFFER), ..seat });
    crowd.join(server, seats, shape.at_once).await?;
    let stalled = crowd.members[slow].clone();
    stalled.is_timed.set(false);
    crowd.write_every(shape.period());
    sleep(WARM_UP).await;
    let (without, grown_without) = phase(server, shape, &crowd).await;
    stalled.pause(true);
    let (with, grown_with) = phase(server, shape, &crowd).await;
    let behind = stalled.missing();
    stalled.pause(false);
    let resumed = now();
    let lost = crowd.settle().await;
    let caught_up = stalled.last_received.get().saturating_sub(resumed);
    let mut outcome = Outcome::new(lost, crowd.departed());
    outcome.figure("others' p99 ms, without", without);
    outcome.figure("others' p99 ms, with", with);
    outcome.figure("memory grown MB, without", grown_without);
    outcome.figure("memory grown MB, with", grown_with);
    outcome.figure("updates behind", behind as f64);
    outcome.figure("caught up after s", (lost == 0).then_some(caught_up as f64 / 1e9));
    outcome.lost += stored::missing(server, &crowd.rooms).await?;
    Ok(outcome)
}

/// The others' 99th percentile, and by how many megabytes the server grew meanwhile: the document does, too.
async fn phase(server: &Server, shape: &Shape, crowd: &Crowd) -> (Option<f64>, f64) {
    let before = server.memory().now;
    crowd.phase(server, shape.length()).await;
    let grown = server.memory().now.saturating_sub(before) as f64 / MEGABYTE;
    (crowd.measure.latencies.replace(Histogram::default()).quantile(0.99), grown)
}

const BUFFER: u32 = 16 * 1024;
