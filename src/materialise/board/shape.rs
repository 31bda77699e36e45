//! Shapes that can be drawn: complete and within bounds.

use std::sync::Arc;

use super::bounds::Point;
use super::palette::Colour;

/// One shape: what it looks like and where it stands.
#[derive(Debug)]
pub(super) struct Shape {
    pub place: Place,
    pub look: Look,
}

/// Where a shape stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub position: Point,
    /// Degrees, clockwise, around the middle of the shape's box.
    pub rotation: f64,
}

/// What a shape looks like; its own coordinates begin at its position.
#[derive(Debug)]
pub(super) enum Look {
    Box(BoxLook),
    Line(LineLook),
    Pen(PenLook),
    Text { text: String, font_size: f64, colour: Colour },
    Note { size: Point, text: String, font_size: f64, colour: Colour },
    Image(ImageLook),
}

/// A rectangle or an ellipse.
#[derive(Debug)]
pub(super) struct BoxLook {
    pub form: Form,
    pub size: Point,
    pub fill: Fill,
    pub pencil: Pencil,
    pub text: String,
    pub font_size: f64,
}

/// A line or an arrow.
#[derive(Debug)]
pub(super) struct LineLook {
    /// The way from the start to the end.
    pub way: Point,
    pub end: LineEnd,
    pub pencil: Pencil,
}

/// A stroke of the pen, with at least one point.
#[derive(Debug)]
pub(super) struct PenLook {
    pub points: Vec<PenPoint>,
    pub stroke: f64,
    pub colour: Colour,
}

/// A file that is shown.
#[derive(Debug)]
pub(super) struct ImageLook {
    pub size: Point,
    pub media_type: &'static str,
    pub bytes: Arc<[u8]>,
    pub alt: String,
}

/// Where the pen was, scaled, and how hard it was pressed, from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct PenPoint {
    pub at: Point,
    pub pressure: f64,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pencil {
    pub colour: Colour,
    pub width: f64,
    pub dash: Dash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Rectangle,
    Ellipse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    Plain,
    Head,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    None,
    Tint,
    Solid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dash {
    Solid,
    Dashed,
    Dotted,
}
