//! The outline of a pen stroke, whose width follows the pressure.
//!
//! The demo draws what the JavaScript library perfect-freehand gives; this is our own making of the same idea, and looks nearly
//! the same: points are pulled together, then each gives one to the left and one to the right of it, and both ends are round.

use std::f64::consts::PI;

use super::bounds::Point;
use super::shape::PenPoint;

/// The corners of a closed outline, at least three; to be rounded off.
pub(super) fn outline(points: &[PenPoint], stroke: f64) -> Vec<Point> {
    let nodes = pulled_together(points, stroke);
    match nodes.as_slice() {
        [first, .., last] => Sides::along(&nodes, stroke).closed(first, last),
        [only] => round(only.at, only.at + Point::new(radius(stroke, only.pressure), 0.0), 2.0 * PI).collect(),
        [] => Vec::new(),
    }
}

/// A point of the stroke's middle.
#[derive(Debug, Clone, Copy)]
struct Node {
    at: Point,
    pressure: f64,
    /// From the node before, with length 1.
    direction: Point,
    /// From the node before.
    distance: f64,
    /// Along the stroke from its start.
    run: f64,
}

/// Nodes that follow the points a little late, which takes the shivers out of them.
fn pulled_together(points: &[PenPoint], stroke: f64) -> Vec<Node> {
    let Some((first, rest)) = points.split_first() else { return Vec::new() };
    let mut last = Node { at: first.at, pressure: first.pressure, direction: Point::ZERO, distance: 0.0, run: 0.0 };
    let mut nodes = vec![last];
    let mut run = 0.0;
    for (index, point) in rest.iter().enumerate() {
        let ends = index + 1 == rest.len();
        let at = if ends { point.at } else { last.at.towards(point.at, PULL) };
        let distance = (at - last.at).length();
        run += distance;
        // The pen trembles where it is put down.
        if distance == 0.0 || (!ends && nodes.len() == 1 && run < stroke) {
            continue;
        }
        last = Node { at, pressure: point.pressure, direction: (at - last.at) * (1.0 / distance), distance, run };
        nodes.push(last);
    }
    if let [first, second, ..] = nodes.as_mut_slice() {
        first.direction = second.direction;
    }
    nodes
}

/// The two sides of a stroke, from its start to its end.
struct Sides {
    left: Vec<Point>,
    right: Vec<Point>,
}

impl Sides {
    fn along(nodes: &[Node], stroke: f64) -> Self {
        let mut sides = Self { left: Vec::new(), right: Vec::new() };
        let total = nodes.last().map_or(0.0, |node| node.run);
        let end = LAST_STRETCH.min(total / 2.0);
        // A mouse has no pressure: the pace of the hand gives the line some life.
        let by_pace = nodes.iter().all(|node| (node.pressure - 0.5).abs() < 1e-9);
        let mut pressure = start_pressure(nodes, by_pace, stroke);
        let mut before = nodes.first().map_or(Point::ZERO, |node| node.direction);
        let mut after_corner = false;
        for (index, node) in nodes.iter().enumerate() {
            let next = nodes.get(index + 1);
            if next.is_some() && total - node.run < end {
                continue;
            }
            pressure = if by_pace { paced(pressure, node.distance, stroke) } else { node.pressure };
            let radius = radius(stroke, pressure);
            let ahead = next.map_or(node.direction, |next| next.direction);
            let turns_here = node.direction.dot(ahead) < 0.0;
            if turns_here || (node.direction.dot(before) < 0.0 && !after_corner) {
                sides.corner(node.at, before.quarter_turn() * radius);
                after_corner = turns_here;
                continue;
            }
            after_corner = false;
            let aside = ahead.towards(node.direction, node.direction.dot(ahead)).quarter_turn() * radius;
            let spacing = if index < 2 || next.is_none() { 0.0 } else { stroke * SMOOTHING };
            push_apart(&mut sides.left, node.at - aside, spacing);
            push_apart(&mut sides.right, node.at + aside, spacing);
            before = node.direction;
        }
        sides
    }

    /// A sharp turn: the stroke ends in a round and begins anew in another direction.
    fn corner(&mut self, at: Point, aside: Point) {
        self.left.extend(round(at, at - aside, PI));
        self.right.extend(round(at, at + aside, -PI));
    }

    /// Both sides, with round ends.
    fn closed(self, first: &Node, last: &Node) -> Vec<Point> {
        let (start, end) = (self.right.first().copied(), self.left.last().copied());
        let mut outline = self.left;
        outline.extend(end.into_iter().flat_map(|end| round(last.at, end, PI)));
        outline.extend(self.right.into_iter().rev());
        outline.extend(start.into_iter().flat_map(|start| round(first.at, start, PI)));
        outline
    }
}

