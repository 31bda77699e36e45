//! Points, and upright boxes around what is drawn, in board units.

use std::ops::{Add, Mul, Sub};

/// A point, or the way from one to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
}

/// A box that holds at least one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Point {
    pub(super) const ZERO: Self = Self { x: 0.0, y: 0.0 };

    pub(super) const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    pub(super) fn length(self) -> f64 {
        self.x.hypot(self.y)
    }

    pub(super) fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    /// A quarter turn clockwise, as y grows downwards.
    pub(super) fn quarter_turn(self) -> Self {
        Self::new(-self.y, self.x)
    }

    /// The point this far on the way to another.
    pub(super) fn towards(self, other: Self, part: f64) -> Self {
        self + (other - self) * part
    }

    /// Clockwise around another point.
    pub(super) fn turned(self, around: Self, radians: f64) -> Self {
        let (sin, cos) = radians.sin_cos();
        let way = self - around;
        around + Self::new(way.x * cos - way.y * sin, way.x * sin + way.y * cos)
    }
}

impl Bounds {
    /// The box from the origin to its opposite corner.
    pub(super) const fn of_size(size: Point) -> Self {
        Self { left: 0.0, top: 0.0, right: size.x, bottom: size.y }
    }

    /// The box between two corners, whichever they are.
    pub(super) fn between(one: Point, other: Point) -> Self {
        Self {
            left: one.x.min(other.x),
            top: one.y.min(other.y),
            right: one.x.max(other.x),
            bottom: one.y.max(other.y),
        }
    }

    /// The box around points, if there are any.
    pub(super) fn around(points: impl IntoIterator<Item = Point>) -> Option<Self> {
        points.into_iter().map(|point| Self::between(point, point)).reduce(Self::united)
    }

    pub(super) fn united(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    pub(super) fn grown(self, by: f64) -> Self {
        Self { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }

    pub(super) fn moved(self, by: Point) -> Self {
        Self { left: self.left + by.x, top: self.top + by.y, right: self.right + by.x, bottom: self.bottom + by.y }
    }

    pub(super) fn size(self) -> Point {
        Point::new(self.right - self.left, self.bottom - self.top)
    }

    pub(super) fn middle(self) -> Point {
        Point::new(f64::midpoint(self.left, self.right), f64::midpoint(self.top, self.bottom))
    }

    /// The upright box around this one turned clockwise around a point.
    pub(super) fn turned(self, around: Point, degrees: f64) -> Self {
        if degrees == 0.0 {
            return self;
        }
        let Self { left, top, right, bottom } = self;
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        let turned = corners.map(|(x, y)| Point::new(x, y).turned(around, degrees.to_radians()));
        Self::around(turned).unwrap_or(self)
    }
}

impl Add for Point {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Point {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f64> for Point {
    type Output = Self;

    fn mul(self, by: f64) -> Self {
        Self::new(self.x * by, self.y * by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_box_is_held_by_its_bounds() {
        let bounds = Bounds::of_size(Point::new(40.0, 20.0));
        let turned = bounds.turned(bounds.middle(), 90.0);
        let expected = Bounds { left: 10.0, top: -10.0, right: 30.0, bottom: 30.0 };
        for (found, wanted) in [
            (turned.left, expected.left),
            (turned.top, expected.top),
            (turned.right, expected.right),
            (turned.bottom, expected.bottom),
        ] {
            assert!((found - wanted).abs() < 1e-9, "{turned:?}");
        }
    }
}
