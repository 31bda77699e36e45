//! What to run: scenarios, servers, and the shape of the load.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::axis::Axis;
use crate::server::Kind;

/// Puts load on Yjs servers, each in turn, and compares them with a bare relay.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// What to run; everything but the curves, when nothing is named.
    pub(crate) scenarios: Vec<Scenario>,
    /// The servers, in this order; the relay comes first to be compared with.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) servers: Vec<Kind>,
    /// The curves of `curve`; all, when nothing is named.
    #[arg(long, value_enum, value_delimiter = ',')]
    along: Vec<Axis>,
    /// Smaller and shorter, to see whether everything works.
    #[arg(long)]
    pub(crate) short: bool,
    /// How often each server has its turn, after one another; of each figure the median counts.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    /// Also writes the results to `benches/results`, in the file of today.
    #[arg(long)]
    pub(crate) write: bool,
    /// Where the servers may keep their data, on a real disk.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What takes the place of a scenario's own numbers.
#[derive(Debug, clap::Args)]
struct Overrides {
    /// Members of a document, or connections in all.
    #[arg(long)]
    members: Option<usize>,
    /// Authors among them; in `churn`, with 0 of them those who stay write instead of those who come and go.
    #[arg(long)]
    writers: Option<usize>,
    /// Updates, states or joins a second; along a curve, deliveries or updates of all together.
    #[arg(long)]
    rate: Option<f64>,
    /// Documents.
    #[arg(long)]
    rooms: Option<usize>,
    /// How long it is measured.
    #[arg(long)]
    seconds: Option<f64>,
    /// Letters of an update.
    #[arg(long)]
    len: Option<usize>,
    /// Updates that a writer may have under way.
    #[arg(long)]
    window: Option<usize>,
    /// The size of the document.
    #[arg(long)]
    megabytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// A few write steadily, many read.
    Fanout,
    /// As fast as the server takes it.
    Saturation,
    /// Many small documents.
    Rooms,
    /// Connections on which nothing happens.
    Idle,
    /// Everybody moves a cursor.
    Awareness,
    /// Small groups type in bursts and move cursors.
    Editors,
    /// Many open a large document at once.
    Join,
    /// Everybody comes back after a kill.
    Herd,
    /// One member does not read.
    Stall,
    /// Members come and go.
    Churn,
    /// What a unit costs while members, documents or a document grow; seven minutes, and only when it is named.
    Curve,
}

/// One trial's numbers. Which of them count, the scenario says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub(crate) members: usize,
    pub(crate) writers: usize,
    pub(crate) rate: f64,
    pub(crate) rooms: usize,
    pub(crate) seconds: f64,
    pub(crate) len: usize,
    pub(crate) window: usize,
    pub(crate) kilobytes: u64,
    /// How many join at the same time.
    pub(crate) at_once: usize,
    /// The curve on which it is a point.
    pub(crate) axis: Option<Axis>,
}

impl Arguments {
    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        if !self.scenarios.is_empty() {
            return self.scenarios.clone();
        }
        Scenario::value_variants().iter().copied().filter(|scenario| *scenario != Scenario::Curve).collect()
    }

    pub(crate) fn servers(&self) -> &[Kind] {
        if self.servers.is_empty() { Kind::value_variants() } else { &self.servers }
    }

    /// What the name of a report has after the date: neither the curves nor medians take the place of everything.
    pub(crate) fn report_name(&self) -> &'static str {
        match (self.scenarios.as_slice(), self.rounds) {
            ([Scenario::Curve], _) => "-curve",
            (_, 1) => "",
            _ => "-medians",
        }
    }

    /// The trials of a scenario, those of one table together.
    pub(crate) fn tables(&self, scenario: Scenario) -> Vec<Vec<Shape>> {
        if scenario == Scenario::Curve {
            let axes = if self.along.is_empty() { Axis::value_variants() } else { &self.along };
            return axes.iter().map(|axis| self.points(*axis)).collect();
        }
        let mut shapes = scenario.shapes();
        if self.overrides.members.is_some() {
            // Shapes that differ in the number of members would become one.
            shapes.truncate(1);
        }
        self.change(&mut shapes);
        shapes.dedup();
        shapes.into_iter().map(|shape| vec![shape]).collect()
    }

    fn points(&self, axis: Axis) -> Vec<Shape> {
        let mut shapes = axis.shapes(&Shape::default());
        if self.short {
            shapes.retain(|shape| axis.is_short(shape));
        }
        if self.overrides.fixes(axis) {
            shapes.truncate(1);
        }
        self.change(&mut shapes);
        shapes
    }

    fn change(&self, shapes: &mut [Shape]) {
        for shape in shapes {
            if self.short {
                shape.shorten();
            }
            self.overrides.apply(shape);
        }
    }
}

impl Overrides {
    /// Whether all points of a curve become one.
    fn fixes(&self, axis: Axis) -> bool {
        match axis {
            Axis::Members => self.members.is_some(),
            Axis::Rooms => self.rooms.is_some(),
            Axis::Size => self.megabytes.is_some(),
        }
    }

    fn apply(&self, shape: &mut Shape) {
        shape.members = self.members.unwrap_or(shape.members);
        shape.writers = self.writers.unwrap_or(shape.writers).min(shape.members);
        shape.rate = self.rate.unwrap_or(shape.rate);
        shape.rooms = self.rooms.unwrap_or(shape.rooms);
        shape.seconds = self.seconds.unwrap_or(shape.seconds);
        shape.len = self.len.unwrap_or(shape.len);
        shape.window = self.window.unwrap_or(shape.window);
        shape.kilobytes = self.megabytes.map_or(shape.kilobytes, |megabytes| megabytes * 1000);
    }
}

impl Scenario {
    fn shapes(self) -> Vec<Shape> {
        let base = Shape::default();
        match self {
            Self::Fanout => vec![base.clone(), Shape { members: 1000, writers: 4, rate: 5.0, ..base }],
            Self::Saturation => vec![Shape { members: 50, writers: 4, ..base }],
            Self::Rooms => {
                let shape = Shape { members: 3, writers: 1, rate: 1.0, rooms: 1000, ..base };
                vec![shape.clone(), Shape { at_once: usize::MAX, ..shape }]
            }
            Self::Idle => vec![Shape { members: 2000, rooms: 200, seconds: 5.0, ..base }],
            Self::Awareness => vec![Shape { rate: 5.0, ..base }],
            Self::Editors => vec![Shape { members: 5, rate: 8.0, rooms: 40, ..base }],
            Self::Join => vec![Shape { members: 20, ..base }],
            Self::Herd => vec![Shape { members: 10, writers: 1, rate: 1.0, rooms: 100, ..base }],
            Self::Stall => vec![Shape { members: 20, writers: 4, rate: 50.0, len: 4096, ..base }],
            Self::Churn => {
                let shape = Shape { members: 2, writers: 2, rate: 100.0, rooms: 20, seconds: 20.0, ..base };
                vec![shape.clone(), Shape { writers: 0, ..shape }]
            }
            Self::Curve => Vec::new(),
        }
    }
}

impl Shape {
    fn shorten(&mut self) {
        self.seconds = self.seconds.min(3.0);
        self.members = self.members.min(300);
        if self.axis.is_none() {
            self.rooms = self.rooms.div_ceil(5);
            self.kilobytes = self.kilobytes.min(3000);
        }
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            members: 100,
            writers: 10,
            rate: 10.0,
            rooms: 1,
            seconds: 10.0,
            len: 1,
            window: 32,
            kilobytes: 17_000,
            at_once: 64,
            axis: None,
        }
    }
}