/// Appends a point unless it is too near to the one before.
fn push_apart(side: &mut Vec<Point>, point: Point, spacing: f64) {
    if side.last().is_none_or(|last| (point - *last).length() >= spacing) {
        side.push(point);
    }
}

/// Points on a part of the circle around `middle` that begins at `from`.
fn round(middle: Point, from: Point, radians: f64) -> impl Iterator<Item = Point> {
    (0..=ROUND_STEPS).map(move |step| from.turned(middle, radians * f64::from(step) / f64::from(ROUND_STEPS)))
}

fn radius(stroke: f64, pressure: f64) -> f64 {
    (stroke * (0.5 - THINNING * (0.5 - pressure))).max(THINNEST)
}

/// The pressure at the start, from the first points: a pen is rarely put down with its full weight.
fn start_pressure(nodes: &[Node], by_pace: bool, stroke: f64) -> f64 {
    let first = nodes.first().map_or(0.5, |node| node.pressure);
    nodes.iter().take(FIRST_NODES).fold(first, |mean, node| {
        f64::midpoint(mean, if by_pace { paced(mean, node.distance, stroke) } else { node.pressure })
    })
}

/// A pressure that falls the faster the pen moves.
fn paced(pressure: f64, distance: f64, stroke: f64) -> f64 {
    let pace = (distance / stroke).min(1.0);
    (pressure + (1.0 - pace - pressure) * pace * PRESSURE_CHANGE).min(1.0)
}

/// `streamline` 0.4: how far a node goes towards its point.
const PULL: f64 = 0.15 + (1.0 - 0.4) * 0.85;
const THINNING: f64 = 0.6;
/// Corners of the outline are this far apart, in parts of the stroke's width.
const SMOOTHING: f64 = 0.5;
const THINNEST: f64 = 0.01;
/// Nodes so near to the end give no corners, which would show there.
const LAST_STRETCH: f64 = 3.0;
const FIRST_NODES: usize = 10;
const PRESSURE_CHANGE: f64 = 0.275;
const ROUND_STEPS: u8 = 12;

#[cfg(test)]
mod tests {
    use super::super::bounds::Bounds;
    use super::*;

    fn straight(pressure: f64) -> Vec<PenPoint> {
        (0..40).map(|step| PenPoint { at: Point::new(f64::from(step) * 5.0, 0.0), pressure }).collect()
    }

    #[test]
    fn the_width_follows_the_pressure() {
        for (pressure, half) in [(0.0, 2.0), (0.25, 3.5), (1.0, 8.0)] {
            let bounds = Bounds::around(outline(&straight(pressure), 10.0)).expect("an outline");
            assert!((bounds.bottom - half).abs() < 0.01 && (bounds.top + half).abs() < 0.01, "{pressure}: {bounds:?}");
            assert!((bounds.left + half).abs() < 0.2 && (bounds.right - 195.0 - half).abs() < 0.2, "{bounds:?}");
        }
    }

    #[test]
    fn a_stroke_without_pressure_is_thin_where_it_is_fast() {
        let slow: Vec<_> = straight(0.5).iter().map(|point| PenPoint { at: point.at * 0.2, ..*point }).collect();
        let slow = Bounds::around(outline(&slow, 10.0)).expect("an outline");
        let fast = Bounds::around(outline(&straight(0.5), 10.0)).expect("an outline");
        assert!(slow.size().y > fast.size().y, "{slow:?} {fast:?}");
    }

    #[test]
    fn one_point_is_a_dot_and_a_tap_that_did_not_move_too() {
        let tap = vec![PenPoint { at: Point::new(3.0, 4.0), pressure: 0.5 }; 5];
        for points in [tap.get(..1).expect("one"), &tap] {
            let bounds = Bounds::around(outline(points, 10.0)).expect("an outline");
            assert!((bounds.size().x - 10.0).abs() < 0.01 && (bounds.middle().y - 4.0).abs() < 0.01, "{bounds:?}");
        }
    }

    #[test]
    fn a_turn_on_the_spot_keeps_the_outline_around_the_stroke() {
        let there = straight(0.3);
        let back: Vec<_> = there.iter().chain(there.iter().rev()).copied().collect();
        let bounds = Bounds::around(outline(&back, 10.0)).expect("an outline");
        assert!(bounds.left > -8.0 && bounds.right < 205.0 && bounds.size().y < 10.0, "{bounds:?}");
    }
}
