//! What grows along a curve, from point to point, while the work of a second stays the same.

use clap::ValueEnum;

use crate::arguments::Shape;
use crate::limits;
use crate::server::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Axis {
    /// Members of one document.
    Members,
    /// Documents of two members.
    Rooms,
    /// The size of a document.
    Size,
}

impl Axis {
    /// One shape a point. `rate` is what all do together in a second: deliveries, updates, updates of the one document.
    pub(crate) fn shapes(self, base: &Shape) -> Vec<Shape> {
        let base = Shape { axis: Some(self), seconds: 6.0, ..base.clone() };
        match self {
            Self::Members => {
                let shape = |members| Shape { members, writers: 10, rate: 10_000.0, ..base.clone() };
                [10, 30, 100, 300, 1000, 2000].map(shape).into()
            }
            Self::Rooms => {
                let shape = |rooms| Shape { members: 2, writers: 1, rate: 1000.0, rooms, ..base.clone() };
                [10, 100, 1000, 5000, 20_000].map(shape).into()
            }
            Self::Size => {
                let shape = |kilobytes| Shape { members: 20, writers: 1, rate: 50.0, kilobytes, ..base.clone() };
                [10, 100, 1000, 5000, 20_000].map(shape).into()
            }
        }
    }

    /// Whether a point still belongs to the short form.
    pub(crate) fn is_short(self, shape: &Shape) -> bool {
        match self {
            Self::Members => shape.members <= 100,
            Self::Rooms => shape.rooms <= 100,
            Self::Size => shape.kilobytes <= 1000,
        }
    }

    /// The head of the first column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Rooms => "documents",
            Self::Size => "size",
        }
    }

    /// What stands in the first column.
    pub(crate) fn point(self, shape: &Shape) -> String {
        match self {
            Self::Members => shape.members.to_string(),
            Self::Rooms => {
                let rooms = affordable_rooms(shape);
                let rest = if rooms < shape.rooms { " (no more connections here)" } else { "" };
                format!("{rooms}{rest}")
            }
            Self::Size if shape.kilobytes < 1000 => format!("{} KB", shape.kilobytes),
            Self::Size => format!("{} MB", shape.kilobytes / 1000),
        }
    }
}

impl Shape {
    /// Whether there is anything to see of a server.
    pub(crate) fn concerns(&self, kind: Kind) -> bool {
        self.axis != Some(Axis::Size) || kind.is_durable()
    }
}

/// As many documents as the system has connections for.
pub(crate) fn affordable_rooms(shape: &Shape) -> usize {
    shape.rooms.min(limits::connections() / shape.members)
}
