//! What is done to a server, one file a story. Each starts with an empty server and returns figures.

mod awareness;
mod churn;
mod curve;
mod editors;
mod fanout;
mod herd;
mod idle;
mod join;
mod rooms;
mod saturation;
mod stall;

use std::time::Duration;

use crate::arguments::{Scenario, Shape};
use crate::crowd::{Crowd, Phase};
use crate::server::Server;
use crate::table::Outcome;

impl Scenario {
    pub(crate) async fn run(self, server: &mut Server, shape: &Shape) -> Result<Outcome, String> {
        match self {
            Self::Fanout => fanout::run(server, shape).await,
            Self::Saturation => saturation::run(server, shape).await,
            Self::Rooms => rooms::run(server, shape).await,
            Self::Idle => idle::run(server, shape).await,
            Self::Awareness => awareness::run(server, shape).await,
            Self::Editors => editors::run(server, shape).await,
            Self::Join => join::run(server, shape).await,
            Self::Herd => herd::run(server, shape).await,
            Self::Stall => stall::run(server, shape).await,
            Self::Churn => churn::run(server, shape).await,
            Self::Curve => curve::run(server, shape).await,
        }
    }

    /// What is done, in one line.
    pub(crate) fn title(self, shape: &Shape) -> String {
        match self {
            Self::Fanout => fanout::title(shape),
            Self::Saturation => saturation::title(shape),
            Self::Rooms => rooms::title(shape),
            Self::Idle => idle::title(shape),
            Self::Awareness => awareness::title(shape),
            Self::Editors => editors::title(shape),
            Self::Join => join::title(shape),
            Self::Herd => herd::title(shape),
            Self::Stall => stall::title(shape),
            Self::Churn => churn::title(shape),
            Self::Curve => curve::title(shape),
        }
    }
}

impl Shape {
    fn length(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// The time between two updates of one writer.
    fn period(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }
}

impl Outcome {
    /// The figures of steady delivery.
    fn delivery(&mut self, crowd: &Crowd, phase: &Phase) {
        let latencies = crowd.measure.latencies.borrow();
        self.figure("CPU µs a delivery", phase.micros_each(phase.deliveries));
        self.figure("p50 ms", latencies.quantile(0.5));
        self.figure("p99 ms", latencies.quantile(0.99));
        self.figure("deliveries/s", phase.deliveries as f64 / phase.length.as_secs_f64());
    }
}

const MEGABYTE: f64 = 1e6;
/// Before anything is measured.
const WARM_UP: Duration = Duration::from_secs(1);
