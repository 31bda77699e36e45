//! A larger and larger document: what joining it costs and takes, cold and hot, and what an update in it costs.

use std::time::Duration;

use tokio::time::sleep;

use super::period_of_each;
use crate::arguments::Shape;
use crate::crowd::{Crowd, Phase};
use crate::document::{Document, REST};
use crate::scenarios::{MEGABYTE, WARM_UP};
use crate::server::Server;
use crate::table::Outcome;

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    let document = Document::write(server, shape.kilobytes).await?;
    server.restart_in_order()?;
    // What the first of all costs belongs to the server.
    let mut others = Crowd::default();
    let first = others.room("first", 0, 1);
    others.join(server, Crowd::seats(&first, 1), 1).await?;
    sleep(WARM_UP).await;
    let before = server.memory().now;
    let mut crowd = Crowd::default();
    let room = crowd.room(Document::NAME, 1, shape.len);
    let mut seats = Crowd::seats(&room, 2);
    let cold = crowd.measured_join(server, seats.next(), 1).await?;
    // Whatever happens next in a document that was opened so long ago lets it be compacted, if it needs to be.
    sleep(OPENING).await;
    let opened = server.memory().now.saturating_sub(before);
    crowd.members[0].write(1);
    let compaction = crowd.phase(server, REST).await;
    let compacted = server.memory().now.saturating_sub(before);
    let (hot, missing) = document.join(server, shape.members).await?;
    let peak = server.memory().peak;
    crowd.join(server, seats, 1).await?;
    let missing = missing + document.missing(&crowd);
    crowd.write_every(period_of_each(1, shape.rate));
    sleep(WARM_UP).await;
    let phase = crowd.phase(server, shape.length()).await;
    let mut outcome = Outcome::new(crowd.settle().await + missing, crowd.departed());
    let millis = |phase: &Phase, joins: f64| phase.cpu.as_secs_f64() * 1e3 / joins;
    let (cold, hot) = (millis(&cold, 1.0), millis(&hot, shape.members as f64));
    let megabytes = document.bytes as f64 / MEGABYTE;
    outcome.figure("cold: CPU ms", cold);
    outcome.figure("cold: CPU ms a MB", cold / megabytes);
    outcome.figure("compaction: CPU ms", compaction.cpu.as_secs_f64() * 1e3);
    outcome.figure("hot: CPU ms a join", hot);
    outcome.figure("hot: CPU ms a MB", hot / megabytes);
    outcome.figure("opened: resident MB", opened as f64 / MEGABYTE);
    outcome.figure("compacted: resident MB", compacted as f64 / MEGABYTE);
    outcome.figure("peak MB", peak as f64 / MEGABYTE);
    outcome.figure("CPU µs an update", phase.micros_each(phase.deliveries));
    outcome.figure("p50 ms", crowd.measure.latencies.borrow().quantile(0.5));
    Ok(outcome)
}

/// Longer than a document that is opened waits until it may be compacted.
const OPENING: Duration = Duration::from_secs(6);
