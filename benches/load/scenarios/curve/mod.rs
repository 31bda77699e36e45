//! What a unit costs while one thing grows and the work of a second stays the same; a file a curve.

mod members;
mod rooms;
mod size;

use std::time::Duration;

use crate::arguments::Shape;
use crate::axis::Axis;
use crate::server::Server;
use crate::table::Outcome;

pub(super) fn title(shape: &Shape) -> String {
    let Shape { members, writers, rate, seconds, .. } = shape;
    match shape.axis.unwrap() {
        Axis::Members => {
            format!(
                "curve: members of one document, {writers} of them writing, {rate} deliveries/s in all, {seconds} s"
            )
        }
        Axis::Rooms => {
            format!(
                "curve: documents of {members} members, {writers} in each writing, {rate} updates/s in all, {seconds} s"
            )
        }
        Axis::Size => {
            format!(
                "curve: the size of a document, joined by one (cold) and by {members} (hot), then {rate} updates/s, {seconds} s"
            )
        }
    }
}

pub(super) async fn run(server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
    match shape.axis.unwrap() {
        Axis::Members => members::run(server, shape).await,
        Axis::Rooms => rooms::run(server, shape).await,
        Axis::Size => size::run(server, shape).await,
    }
}

/// The time between two updates of one of so many writers, who together write so many a second.
fn period_of_each(writers: usize, rate: f64) -> Duration {
    Duration::from_secs_f64(writers as f64 / rate)
}

/// Bytes of memory for each of so many, unless pages of a few KB would show more than they do.
fn resident(grown: u64, count: usize) -> Option<f64> {
    (count >= MANY).then(|| grown as f64 / count as f64)
}

const MANY: usize = 100;
