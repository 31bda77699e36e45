//! The results of a trial as a Markdown table: a server a row, absolute figures, and each one's ratio to the ceiling's.

use crate::arguments::Shape;
use crate::report::Report;
use crate::server::Kind;

/// What came of one trial with one server.
#[derive(Clone, Default)]
pub(crate) struct Outcome {
    figures: Vec<(&'static str, Option<f64>)>,
    /// Deliveries that never came, and updates that are not stored.
    pub(crate) lost: u64,
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    pub(crate) fn new(lost: u64, notes: Vec<String>) -> Self {
        Self { lost, notes, ..Self::default() }
    }

    /// One outcome of several of the same trial: of each figure the median, of what was lost the sum.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let Some(first) = rounds.first() else { return Self::default() };
        let column = |column: usize| {
            let mut values: Vec<_> = rounds.iter().filter_map(|round| round.figures[column].1).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len().saturating_sub(1) / 2).copied()
        };
        let names = first.figures.iter().map(|(name, _)| *name).enumerate();
        Self {
            figures: names.map(|(number, name)| (name, column(number))).collect(),
            lost: rounds.iter().map(|round| round.lost).sum(),
            notes: rounds.iter().flat_map(|round| round.notes.clone()).collect(),
        }
    }

    /// Adds a figure; without a value it does not apply to this server.
    pub(crate) fn figure(&mut self, name: &'static str, value: impl Into<Option<f64>>) {
        self.figures.push((name, value.into()));
    }
}

/// A table that grows row by row.
#[derive(Default)]
pub(crate) struct Table {
    ceiling: Option<Vec<Option<f64>>>,
    /// Of a curve: the name of what grows, and how far it has.
    point: Option<(&'static str, String)>,
    has_head: bool,
    pub(crate) is_broken: bool,
}

impl Table {
    /// Begins with the rows of a shape, which of a curve is a point.
    pub(crate) fn begin_point(&mut self, shape: &Shape) {
        self.ceiling = None;
        self.point = shape.axis.map(|axis| (axis.name(), axis.point(shape)));
    }

    pub(crate) fn fail(&mut self, report: &mut Report, kind: Kind, why: &str) {
        self.is_broken = true;
        let point = self.point.as_ref().map_or(String::new(), |(_, value)| format!("| {value} "));
        report.line(&format!("{point}| {kind} | FAILED: {why} |"));
    }

    pub(crate) fn row(&mut self, report: &mut Report, kind: Kind, outcome: &Outcome) {
        if !self.has_head {
            self.has_head = true;
            let names: Vec<_> = outcome.figures.iter().map(|(name, _)| *name).collect();
            let (point, rule) =
                self.point.as_ref().map_or_else(Default::default, |(name, _)| (format!("| {name} "), "|---"));
            report.line(&format!("{point}| server | {} | lost |", names.join(" | ")));
            report.line(&format!("{rule}|---|{}---|", "---|".repeat(names.len())));
        }
        let values: Vec<_> = outcome.figures.iter().map(|(_, value)| *value).collect();
        let ceiling = self.ceiling.as_ref().filter(|_| kind != Kind::Relay);
        let cells: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(column, value)| cell(*value, ceiling.and_then(|ceiling| ceiling.get(column).copied().flatten())))
            .collect();
        let lost = if outcome.lost == 0 { "0".to_owned() } else { format!("LOST {}", outcome.lost) };
        let point = self.point.as_ref().map_or(String::new(), |(_, value)| format!("| {value} "));
        report.line(&format!("{point}| {kind} | {} | {lost} |", cells.join(" | ")));
        for note in &outcome.notes {
            report.line(&format!("<!-- {kind}: {note} -->"));
        }
        self.is_broken |= outcome.lost > 0;
        if kind == Kind::Relay {
            self.ceiling = Some(values);
        }
    }
}

fn cell(value: Option<f64>, ceiling: Option<f64>) -> String {
    match (value, ceiling.filter(|ceiling| *ceiling > 0.0)) {
        (None, _) => "–".to_owned(),
        (Some(value), None) => figure(value),
        (Some(value), Some(ceiling)) => format!("{} ({:.2} ×)", figure(value), value / ceiling),
    }
}

/// Three digits that mean something.
fn figure(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
